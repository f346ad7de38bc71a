-- The persons whom the new operations are about, with what came in of them, and the given ones; each with every device that
-- is bound to it, as operations of a device lie in the bucket of the device.
WITH
arrived AS (
  -- A device that is bound is its user.
  SELECT
    log.project,
    IF(log.user_id IS NULL, bound.user_key, log.user_key) AS user_key,
    COALESCE(log.user_id, bound.user_id) AS user_id,
    IF(log.user_id IS NULL AND bound.user_id IS NULL, log.anonymous_id, NULL) AS anonymous_id,
    log.event_id,
    log.dialect,
    log.time_source,
    UNIX_MICROS(log.occurred_at) AS occurred_at
  FROM `tributary.arrived_operations` AS log
  LEFT JOIN `tributary.identity_bindings` AS bound
    ON
      bound.project = log.project
      AND bound.anonymous_id = IF(log.user_id IS NULL, log.anonymous_id, NULL)
  WHERE log.run = @run
),
persons AS (
  SELECT
    project,
    user_key,
    user_id,
    anonymous_id,
    MIN(occurred_at) AS arrived_from,
    -- Where all have a time of their sender's and one way to compare keys.
    IF(LOGICAL_AND(time_source = 'sender') AND MIN(dialect) = MAX(dialect), MIN(dialect), NULL) AS dialect,
    STRING_AGG(DISTINCT event_id, ',') AS events
  FROM arrived
  GROUP BY project, user_key, user_id, anonymous_id
  UNION ALL
  -- These as they are: a device that was bound is a person no more.
  SELECT DISTINCT
    project,
    user_key,
    user_id,
    anonymous_id,
    CAST(NULL AS INT64) AS arrived_from,
    CAST(NULL AS STRING) AS dialect,
    CAST(NULL AS STRING) AS events
  FROM UNNEST(@dirty)
  WHERE
    TO_JSON_STRING([project, user_key, user_id, anonymous_id]) NOT IN (
      SELECT TO_JSON_STRING([project, user_key, user_id, anonymous_id])
      FROM arrived
    )
)
SELECT
  persons.project,
  persons.user_key,
  persons.user_id,
  persons.anonymous_id,
  persons.arrived_from,
  persons.dialect,
  persons.events,
  ARRAY_AGG(device.anonymous_id IGNORE NULLS) AS devices
FROM persons
LEFT JOIN `tributary.identity_bindings` AS device
  ON
    device.project = persons.project
    AND device.user_id = persons.user_id
    -- As JSON, since NULL is a kind of login id like others, and since equality is what BigQuery joins fast by.
    AND TO_JSON_STRING(device.user_key) = TO_JSON_STRING(persons.user_key)
GROUP BY
  persons.project,
  persons.user_key,
  persons.user_id,
  persons.anonymous_id,
  persons.arrived_from,
  persons.dialect,
  persons.events
LIMIT @most
