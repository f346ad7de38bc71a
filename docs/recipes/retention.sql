-- Of the people who first came on a day, how many came again so many days later.
-- @project STRING, @from_time TIMESTAMP, @to_time TIMESTAMP
WITH days AS (
  SELECT DISTINCT person, DATE(occurred_at) AS day
  FROM events_by_person_between(@from_time, @to_time)
  WHERE project = @project AND person IS NOT NULL
),
cohorts AS (
  SELECT *, MIN(day) OVER (PARTITION BY person) AS first_day
  FROM days
),
counted AS (
  SELECT first_day, DATE_DIFF(day, first_day, DAY) AS days_later, COUNT(*) AS people
  FROM cohorts
  GROUP BY first_day, days_later
)
SELECT
  first_day,
  days_later,
  people,
  ROUND(people / FIRST_VALUE(people) OVER (PARTITION BY first_day ORDER BY days_later), 3) AS share
FROM counted
ORDER BY first_day, days_later
