-- What is known of some devices: every pair that identity_pairs has of them.
SELECT
  pairs.project,
  pairs.anonymous_id,
  pairs.user_key,
  pairs.user_id,
  pairs.dialect,
  pairs.event_id,
  UNIX_MICROS(pairs.occurred_at) AS occurred_micros,
  UNIX_MICROS(pairs.received_at) AS received_micros,
  pairs.batch_id,
  pairs.batch_index
FROM `tributary.identity_pairs` AS pairs
JOIN UNNEST(@devices) AS device
  ON device.project = pairs.project AND device.anonymous_id = pairs.anonymous_id
WHERE pairs.bucket IN UNNEST(@buckets)
LIMIT @most
