-- The aliases and profile operations in the changed slices of state_log, as profile_operations has them: in the bucket of
-- the user that they name or, where they name none, of their device. What names neither is nobody's.
SELECT
  MOD(
    CAST(
      CONCAT('0x', SUBSTR(TO_HEX(MD5(CONCAT(log.project, '\n', COALESCE(log.user_id, log.anonymous_id)))), 1, 8)) AS INT64
    ),
    4000
  ) AS bucket,
  log.project,
  log.dialect,
  log.kind,
  log.anonymous_id,
  log.user_key,
  log.user_id,
  log.occurred_at,
  log.time_source,
  log.received_at,
  log.batch_id,
  log.batch_index,
  log.event_id,
  log.keys,
  log.properties,
  CAST(CONCAT('0x', SUBSTR(TO_HEX(MD5(log.event_id)), 1, 15)) AS INT64) AS event_hash
FROM `tributary.state_log` AS log
WHERE
  log.received_at >= @from_time
  AND log.received_at < @to_time
  AND EXISTS (
    SELECT 1
    FROM UNNEST(@slices) AS slice
    WHERE log.received_at >= slice.from_time AND log.received_at < slice.to_time
  )
  AND log.kind != 'item_set'
  AND log.debug != 1
  AND COALESCE(log.user_id, log.anonymous_id) IS NOT NULL
