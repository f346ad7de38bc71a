-- Binds devices that were not bound, and says of others that an earlier alias bound them to the same user, where they still
-- have the one that it takes the place of. What is there already stays as it is, so that it may run again.
MERGE INTO `tributary.identity_bindings` AS bound
USING (SELECT * FROM UNNEST(@bindings)) AS fresh
ON
  bound.bucket IN UNNEST(@buckets)
  AND bound.bucket = fresh.bucket
  AND bound.project = fresh.project
  AND bound.anonymous_id = fresh.anonymous_id
WHEN MATCHED AND bound.event_id = fresh.replaces
  THEN UPDATE SET
    bound_at = TIMESTAMP_MICROS(fresh.occurred_micros),
    event_id = fresh.event_id
WHEN NOT MATCHED THEN
  INSERT (project, anonymous_id, user_key, user_id, bound_at, event_id, policy, claim_order, bucket)
  VALUES (
    fresh.project, fresh.anonymous_id, fresh.user_key, fresh.user_id, TIMESTAMP_MICROS(fresh.occurred_micros),
    fresh.event_id, fresh.policy, fresh.claim_order, fresh.bucket
  )
