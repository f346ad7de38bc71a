-- How many pairs some users are in, and when they were last claimed, by the first claims of these; and of each project, in
-- rows without a user as well, whether it has an alias of Analysys.
SELECT
  pairs.project,
  claimed.user_key,
  claimed.user_id,
  COUNT(*) AS found,
  LOGICAL_OR(pairs.dialect = 'analysys') AS has_analysys,
  UNIX_MICROS(MAX(pairs.occurred_at)) AS occurred_micros,
  UNIX_MICROS(MAX(pairs.received_at)) AS received_micros
FROM `tributary.identity_pairs` AS pairs
LEFT JOIN UNNEST(@users) AS claimed
  ON
    claimed.project = pairs.project
    AND claimed.user_id = pairs.user_id
    -- As JSON, since NULL is a kind of login id like others, and since equality is what BigQuery joins fast by.
    AND TO_JSON_STRING(claimed.user_key) = TO_JSON_STRING(pairs.user_key)
WHERE pairs.project IN UNNEST(@projects)
GROUP BY pairs.project, claimed.user_key, claimed.user_id
