-- The pairs of devices and users that the changed slices claim, each by the first of its claims there.
WITH pairs AS (
  -- include rebuild-pairs.sql
)
SELECT
  project,
  anonymous_id,
  user_key,
  user_id,
  dialect,
  event_id,
  UNIX_MICROS(occurred_at) AS occurred_micros,
  UNIX_MICROS(received_at) AS received_micros,
  batch_id,
  batch_index
FROM pairs
LIMIT @most
