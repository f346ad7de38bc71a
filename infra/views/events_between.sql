-- arguments: from_time TIMESTAMP, to_time TIMESTAMP
-- The tracked events from from_time up to, not including, to_time, one row per event_id: the first copy.
-- Filters before it deduplicates, so that a query reads the partitions of that time and no others.
SELECT * EXCEPT (keys)
FROM `tributary.event_log`
WHERE occurred_at >= from_time AND occurred_at < to_time AND kind = 'track' AND debug != 1
QUALIFY ROW_NUMBER() OVER (PARTITION BY occurred_at, event_id ORDER BY received_at, batch_id, batch_index) = 1
