-- Who has this id: the person, the devices that are bound to it, and what is known of it.
-- @project STRING, @id STRING: a user id or an anonymous id
WITH users AS (
  SELECT
    user_key,
    user_id,
    ARRAY_AGG(anonymous_id ORDER BY bound_at, anonymous_id) AS devices,
    LOGICAL_OR(anonymous_id = @id) AS has_device
  FROM identity_bindings
  WHERE project = @project
  GROUP BY user_key, user_id
)
SELECT
  profiles.user_key,
  profiles.user_id,
  profiles.anonymous_id,
  users.devices,
  profiles.properties,
  profiles.first_seen_at,
  profiles.updated_at
FROM profiles
LEFT JOIN users
  ON users.user_id = profiles.user_id AND users.user_key IS NOT DISTINCT FROM profiles.user_key
WHERE
  profiles.project = @project
  AND (profiles.user_id = @id OR profiles.anonymous_id = @id OR users.has_device)
ORDER BY user_key, user_id
