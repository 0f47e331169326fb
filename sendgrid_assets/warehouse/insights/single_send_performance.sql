-- How the mail of each single send did, over the messages' whole life, and SendGrid's own counts of it.
-- Of an A/B test SendGrid may count the whole and its parts: no mail is taken twice.
WITH counted AS (
    SELECT singlesend_id,
           max(singlesend_name)                    AS name_in_events,
           sum(processed)::BIGINT                  AS processed,
           sum(dropped)::BIGINT                    AS dropped,
           sum(delivered)::BIGINT                  AS delivered,
           sum(bounces)::BIGINT                    AS bounces,
           sum(blocks)::BIGINT                     AS blocks,
           sum(opens)::BIGINT                      AS opens,
           sum(machine_opens)::BIGINT              AS machine_opens,
           sum(clicks)::BIGINT                     AS clicks,
           sum(bot_clicks)::BIGINT                 AS bot_clicks,
           sum(spam_reports)::BIGINT               AS spam_reports,
           sum(unsubscribes)::BIGINT               AS unsubscribes,
           sum(group_unsubscribes)::BIGINT         AS group_unsubscribes,
           count(*) FILTER (deferrals > 0)         AS deferred,
           count(*) FILTER (opens > 0)             AS unique_opens,
           count(*) FILTER (opens > machine_opens) AS unique_human_opens,
           count(*) FILTER (clicks > 0)            AS unique_clicks,
           count(*) FILTER (clicks > bot_clicks)   AS unique_human_clicks,
           min(first_day)                          AS first_day,
           max(last_day)                           AS last_day
    FROM $messages
    WHERE singlesend_id IS NOT NULL
    GROUP BY singlesend_id
),
totals AS (
    SELECT *
    FROM $schema.mc_single_send_stats
    WHERE aggregation = 'total'
    -- Of what SendGrid counts now, else counted last: the whole, else phases, else variations; and of a phase
    -- its whole, else its variations.
    QUALIFY rank() OVER (
                PARTITION BY id
                ORDER BY deleted_at DESC NULLS FIRST,
                         (ab_variation, ab_phase) <> ('all', 'all'),
                         ab_phase = 'all'
            ) = 1
        AND rank() OVER (
                PARTITION BY id, ab_phase
                ORDER BY deleted_at DESC NULLS FIRST, ab_variation <> 'all'
            ) = 1
),
as_sendgrid_counts AS (
    SELECT id,
           sum(stats_requests)::BIGINT          AS sendgrid_requests,
           sum(stats_delivered)::BIGINT         AS sendgrid_delivered,
           sum(stats_bounces)::BIGINT           AS sendgrid_bounces,
           sum(stats_bounce_drops)::BIGINT      AS sendgrid_bounce_drops,
           sum(stats_invalid_emails)::BIGINT    AS sendgrid_invalid_emails,
           sum(stats_opens)::BIGINT             AS sendgrid_opens,
           sum(stats_unique_opens)::BIGINT      AS sendgrid_unique_opens,
           sum(stats_clicks)::BIGINT            AS sendgrid_clicks,
           sum(stats_unique_clicks)::BIGINT     AS sendgrid_unique_clicks,
           sum(stats_spam_reports)::BIGINT      AS sendgrid_spam_reports,
           sum(stats_spam_report_drops)::BIGINT AS sendgrid_spam_report_drops,
           sum(stats_unsubscribes)::BIGINT      AS sendgrid_unsubscribes
    FROM totals
    GROUP BY id
)
SELECT singlesend_id,
       coalesce(nullif(sends.name, ''), name_in_events) AS singlesend_name,
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
       deferred,
       unique_opens,
       unique_human_opens,
       unique_clicks,
       unique_human_clicks,
       delivered / nullif(processed, 0)          AS delivery_rate,
       bounces / nullif(processed, 0)            AS bounce_rate,
       blocks / nullif(processed, 0)             AS block_rate,
       unique_opens / nullif(delivered, 0)       AS unique_open_rate,
       unique_human_opens / nullif(delivered, 0) AS unique_human_open_rate,
       unique_clicks / nullif(delivered, 0)      AS unique_click_rate,
       unique_clicks / nullif(unique_opens, 0)   AS click_to_open_rate,
       spam_reports / nullif(delivered, 0)       AS spam_report_rate,
       unsubscribes / nullif(delivered, 0)       AS unsubscribe_rate,
       sends.send_at,
       sends.email_config_subject AS subject,
       first_day,
       last_day,
       sendgrid_requests,
       sendgrid_delivered,
       sendgrid_bounces,
       sendgrid_bounce_drops,
       sendgrid_invalid_emails,
       sendgrid_opens,
       sendgrid_unique_opens,
       sendgrid_clicks,
       sendgrid_unique_clicks,
       sendgrid_spam_reports,
       sendgrid_spam_report_drops,
       sendgrid_unsubscribes
FROM counted
LEFT JOIN $schema.mc_single_sends AS sends ON sends.id = singlesend_id
LEFT JOIN as_sendgrid_counts ON as_sendgrid_counts.id = singlesend_id
