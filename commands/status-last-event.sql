-- When the newest event was received. Only the days around today are read.
SELECT MAX(received_at) AS received_at
FROM `tributary.event_log`
WHERE occurred_at >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 7 DAY)
