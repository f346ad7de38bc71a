-- Claims: aliases that name a device and a user, and the time that decides which of two is first, by the setting
-- identity.order of their project.
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
FROM {operations} AS log
LEFT JOIN UNNEST(@policies) AS given ON given.project = log.project
LEFT JOIN UNNEST(@voided) AS voided ON voided.project = log.project AND voided.event_id = log.event_id
WHERE
  {counted}
  AND log.kind = 'alias'
  AND log.anonymous_id IS NOT NULL
  AND log.user_id IS NOT NULL
  AND voided.event_id IS NULL
