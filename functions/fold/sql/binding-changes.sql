-- The devices that merge-bindings.sql gives to another user, to a first one, or to none.
WITH decided AS (
  -- include decided-bindings.sql
)
SELECT
  COALESCE(decided.project, bound.project) AS project,
  COALESCE(decided.anonymous_id, bound.anonymous_id) AS anonymous_id,
  bound.user_key AS user_key_before,
  bound.user_id AS user_id_before,
  decided.user_key AS user_key_after,
  decided.user_id AS user_id_after
FROM decided
FULL JOIN `tributary.identity_bindings` AS bound
  ON bound.project = decided.project AND bound.anonymous_id = decided.anonymous_id
WHERE
  bound.user_id IS DISTINCT FROM decided.user_id
  OR bound.user_key IS DISTINCT FROM decided.user_key
LIMIT @most
