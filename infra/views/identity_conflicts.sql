-- Why a device is not somebody's: each pair of a device and a user that an alias claims and that is not bound, with whoever
-- was first. One row per pair, by its first alias.
--   device_is_bound   another user had claimed the device before
--   user_is_bound     the user had claimed another device before, and has one only (policy one_to_one)
--   both_are_bound    both
--   not_decided_yet   the alias came after the last run of fold
-- of_device_ tells of the user that the device is bound to, of_user_ of the device that the user is bound to where a user has
-- one only. To undo an alias name its event_id in the settings: identity.voided. Aliases that are voided show nowhere here.
WITH
-- By which rules fold decided, so that who was first is judged here as there.
rules AS (
  SELECT project, MAX(policy) AS policy, MAX(claim_order) AS claim_order
  FROM `tributary.identity_bindings`
  GROUP BY project
),
-- Texts that are in the order of the claims of their project.
claims AS (
  SELECT
    pairs.*,
    rules.policy,
    CONCAT(
      FORMAT_TIMESTAMP('%F %H:%M:%E6S ', IF(rules.claim_order = 'received_at', pairs.received_at, pairs.occurred_at)),
      FORMAT_TIMESTAMP('%F %H:%M:%E6S ', pairs.received_at),
      pairs.batch_id,
      LPAD(CAST(pairs.batch_index AS STRING), 12, ' '),
      pairs.event_id
    ) AS place
  FROM `tributary.identity_pairs` AS pairs
  LEFT JOIN rules ON rules.project = pairs.project
),
winners AS (
  SELECT claims.*
  FROM claims
  JOIN `tributary.identity_bindings` AS bound
    ON
      bound.project = claims.project
      AND bound.anonymous_id = claims.anonymous_id
      AND bound.user_id = claims.user_id
      AND TO_JSON_STRING(bound.user_key) = TO_JSON_STRING(claims.user_key)
)
SELECT
  claims.project,
  claims.anonymous_id,
  claims.user_key,
  claims.user_id,
  claims.event_id,
  claims.occurred_at,
  claims.received_at,
  CASE
    WHEN of_device.place < claims.place AND of_user.place < claims.place THEN 'both_are_bound'
    WHEN of_device.place < claims.place THEN 'device_is_bound'
    WHEN of_user.place < claims.place THEN 'user_is_bound'
    ELSE 'not_decided_yet'
  END AS reason,
  of_device.user_key AS of_device_user_key,
  of_device.user_id AS of_device_user_id,
  of_device.event_id AS of_device_event_id,
  of_user.anonymous_id AS of_user_anonymous_id,
  of_user.event_id AS of_user_event_id
FROM claims
LEFT JOIN winners AS of_device
  ON of_device.project = claims.project AND of_device.anonymous_id = claims.anonymous_id
LEFT JOIN winners AS of_user
  ON
    of_user.policy = 'one_to_one'
    AND of_user.project = claims.project
    AND of_user.user_id = claims.user_id
    AND TO_JSON_STRING(of_user.user_key) = TO_JSON_STRING(claims.user_key)
WHERE
  of_device.user_id IS NULL
  OR of_device.user_id != claims.user_id
  OR of_device.user_key IS DISTINCT FROM claims.user_key
