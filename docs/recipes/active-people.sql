-- How many people came each day, beside the number of ids that they came with.
-- @project STRING, @from_time TIMESTAMP, @to_time TIMESTAMP
SELECT
  DATE(occurred_at) AS day,
  COUNT(DISTINCT person) AS people,
  COUNT(DISTINCT COALESCE(user_id, anonymous_id)) AS ids,
  COUNT(*) AS events
FROM events_by_person_between(@from_time, @to_time)
WHERE project = @project
GROUP BY day
ORDER BY day
