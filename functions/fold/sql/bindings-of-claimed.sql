-- The bindings of some devices, and those of some users.
SELECT bound.project, bound.anonymous_id, bound.user_key, bound.user_id
FROM `tributary.identity_bindings` AS bound
JOIN UNNEST(@devices) AS device
  ON device.project = bound.project AND device.anonymous_id = bound.anonymous_id
UNION ALL
SELECT bound.project, bound.anonymous_id, bound.user_key, bound.user_id
FROM `tributary.identity_bindings` AS bound
JOIN UNNEST(@users) AS claimed
  ON
    claimed.project = bound.project
    AND claimed.user_id = bound.user_id
    AND TO_JSON_STRING(claimed.user_key) = TO_JSON_STRING(bound.user_key)
