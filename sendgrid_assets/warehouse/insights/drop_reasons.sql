-- Why SendGrid did not try to deliver mail, by recipient domain: its reason in the words of its documentation
-- (any other as sent, addresses replaced), and the name under which its statistics count such drops.
WITH said AS (
    SELECT timestamp,
           CASE
               WHEN contains(email, '@') THEN nullif(lower(split_part(trim(email), '@', -1)), '')
           END AS domain,
           regexp_replace(
               nullif(trim(reason), ''), '<[^<>]*@[^<>]*>|"[^"]*"@\S*|\S*(@|%40)\S*', '<address>', 'g'
           ) AS text
    FROM $schema.dropped
    WHERE duplicate_of IS NULL
), named AS (
    SELECT timestamp,
           domain,
           text,
           CASE
               WHEN text ILIKE 'bounced address%'               THEN 'Bounced Address'
               WHEN text ILIKE 'unsubscribed address%'          THEN 'Unsubscribed Address'
               WHEN text ILIKE 'spam reporting address%'        THEN 'Spam Reporting Address'
               WHEN text ILIKE 'invalid smtpapi header%'        THEN 'Invalid SMTPAPI header'
               WHEN lower(text) IN ('invalid', 'invalid address', 'invalid email address') THEN 'Invalid'
               WHEN text ILIKE 'spam content%'                  THEN 'Spam Content'
               WHEN text ILIKE 'recipient list over package%'   THEN 'Recipient List over Package Quota'
               WHEN text ILIKE 'duplicate%'                     THEN 'Duplicate'
               ELSE coalesce(left(text, 100), 'No reason given')
           END AS reason
    FROM said
)
SELECT reason,
       CASE reason
           WHEN 'Bounced Address'           THEN 'bounce_drops'
           WHEN 'Unsubscribed Address'      THEN 'unsubscribe_drops'
           WHEN 'Spam Reporting Address'    THEN 'spam_report_drops'
           WHEN 'Invalid'                   THEN 'invalid_emails'
           ELSE 'other'
       END                                    AS type,
       domain,
       count(*)                               AS drops,
       max(timestamp)                         AS last_seen_at,
       left(arg_max(text, timestamp), 300)    AS example
FROM named
GROUP BY ALL
