-- Mail that a receiving server put off: how often it was tried, and how long its delivery took in the end.
SELECT message_id,
       email,
       CASE WHEN contains(email, '@') THEN nullif(lower(split_part(email, '@', -1)), '') END AS domain,
       greatest(deferrals, attempts) AS attempts,
       first_deferred_at,
       delivered_at,
       (epoch_us(delivered_at) - epoch_us(coalesce(processed_at, first_deferred_at))) / 1000000
           AS seconds_to_delivery
FROM $messages
WHERE deferrals > 0
