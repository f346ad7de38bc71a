-- Whose each device is: what identity_bindings must hold.
WITH
pairs AS (
  -- include ruled-pairs.sql
),
-- What this run has decided of the contested pairs; appended at least once, so perhaps twice.
chosen AS (
  SELECT DISTINCT project, anonymous_id, user_key, user_id
  FROM `tributary.identity_decisions`
  WHERE decided_at = @decided_at AND run_id = @run_id
)
SELECT
  pairs.project,
  pairs.anonymous_id,
  pairs.user_key,
  pairs.user_id,
  pairs.occurred_at AS bound_at,
  pairs.event_id,
  pairs.policy,
  pairs.claim_order,
  pairs.bucket
FROM pairs
LEFT JOIN chosen
  ON
    chosen.project = pairs.project
    AND chosen.anonymous_id = pairs.anonymous_id
    AND chosen.user_id = pairs.user_id
    AND TO_JSON_STRING(chosen.user_key) = TO_JSON_STRING(pairs.user_key)
WHERE
  CASE pairs.policy
    WHEN 'devices_to_one_user' THEN pairs.place_at_device = 1
    ELSE (pairs.users_of_device = 1 AND pairs.devices_of_user = 1) OR chosen.project IS NOT NULL
  END
