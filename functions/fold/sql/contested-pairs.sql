-- The pairs that must be decided one by one, in the order in which they are: of projects where a device is of one user
-- and a user has one device, those whose device or user another pair claims too.
WITH pairs AS (
  -- include ruled-pairs.sql
)
SELECT
  project,
  anonymous_id,
  user_key,
  user_id,
  event_id,
  UNIX_MICROS(occurred_at) AS occurred_micros
FROM pairs
WHERE policy = 'one_to_one' AND (users_of_device > 1 OR devices_of_user > 1)
ORDER BY project, claimed_at, received_at, batch_id, batch_index, event_id
