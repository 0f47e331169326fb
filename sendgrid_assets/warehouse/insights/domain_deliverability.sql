-- How mail did day by day at each recipient domain, and whose mailboxes the domain is known for.
WITH counted AS (
    SELECT day,
           domain,
           -- Names that are one provider's under .com, .de, .co.uk, .com.br and so on.
           regexp_extract(domain, '^(outlook|hotmail|live|yahoo|aol|gmx|yandex)[.](com?[.])?[a-z]{2,3}$$', 1)
               AS brand,
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
    GROUP BY day, domain
)
SELECT day,
       domain,
       CASE
           WHEN domain IN ('gmail.com', 'googlemail.com') THEN 'Gmail'
           WHEN brand IN ('outlook', 'hotmail', 'live') OR domain = 'msn.com' THEN 'Microsoft'
           WHEN brand IN ('yahoo', 'aol') OR domain IN ('ymail.com', 'rocketmail.com') THEN 'Yahoo'
           WHEN domain IN ('icloud.com', 'me.com', 'mac.com') THEN 'Apple'
           WHEN brand = 'gmx' OR domain IN ('web.de', 'mail.com') THEN 'GMX and WEB.DE'
           WHEN domain IN ('proton.me', 'protonmail.com', 'protonmail.ch', 'pm.me') THEN 'Proton'
           WHEN domain IN ('comcast.net', 'xfinity.com') THEN 'Comcast'
           WHEN domain IN ('att.net', 'sbcglobal.net', 'bellsouth.net') THEN 'AT&T'
           WHEN domain IN ('orange.fr', 'wanadoo.fr') THEN 'Orange'
           WHEN domain IN ('t-online.de', 'magenta.de') THEN 'Telekom'
           WHEN brand = 'yandex' OR domain = 'ya.ru' THEN 'Yandex'
           WHEN domain IN ('mail.ru', 'inbox.ru', 'list.ru', 'bk.ru', 'internet.ru') THEN 'Mail.ru'
           WHEN domain IN ('qq.com', 'foxmail.com') THEN 'QQ'
           WHEN domain IN ('163.com', '126.com', 'yeah.net') THEN 'NetEase'
           WHEN domain IS NOT NULL THEN 'Other'
       END AS mailbox_provider,
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
       unsubscribes / nullif(delivered, 0)       AS unsubscribe_rate
FROM counted
