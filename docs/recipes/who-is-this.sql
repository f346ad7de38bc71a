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
  persons.user_key,
  persons.user_id,
  persons.anonymous_id,
  users.devices,
  persons.properties,
  persons.first_seen_at,
  persons.updated_at
FROM persons
LEFT JOIN users
  ON users.user_id = persons.user_id AND users.user_key IS NOT DISTINCT FROM persons.user_key
WHERE
  persons.project = @project
  AND (persons.user_id = @id OR persons.anonymous_id = @id OR users.has_device)
ORDER BY user_key, user_id
