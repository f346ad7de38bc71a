-- Adds pairs that are new, and gives others an earlier first claim, where they still have the one that it takes the place of.
-- What is there already stays as it is, so that it may run again.
MERGE INTO `tributary.identity_pairs` AS pairs
USING (SELECT * FROM UNNEST(@pairs)) AS fresh
ON
  pairs.bucket IN UNNEST(@buckets)
  AND pairs.bucket = fresh.bucket
  AND pairs.project = fresh.project
  AND pairs.anonymous_id = fresh.anonymous_id
  AND pairs.user_id = fresh.user_id
  AND TO_JSON_STRING(pairs.user_key) = TO_JSON_STRING(fresh.user_key)
WHEN MATCHED AND pairs.event_id = fresh.replaces
  THEN UPDATE SET
    event_id = fresh.event_id,
    occurred_at = TIMESTAMP_MICROS(fresh.occurred_micros),
    received_at = TIMESTAMP_MICROS(fresh.received_micros),
    batch_id = fresh.batch_id,
    batch_index = fresh.batch_index
WHEN NOT MATCHED THEN
  INSERT (
    project, anonymous_id, user_key, user_id, dialect, event_id, occurred_at, received_at, batch_id, batch_index,
    bucket
  )
  VALUES (
    fresh.project, fresh.anonymous_id, fresh.user_key, fresh.user_id, fresh.dialect, fresh.event_id,
    TIMESTAMP_MICROS(fresh.occurred_micros), TIMESTAMP_MICROS(fresh.received_micros), fresh.batch_id,
    fresh.batch_index, fresh.bucket
  )
