-- Bindings that differ between two snapshots of an account that follow each other, and that no request of permissions
-- changed in between: what was done by hand in Google Analytics, or by somebody else. NULL roles mean no binding.
-- Snapshots take minutes, so a change of permissions within the hour after the later one was begun explains it too.
WITH snapshots AS (
  SELECT
    account, snapshot_id, taken_at,
    LAG(snapshot_id) OVER (PARTITION BY account ORDER BY taken_at, snapshot_id) AS earlier_id,
    LAG(taken_at) OVER (PARTITION BY account ORDER BY taken_at, snapshot_id) AS earlier_at
  FROM (
    SELECT account, snapshot_id, taken_at
    FROM `tributary.ga_accounts`
    QUALIFY ROW_NUMBER() OVER (PARTITION BY account, snapshot_id ORDER BY taken_at) = 1
  )
),
sides AS (
  SELECT s.account, s.snapshot_id, s.earlier_at, s.taken_at, b.resource, b.user_email,
    CAST(NULL AS STRING) AS roles_before, ARRAY_TO_STRING(b.roles, ' ') AS roles_after
  FROM snapshots AS s
  JOIN `tributary.access_bindings` AS b ON b.account = s.account AND b.snapshot_id = s.snapshot_id
  WHERE s.earlier_id IS NOT NULL
  UNION ALL
  SELECT s.account, s.snapshot_id, s.earlier_at, s.taken_at, b.resource, b.user_email,
    ARRAY_TO_STRING(b.roles, ' ') AS roles_before, CAST(NULL AS STRING) AS roles_after
  FROM snapshots AS s
  JOIN `tributary.access_bindings` AS b ON b.account = s.account AND b.snapshot_id = s.earlier_id
),
changes AS (
  SELECT account, snapshot_id, earlier_at, taken_at, resource, user_email,
    MAX(roles_before) AS before_roles, MAX(roles_after) AS after_roles
  FROM sides
  GROUP BY account, snapshot_id, earlier_at, taken_at, resource, user_email
  HAVING IFNULL(MAX(roles_before), '-') != IFNULL(MAX(roles_after), '-')
),
ours AS (
  SELECT resource, user_email, occurred_at, ARRAY_TO_STRING(after_roles, ' ') AS after_roles
  FROM `tributary.access_audit`
  WHERE phase IN ('applied', 'undone') AND user_email IS NOT NULL
)
SELECT
  c.account,
  c.resource,
  c.user_email,
  c.before_roles,
  c.after_roles,
  c.earlier_at AS after_snapshot_at,
  c.taken_at AS seen_at
FROM changes AS c
LEFT JOIN ours AS o
  ON o.resource = c.resource
  AND o.user_email = c.user_email
  AND o.occurred_at >= c.earlier_at
  AND o.occurred_at < TIMESTAMP_ADD(c.taken_at, INTERVAL 1 HOUR)
  AND o.after_roles = IFNULL(c.after_roles, '')
WHERE o.resource IS NULL
