-- How mail did day by day. An event counts on the day it happened, and a message once on each of its days.
WITH counted AS (
    SELECT day,
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
           count(*) FILTER (clicks > bot_clicks)   AS unique_human_clicks
    FROM $message_days
    GROUP BY day
)
SELECT *,
       delivered / nullif(processed, 0)          AS delivery_rate,
       bounces / nullif(processed, 0)            AS bounce_rate,
       blocks / nullif(processed, 0)             AS block_rate,
       unique_opens / nullif(delivered, 0)       AS unique_open_rate,
       unique_human_opens / nullif(delivered, 0) AS unique_human_open_rate,
       unique_clicks / nullif(delivered, 0)      AS unique_click_rate,
       unique_clicks / nullif(unique_opens, 0)   AS click_to_open_rate,
       spam_reports / nullif(delivered, 0)       AS spam_report_rate,
       unsubscribes / nullif(delivered, 0)       AS unsubscribe_rate
FROM counted
