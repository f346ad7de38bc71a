-- Access that was changed otherwise than by permissions, the last sightings first.
SELECT CAST(seen_at AS STRING) AS seen_at, resource, user_email, before_roles, after_roles
FROM `tributary.access_drift`
ORDER BY seen_at DESC, resource, user_email
LIMIT 1000
