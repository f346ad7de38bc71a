-- The pairs of identity_pairs with the rules of their projects, and who else claims the same device and the same user.
WITH rules AS (
  SELECT
    pairs.project,
    -- One policy for a project, so that a device has one binding whatever the dialects.
    COALESCE(
      MAX(NULLIF(given.policy, '')),
      IF(LOGICAL_OR(pairs.dialect = 'analysys'), 'one_to_one', 'devices_to_one_user')
    ) AS policy,
    COALESCE(MAX(given.claim_order), 'occurred_at') AS claim_order
  FROM `tributary.identity_pairs` AS pairs
  LEFT JOIN UNNEST(@policies) AS given ON given.project = pairs.project
  GROUP BY pairs.project
),
ruled AS (
  SELECT
    pairs.*,
    rules.policy,
    rules.claim_order,
    IF(rules.claim_order = 'received_at', pairs.received_at, pairs.occurred_at) AS claimed_at
  FROM `tributary.identity_pairs` AS pairs
  JOIN rules ON rules.project = pairs.project
)
SELECT
  *,
  ROW_NUMBER() OVER (
    PARTITION BY project, anonymous_id
    ORDER BY claimed_at, received_at, batch_id, batch_index, event_id
  ) AS place_at_device,
  COUNT(*) OVER (PARTITION BY project, anonymous_id) AS users_of_device,
  COUNT(*) OVER (PARTITION BY project, user_key, user_id) AS devices_of_user
FROM ruled
