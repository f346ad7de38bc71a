-- Operations of persons that fold has not taken up: what was received after the last one that it has. A slower way into
-- state_log may have brought others, which fold finds by counting and this does not look for. Only the last days are read.
SELECT COUNT(*) AS waiting, MIN(received_at) AS oldest
FROM `tributary.state_log`
WHERE
  received_at >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 7 DAY)
  AND received_at > COALESCE((SELECT MAX(received_at) FROM `tributary.profile_operations`), TIMESTAMP_MICROS(0))
  AND kind != 'item_set'
  AND debug != 1
  AND COALESCE(user_id, anonymous_id) IS NOT NULL
