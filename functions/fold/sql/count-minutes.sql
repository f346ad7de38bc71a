-- How many rows were received in each minute of the recent window: a minute with more than before has something new.
SELECT
  UNIX_MILLIS(TIMESTAMP_TRUNC(received_at, MINUTE)) AS from_millis,
  COUNT(*) AS found,
  MAX(UNIX_MICROS(received_at)) AS last_micros
FROM `tributary.state_log`
WHERE received_at >= @from_time
GROUP BY from_millis
