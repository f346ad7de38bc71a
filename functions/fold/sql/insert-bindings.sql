-- Binds devices that were not bound. Those that are stay as they are, so that it may run again.
MERGE INTO `tributary.identity_bindings` AS bound
USING (SELECT * FROM UNNEST(@bindings)) AS fresh
ON
  bound.bucket IN UNNEST(@buckets)
  AND bound.bucket = fresh.bucket
  AND bound.project = fresh.project
  AND bound.anonymous_id = fresh.anonymous_id
WHEN NOT MATCHED THEN
  INSERT (project, anonymous_id, user_key, user_id, bound_at, event_id, policy, claim_order, bucket)
  VALUES (
    fresh.project, fresh.anonymous_id, fresh.user_key, fresh.user_id, TIMESTAMP_MICROS(fresh.occurred_micros),
    fresh.event_id, fresh.policy, fresh.claim_order, fresh.bucket
  )
