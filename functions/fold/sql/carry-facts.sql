-- What persons says of some persons and, in rows of their own, which of the operations that the tick found new are copies of
-- what is known of them.
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
  arrived.event_id
FROM `tributary.arrived_operations` AS arrived
-- Another event of the same hash may look like a copy: then a person is folded anew for nothing.
JOIN `tributary.profile_operations` AS copied ON copied.event_hash = arrived.event_hash
WHERE arrived.run = @run AND copied.bucket IN UNNEST(@buckets)
