-- Who can see and do what, by account or property and user, as of the last whole snapshot of each account.
-- access: direct, inherited (a property's, by the binding of its account) or shadowed (a binding of the property that gives no
-- more than that of its account). role is what holds, of both; NULL where only roles that are not known are held.
-- Access by an organisation or a user group is not among Google's access bindings.
WITH snapshots AS (
  SELECT account, snapshot_id, taken_at, display_name
  FROM `tributary.ga_accounts`
  QUALIFY ROW_NUMBER() OVER (PARTITION BY account ORDER BY taken_at DESC, snapshot_id DESC) = 1
),
bindings AS (
  SELECT b.account, b.resource, b.user_email, b.role_rank, b.no_cost_data, b.no_revenue_data, s.taken_at
  FROM `tributary.access_bindings` AS b
  JOIN snapshots AS s ON s.account = b.account AND s.snapshot_id = b.snapshot_id
  QUALIFY ROW_NUMBER() OVER (PARTITION BY b.resource, b.user_email ORDER BY b.binding) = 1
),
properties AS (
  SELECT p.account, p.property, p.display_name
  FROM `tributary.ga_properties` AS p
  JOIN snapshots AS s ON s.account = p.account AND s.snapshot_id = p.snapshot_id
  WHERE p.delete_time IS NULL
  QUALIFY ROW_NUMBER() OVER (PARTITION BY p.property ORDER BY p.update_time DESC) = 1
),
held AS (
  SELECT account, resource, user_email, taken_at, role_rank AS direct_rank, CAST(NULL AS INT64) AS inherited_rank,
    no_cost_data, no_revenue_data, 0 AS inherited_limits
  FROM bindings
  UNION ALL
  SELECT b.account, p.property AS resource, b.user_email, b.taken_at, CAST(NULL AS INT64) AS direct_rank,
    b.role_rank AS inherited_rank, b.no_cost_data, b.no_revenue_data,
    IF(b.no_cost_data, 1, 0) + IF(b.no_revenue_data, 1, 0) AS inherited_limits
  FROM bindings AS b
  JOIN properties AS p ON p.account = b.account
  WHERE b.resource = b.account
),
summed AS (
  SELECT account, resource, user_email, MAX(taken_at) AS taken_at,
    MAX(direct_rank) AS direct_rank, MAX(inherited_rank) AS inherited_rank,
    MAX(IF(no_cost_data, 1, 0)) = 1 AS no_cost_data, MAX(IF(no_revenue_data, 1, 0)) = 1 AS no_revenue_data,
    MAX(IF(no_cost_data, 1, 0)) + MAX(IF(no_revenue_data, 1, 0)) > SUM(inherited_limits) AS limits_more
  FROM held
  GROUP BY account, resource, user_email
)
SELECT
  s.account,
  s.resource,
  IFNULL(p.display_name, a.display_name) AS display_name,
  s.user_email,
  CASE
    WHEN s.direct_rank IS NULL THEN 'inherited'
    WHEN s.inherited_rank IS NULL OR s.direct_rank > s.inherited_rank OR s.limits_more THEN 'direct'
    ELSE 'shadowed'
  END AS access,
  CASE GREATEST(IFNULL(s.direct_rank, 0), IFNULL(s.inherited_rank, 0))
    WHEN 4 THEN 'admin' WHEN 3 THEN 'editor' WHEN 2 THEN 'analyst' WHEN 1 THEN 'viewer'
  END AS role,
  CASE s.direct_rank WHEN 4 THEN 'admin' WHEN 3 THEN 'editor' WHEN 2 THEN 'analyst' WHEN 1 THEN 'viewer' END AS direct_role,
  CASE s.inherited_rank WHEN 4 THEN 'admin' WHEN 3 THEN 'editor' WHEN 2 THEN 'analyst' WHEN 1 THEN 'viewer' END
    AS inherited_role,
  s.no_cost_data,
  s.no_revenue_data,
  s.taken_at
FROM summed AS s
LEFT JOIN properties AS p ON p.property = s.resource
LEFT JOIN snapshots AS a ON a.account = s.resource
