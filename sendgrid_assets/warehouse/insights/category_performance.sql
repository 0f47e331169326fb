-- How the mail of each category did, over the messages' whole life.
-- Mail in several categories counts in each; combinations are counted first, since there are few.
WITH combinations AS (
    SELECT category                                AS categories,
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
    WHERE category IS NOT NULL
    GROUP BY category
),
each_category AS (
    SELECT * EXCLUDE (categories), unnest(list_distinct(categories)) AS category FROM combinations
),
counted AS (
    SELECT category,
           sum(processed)::BIGINT           AS processed,
           sum(dropped)::BIGINT             AS dropped,
           sum(delivered)::BIGINT           AS delivered,
           sum(bounces)::BIGINT             AS bounces,
           sum(blocks)::BIGINT              AS blocks,
           sum(opens)::BIGINT               AS opens,
           sum(machine_opens)::BIGINT       AS machine_opens,
           sum(clicks)::BIGINT              AS clicks,
           sum(bot_clicks)::BIGINT          AS bot_clicks,
           sum(spam_reports)::BIGINT        AS spam_reports,
           sum(unsubscribes)::BIGINT        AS unsubscribes,
           sum(group_unsubscribes)::BIGINT  AS group_unsubscribes,
           sum(deferred)::BIGINT            AS deferred,
           sum(unique_opens)::BIGINT        AS unique_opens,
           sum(unique_human_opens)::BIGINT  AS unique_human_opens,
           sum(unique_clicks)::BIGINT       AS unique_clicks,
           sum(unique_human_clicks)::BIGINT AS unique_human_clicks,
           min(first_day)                   AS first_day,
           max(last_day)                    AS last_day
    FROM each_category
    WHERE category <> ''
    GROUP BY category
)
SELECT * EXCLUDE (first_day, last_day),
       delivered / nullif(processed, 0)          AS delivery_rate,
       bounces / nullif(processed, 0)            AS bounce_rate,
       blocks / nullif(processed, 0)             AS block_rate,
       unique_opens / nullif(delivered, 0)       AS unique_open_rate,
       unique_human_opens / nullif(delivered, 0) AS unique_human_open_rate,
       unique_clicks / nullif(delivered, 0)      AS unique_click_rate,
       unique_clicks / nullif(unique_opens, 0)   AS click_to_open_rate,
       spam_reports / nullif(delivered, 0)       AS spam_report_rate,
       unsubscribes / nullif(delivered, 0)       AS unsubscribe_rate,
       first_day,
       last_day
FROM counted
