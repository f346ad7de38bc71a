-- Adds what came in with the changed slices. A slice that comes again is there twice, and readers take each event_id once.
INSERT INTO `tributary.profile_operations` (
  bucket, project, dialect, kind, anonymous_id, user_key, user_id, occurred_at, time_source, received_at, batch_id,
  batch_index, event_id, keys, properties
)
-- include operations-of-log.sql
