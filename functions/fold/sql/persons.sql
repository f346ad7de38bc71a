stated AS (
  -- Whose each operation is: the user's that it names; else the user's that its device is bound to; else the device's.
  SELECT
    log.project,
    IF(log.user_id IS NULL, bound.user_key, log.user_key) AS user_key,
    COALESCE(log.user_id, bound.user_id) AS user_id,
    IF(log.user_id IS NULL AND bound.user_id IS NULL, log.anonymous_id, NULL) AS anonymous_id,
    log.event_id,
    log.dialect,
    log.kind,
    log.occurred_at,
    log.time_source,
    log.received_at,
    log.batch_id,
    log.batch_index,
    log.keys,
    log.properties
  FROM {operations} AS log
  LEFT JOIN `tributary.identity_bindings` AS bound
    ON
      bound.project = log.project
      AND bound.anonymous_id = IF(log.user_id IS NULL, log.anonymous_id, NULL)
  WHERE
    {counted}
    AND (log.user_id IS NOT NULL OR log.anonymous_id IS NOT NULL)
),
