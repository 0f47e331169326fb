-- Which links were clicked in which campaign's mail; mail of no campaign counts together, its campaign NULL.
-- A link is its address without query and fragment, where senders put what tells recipients apart.
WITH clicked AS (
    SELECT message, campaign_id, campaign_name, singlesend_id, singlesend_name
    FROM $messages
    WHERE clicks > 0
)
SELECT campaign_id,
       arg_max(campaign_name, timestamp)                   AS campaign_name,
       singlesend_id,
       arg_max(singlesend_name, timestamp)                 AS singlesend_name,
       split_part(split_part(trim(url), '?', 1), '#', 1)   AS url,
       count(*)                                            AS clicks,
       count(*) FILTER (is_bot)                            AS bot_clicks,
       count(DISTINCT message)                             AS unique_clicks,
       count(DISTINCT message) FILTER (NOT is_bot)         AS unique_human_clicks,
       min(timestamp)                                      AS first_click_at,
       max(timestamp)                                      AS last_click_at
FROM $clicks JOIN clicked USING (message)
GROUP BY ALL
