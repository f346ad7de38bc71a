-- The claims in the changed slices of state_log: aliases that name a device and a user, and the time that decides which
-- of two claims is first, by the setting identity.order of their project.
-- Copies of a row stay in: each claims what its first does, and only the first claim of a pair counts.
SELECT
  log.project,
  log.anonymous_id,
  log.user_key,
  log.user_id,
  log.dialect,
  log.event_id,
  log.occurred_at,
  log.received_at,
  log.batch_id,
  log.batch_index,
  IF(given.claim_order = 'received_at', log.received_at, log.occurred_at) AS claimed_at
FROM `tributary.state_log` AS log
LEFT JOIN UNNEST(@policies) AS given ON given.project = log.project
LEFT JOIN UNNEST(@voided) AS voided ON voided.project = log.project AND voided.event_id = log.event_id
WHERE
  log.received_at >= @from_time
  AND log.received_at < @to_time
  AND EXISTS (
    SELECT 1
    FROM UNNEST(@slices) AS slice
    WHERE log.received_at >= slice.from_time AND log.received_at < slice.to_time
  )
  AND log.kind = 'alias'
  AND log.debug != 1
  AND log.anonymous_id IS NOT NULL
  AND log.user_id IS NOT NULL
  AND voided.event_id IS NULL
