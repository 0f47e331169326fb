-- How lists grow: how many contacts each had at the end of a day, worked back from those it has now through
-- the changes that syncs found. Days without a change have no row, but today has one for each list there is.
WITH lists AS (
    SELECT id AS list_id, name AS list_name, contact_count AS counted, deleted_at FROM $schema.mc_lists
    UNION ALL
    SELECT id, name, recipient_count, deleted_at FROM $schema.lists
), members AS (
    SELECT list_id, count(*) FILTER (deleted_at IS NULL) AS contacts
    FROM (
        SELECT list_id, deleted_at FROM $schema.mc_contact_lists
        UNION ALL
        SELECT list_id, deleted_at FROM $schema.list_recipients
    )
    GROUP BY list_id
), syncs AS (
    SELECT changed_at,
           key ->> 'list_id'                   AS list_id,
           count(*) FILTER (kind <> 'delete')  AS added,
           count(*) FILTER (kind = 'delete')   AS removed
    FROM $changes
    WHERE source = $source
      AND table_name IN ('mc_contact_lists', 'list_recipients')
      AND kind IN ('insert', 'return', 'delete')
    GROUP BY ALL
), moves AS (
    SELECT timezone($zone, timezone('UTC', changed_at))::DATE AS day, list_id, added, removed
    FROM syncs
    UNION ALL
    SELECT timezone($zone, now())::DATE, list_id, 0, 0
    FROM lists
    WHERE deleted_at IS NULL
    UNION ALL
    -- Lists whose members are synced but which themselves are not.
    SELECT timezone($zone, now())::DATE, list_id, 0, 0
    FROM members
    WHERE contacts > 0 AND list_id NOT IN (SELECT list_id FROM lists)
), days AS (
    SELECT day, list_id, sum(added)::BIGINT AS added, sum(removed)::BIGINT AS removed
    FROM moves
    GROUP BY day, list_id
), dated AS (
    SELECT day,
           list_id,
           added,
           removed,
           coalesce(sum(added - removed) OVER (
               PARTITION BY list_id ORDER BY day DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
           ), 0)::BIGINT AS grown_since
    FROM days
)
SELECT d.day,
       d.list_id,
       l.list_name,
       -- SendGrid's own count stands in where members are not synced.
       coalesce(m.contacts, l.counted, 0) - d.grown_since AS contacts,
       d.added,
       d.removed
FROM dated d
LEFT JOIN lists l ON l.list_id = d.list_id
LEFT JOIN members m ON m.list_id = d.list_id
