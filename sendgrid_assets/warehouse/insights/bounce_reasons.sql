-- Why mail was refused, by recipient domain: SendGrid's class of the bounce in its words of today and, where
-- it sent none, the receiving server's words without what differs from mail to mail (addresses, links, ids).
-- An address in a text is any word with an @, or %40, in it.
WITH bounced AS (
    SELECT timestamp,
           nullif(lower(trim(type)), '') AS type,
           CASE
               WHEN contains(email, '@') THEN nullif(lower(split_part(trim(email), '@', -1)), '')
           END AS domain,
           nullif(trim(reason), '') AS text,
           nullif(trim(bounce_classification), '') AS class
    FROM $schema.bounce
    WHERE duplicate_of IS NULL
)
SELECT CASE
           WHEN class ILIKE 'invalid%'                              THEN 'Invalid Address'
           WHEN class ILIKE 'technical%'                            THEN 'Technical Failure'
           WHEN class ILIKE 'content%'                              THEN 'Content'
           WHEN class ILIKE 'reputation%'                           THEN 'Reputation'
           WHEN class ILIKE 'frequency%' OR class ILIKE 'volume%'   THEN 'Frequency or Volume Too High'
           WHEN class ILIKE 'mailbox%'                              THEN 'Mailbox Unavailable'
           WHEN class ILIKE 'unclassified%'                         THEN 'Unclassified'
           WHEN class IS NOT NULL                                   THEN class
           ELSE coalesce(nullif(trim(left(regexp_replace(
               text, '(<[^<>]*@[^<>]*>|"[^"]*"@\S*|\S*(@|%40|://|\d)\S*|\s)+', ' ', 'g'
           ), 100), ' -:;,.<>()[]'), ''), 'No reason given')
       END                AS reason,
       type,
       domain,
       count(*)           AS bounces,
       max(timestamp)     AS last_seen_at,
       left(regexp_replace(
           arg_max(text, timestamp), '<[^<>]*@[^<>]*>|"[^"]*"@\S*|\S*(@|%40)\S*', '<address>', 'g'
       ), 300)            AS example
FROM bounced
GROUP BY ALL
