-- When each address last got, opened and clicked mail, and how often lately. A period is today and the days
-- before it, so `30d` has 31 days, the last of them under way; today is the day on which the view is read.
-- Each period is counted apart: three sums of what lies in it take less than one sum with three conditions.
WITH in_30d AS (
    SELECT email,
           sum(delivered)::BIGINT     AS delivered_30d,
           sum(opens)::BIGINT         AS opens_30d,
           sum(opens - machine_opens)::BIGINT AS human_opens_30d,
           sum(clicks)::BIGINT        AS clicks_30d,
           sum(clicks - bot_clicks)::BIGINT AS human_clicks_30d
    FROM $message_days
    WHERE day >= timezone($zone, now())::DATE - 30
    GROUP BY email
), in_90d AS (
    SELECT email,
           sum(delivered)::BIGINT     AS delivered_90d,
           sum(opens)::BIGINT         AS opens_90d,
           sum(opens - machine_opens)::BIGINT AS human_opens_90d,
           sum(clicks)::BIGINT        AS clicks_90d,
           sum(clicks - bot_clicks)::BIGINT AS human_clicks_90d
    FROM $message_days
    WHERE day >= timezone($zone, now())::DATE - 90
    GROUP BY email
), in_365d AS (
    SELECT email,
           sum(delivered)::BIGINT     AS delivered_365d,
           sum(opens)::BIGINT         AS opens_365d,
           sum(opens - machine_opens)::BIGINT AS human_opens_365d,
           sum(clicks)::BIGINT        AS clicks_365d,
           sum(clicks - bot_clicks)::BIGINT AS human_clicks_365d
    FROM $message_days
    WHERE day >= timezone($zone, now())::DATE - 365
    GROUP BY email
), begins AS (
    -- When the first day of each period began, in UTC: compared as instants, no row's day has to be found.
    SELECT timezone('UTC', timezone($zone, (timezone($zone, now())::DATE - 30)::TIMESTAMP))  AS of_30d,
           timezone('UTC', timezone($zone, (timezone($zone, now())::DATE - 90)::TIMESTAMP))  AS of_90d,
           timezone('UTC', timezone($zone, (timezone($zone, now())::DATE - 365)::TIMESTAMP)) AS of_365d
)
SELECT email,
       last_delivered_at,
       last_open_at                AS last_opened_at,
       last_human_open_at          AS last_human_opened_at,
       last_click_at               AS last_clicked_at,
       last_human_click_at         AS last_human_clicked_at,
       CASE
           WHEN greatest(last_human_open_at, last_human_click_at) >= of_30d  THEN '0-30 days'
           WHEN greatest(last_human_open_at, last_human_click_at) >= of_90d  THEN '31-90 days'
           WHEN greatest(last_human_open_at, last_human_click_at) >= of_365d THEN '91-365 days'
           WHEN greatest(last_human_open_at, last_human_click_at) < of_365d  THEN 'over 365 days'
           ELSE 'never'
       END AS recency_band,
       coalesce(delivered_30d, 0)     AS delivered_30d,
       coalesce(opens_30d, 0)         AS opens_30d,
       coalesce(human_opens_30d, 0)   AS human_opens_30d,
       coalesce(clicks_30d, 0)        AS clicks_30d,
       coalesce(human_clicks_30d, 0)  AS human_clicks_30d,
       coalesce(delivered_90d, 0)     AS delivered_90d,
       coalesce(opens_90d, 0)         AS opens_90d,
       coalesce(human_opens_90d, 0)   AS human_opens_90d,
       coalesce(clicks_90d, 0)        AS clicks_90d,
       coalesce(human_clicks_90d, 0)  AS human_clicks_90d,
       coalesce(delivered_365d, 0)    AS delivered_365d,
       coalesce(opens_365d, 0)        AS opens_365d,
       coalesce(human_opens_365d, 0)  AS human_opens_365d,
       coalesce(clicks_365d, 0)       AS clicks_365d,
       coalesce(human_clicks_365d, 0) AS human_clicks_365d
FROM $recipients
     CROSS JOIN begins
     LEFT JOIN in_30d USING (email)
     LEFT JOIN in_90d USING (email)
     LEFT JOIN in_365d USING (email)
