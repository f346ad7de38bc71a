-- What persons says of those whom the changed slices are about and, in rows of their own, which of the operations in these
-- slices were copied before.
SELECT
  kept.project,
  kept.user_key,
  kept.user_id,
  kept.anonymous_id,
  UNIX_MICROS(kept.updated_at) AS updated_at,
  kept.dialect,
  CAST(NULL AS STRING) AS event_id
FROM `tributary.persons` AS kept
WHERE
  kept.bucket IN UNNEST(@person_buckets)
  AND TO_JSON_STRING([kept.project, kept.user_key, kept.user_id, kept.anonymous_id]) IN (
    SELECT TO_JSON_STRING([given.project, given.user_key, given.user_id, given.anonymous_id])
    FROM UNNEST(@persons) AS given
  )
UNION ALL
SELECT DISTINCT
  CAST(NULL AS STRING) AS project,
  CAST(NULL AS STRING) AS user_key,
  CAST(NULL AS STRING) AS user_id,
  CAST(NULL AS STRING) AS anonymous_id,
  CAST(NULL AS INT64) AS updated_at,
  CAST(NULL AS STRING) AS dialect,
  copied.event_id
FROM `tributary.profile_operations` AS copied
WHERE
  copied.bucket IN UNNEST(@buckets)
  AND copied.event_id IN (
    SELECT log.event_id
    FROM `tributary.state_log` AS log
    WHERE
      log.received_at >= @from_time
      AND log.received_at < @to_time
      AND EXISTS (
        SELECT 1
        FROM UNNEST(@slices) AS slice
        WHERE log.received_at >= slice.from_time AND log.received_at < slice.to_time
      )
  )
