-- Every event of every kind that was sent with debug 1 or 2, one row per event_id: the first copy.
SELECT *
FROM `tributary.event_log`
WHERE debug != 0
QUALIFY ROW_NUMBER() OVER (PARTITION BY occurred_at, event_id ORDER BY received_at, batch_id, batch_index) = 1
