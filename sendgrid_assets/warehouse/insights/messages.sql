-- What became of each message, one mail to one address: its counts, its instants, its outcome.
-- The outcome is whatever came last; a refusal in the second of a delivery came after it.
SELECT message_id,
       email,
       processed,
       dropped,
       delivered,
       bounces,
       blocks,
       opens,
       machine_opens,
       clicks,
       bot_clicks,
       spam_reports,
       unsubscribes,
       group_unsubscribes,
       deferrals,
       attempts,
       CASE date_trunc('second', greatest(last_delivered_at, last_bounced_at, last_blocked_at))
           WHEN date_trunc('second', last_bounced_at) THEN 'bounced'
           WHEN date_trunc('second', last_blocked_at) THEN 'blocked'
           WHEN date_trunc('second', last_delivered_at) THEN 'delivered'
           ELSE CASE
               WHEN dropped > 0 THEN 'dropped'
               WHEN deferrals > 0 THEN 'deferred'
               WHEN processed > 0 THEN 'processed'
               ELSE 'unknown'
           END
       END AS outcome,
       processed_at,
       dropped_at,
       first_deferred_at,
       delivered_at,
       bounced_at,
       first_open_at,
       first_human_open_at,
       last_open_at,
       last_human_open_at,
       first_click_at,
       first_human_click_at,
       last_click_at,
       last_human_click_at,
       spam_report_at,
       unsubscribed_at,
       bounce_reason,
       CASE
           WHEN bounce_classification ILIKE 'invalid%' THEN 'Invalid Address'
           WHEN bounce_classification ILIKE 'technical%' THEN 'Technical Failure'
           WHEN bounce_classification ILIKE 'content%' THEN 'Content'
           WHEN bounce_classification ILIKE 'reputation%' THEN 'Reputation'
           WHEN bounce_classification ILIKE 'frequency%' OR bounce_classification ILIKE 'volume%'
               THEN 'Frequency or Volume Too High'
           WHEN bounce_classification ILIKE 'mailbox%' THEN 'Mailbox Unavailable'
           WHEN bounce_classification ILIKE 'unclassified%' THEN 'Unclassified'
           ELSE bounce_classification
       END AS bounce_classification,
       drop_reason,
       campaign_id,
       campaign_name,
       singlesend_id,
       singlesend_name,
       template_id,
       template_name,
       asm_group_id,
       category,
       smtp_id,
       first_day,
       last_day
FROM (
    SELECT * REPLACE (nullif(trim(bounce_classification), '') AS bounce_classification) FROM $messages
)
