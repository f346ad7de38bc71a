-- The pairs of devices and users that new aliases claim, each by the first of its claims there.
WITH
claims AS (
  -- include claims.sql
),
pairs AS (
  -- include first-claims.sql
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
