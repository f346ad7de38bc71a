-- Of claims, the first of each pair of a device and a user.
SELECT
  project,
  anonymous_id,
  user_key,
  user_id,
  -- One alias of Analysys makes its rules the default of the project, be it the first of its pair or not.
  IF(
    COUNTIF(dialect = 'analysys') OVER (PARTITION BY project, anonymous_id, user_key, user_id) > 0,
    'analysys',
    dialect
  ) AS dialect,
  event_id,
  occurred_at,
  received_at,
  batch_id,
  batch_index,
  -- Of the device, as bucket.ts has it.
  MOD(CAST(CONCAT('0x', SUBSTR(TO_HEX(MD5(CONCAT(project, '\n', anonymous_id))), 1, 8)) AS INT64), 4000) AS bucket
FROM {claims}
QUALIFY
  ROW_NUMBER() OVER (
    PARTITION BY project, anonymous_id, user_key, user_id
    ORDER BY claimed_at, received_at, batch_id, batch_index, event_id
  ) = 1
