-- The persons whom the changed slices and the changed bindings are about, each with every device that is bound to it, as
-- operations of a device lie in the bucket of the device.
WITH
touched AS (
  SELECT
    log.project,
    log.user_key,
    log.user_id,
    IF(log.user_id IS NULL, log.anonymous_id, NULL) AS anonymous_id
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
),
persons AS (
  -- A device that is bound is its user.
  SELECT
    touched.project,
    IF(touched.user_id IS NULL, bound.user_key, touched.user_key) AS user_key,
    COALESCE(touched.user_id, bound.user_id) AS user_id,
    IF(bound.user_id IS NULL, touched.anonymous_id, NULL) AS anonymous_id
  FROM touched
  LEFT JOIN `tributary.identity_bindings` AS bound
    ON bound.project = touched.project AND bound.anonymous_id = touched.anonymous_id
  UNION DISTINCT
  -- These as they are: a device that was bound is a person no more.
  SELECT project, user_key, user_id, anonymous_id
  FROM UNNEST(@dirty)
)
SELECT
  persons.project,
  persons.user_key,
  persons.user_id,
  persons.anonymous_id,
  ARRAY_AGG(device.anonymous_id IGNORE NULLS) AS devices
FROM persons
LEFT JOIN `tributary.identity_bindings` AS device
  ON
    device.project = persons.project
    AND device.user_id = persons.user_id
    -- As JSON, since NULL is a kind of login id like others, and since equality is what BigQuery joins fast by.
    AND TO_JSON_STRING(device.user_key) = TO_JSON_STRING(persons.user_key)
GROUP BY persons.project, persons.user_key, persons.user_id, persons.anonymous_id
LIMIT @most
