-- How many rows were received on each day before the recent window: a replay brings rows that were received long ago.
SELECT
  UNIX_MILLIS(TIMESTAMP_TRUNC(received_at, DAY)) AS from_millis,
  COUNT(*) AS found,
  MAX(UNIX_MICROS(received_at)) AS last_micros
FROM `tributary.state_log`
WHERE received_at < @to_time
GROUP BY from_millis
