-- Makes identity_bindings exactly what was decided.
MERGE INTO `tributary.identity_bindings` AS bound
USING (
  -- include decided-bindings.sql
) AS decided
ON bound.project = decided.project AND bound.anonymous_id = decided.anonymous_id
WHEN MATCHED
  AND (
    bound.user_id != decided.user_id
    OR bound.user_key IS DISTINCT FROM decided.user_key
    OR bound.bound_at != decided.bound_at
    OR bound.event_id != decided.event_id
    OR bound.policy IS DISTINCT FROM decided.policy
    OR bound.claim_order IS DISTINCT FROM decided.claim_order
    OR bound.bucket IS DISTINCT FROM decided.bucket
  )
  THEN UPDATE SET
    user_key = decided.user_key,
    user_id = decided.user_id,
    bound_at = decided.bound_at,
    event_id = decided.event_id,
    policy = decided.policy,
    claim_order = decided.claim_order,
    bucket = decided.bucket
WHEN NOT MATCHED BY TARGET THEN
  INSERT (project, anonymous_id, user_key, user_id, bound_at, event_id, policy, claim_order, bucket)
  VALUES (
    decided.project, decided.anonymous_id, decided.user_key, decided.user_id, decided.bound_at, decided.event_id,
    decided.policy, decided.claim_order, decided.bucket
  )
WHEN NOT MATCHED BY SOURCE THEN DELETE
