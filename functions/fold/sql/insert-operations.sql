-- Adds what the tick found new. It is there twice where a tick died after this, and readers take each event_id once.
INSERT INTO `tributary.profile_operations` (
  bucket, project, dialect, kind, anonymous_id, user_key, user_id, occurred_at, time_source, received_at, batch_id,
  batch_index, event_id, keys, properties, event_hash
)
SELECT
  bucket, project, dialect, kind, anonymous_id, user_key, user_id, occurred_at, time_source, received_at, batch_id,
  batch_index, event_id, keys, properties, event_hash
FROM `tributary.arrived_operations`
WHERE run = @run
