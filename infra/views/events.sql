-- The tracked events, one row per event_id: the first copy. Debug 1 (shown, not counted) is left out.
-- Reads the whole of event_log whatever the outer filter; for a bounded read use events_between.
SELECT * EXCEPT (keys)
FROM `tributary.event_log`
WHERE kind = 'track' AND debug != 1
QUALIFY ROW_NUMBER() OVER (PARTITION BY occurred_at, event_id ORDER BY received_at, batch_id, batch_index) = 1
