-- Whether SendGrid sends to an address now, and why not: every address that was ever on a list that holds
-- mail back. Blocks are not among these lists: a blocked mail does not keep the next from being tried.
WITH entries AS (
    SELECT email,
           'bounces'                            AS kind,
           NULL::BIGINT                         AS group_id,
           coalesce(created, first_synced_at)   AS since,
           deleted_at
    FROM $schema.suppression_bounces
    UNION ALL
    SELECT email, 'invalid_emails', NULL, coalesce(created, first_synced_at), deleted_at
    FROM $schema.suppression_invalid_emails
    UNION ALL
    SELECT email, 'spam_reports', NULL, coalesce(created, first_synced_at), deleted_at
    FROM $schema.suppression_spam_reports
    UNION ALL
    SELECT email, 'unsubscribes', NULL, coalesce(created, first_synced_at), deleted_at
    FROM $schema.suppression_unsubscribes
    UNION ALL
    SELECT m.email,
           'group:' || coalesce(nullif(g.name, ''), nullif(m.group_name, ''), m.group_id::VARCHAR),
           m.group_id,
           coalesce(m.created_at, m.first_synced_at),
           m.deleted_at
    FROM $schema.suppression_group_members m LEFT JOIN $schema.suppression_groups g ON g.id = m.group_id
), gathered AS (
    SELECT lower(trim(email))                                                         AS email,
           list(kind) FILTER (deleted_at IS NULL)                                     AS kinds,
           list(group_id) FILTER (deleted_at IS NULL AND group_id IS NOT NULL)        AS suppressed_groups,
           list(kind) FILTER (deleted_at IS NOT NULL)                                 AS lifted_kinds,
           coalesce(bool_or(deleted_at IS NULL AND group_id IS NULL), false)          AS suppressed,
           min(since) FILTER (deleted_at IS NULL AND group_id IS NULL)                AS since,
           min(since) FILTER (deleted_at IS NULL AND group_id IS NOT NULL)            AS group_since,
           max(deleted_at)                                                            AS lifted_at
    FROM entries
    GROUP BY ALL
)
SELECT email,
       suppressed,
       coalesce(list_sort(list_distinct(kinds)), [])                      AS kinds,
       coalesce(list_sort(list_distinct(suppressed_groups)), [])          AS suppressed_groups,
       coalesce(since, group_since)                                       AS since,
       coalesce(list_sort(list_distinct(lifted_kinds)), [])               AS lifted_kinds,
       CASE WHEN kinds IS NULL THEN lifted_at END                         AS lifted_at
FROM gathered
