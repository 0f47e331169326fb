-- Who left an unsubscribe group and who came back, by day. An unsubscription from everything has no group.
WITH moves AS (
    SELECT timestamp, asm_group_id, true AS leaves FROM $schema.group_unsubscribe WHERE duplicate_of IS NULL
    UNION ALL
    SELECT timestamp, asm_group_id, false AS leaves FROM $schema.group_resubscribe WHERE duplicate_of IS NULL
)
SELECT timezone($zone, timezone('UTC', m.timestamp))::DATE AS day,
       m.asm_group_id,
       g.name                               AS group_name,
       count(*) FILTER (m.leaves)           AS unsubscribes,
       count(*) FILTER (NOT m.leaves)       AS resubscribes
FROM moves m LEFT JOIN $schema.suppression_groups g ON g.id = m.asm_group_id
GROUP BY ALL
