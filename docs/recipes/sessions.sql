-- The sessions of each person: a pause of 30 minutes or more begins another one.
-- @project STRING, @from_time TIMESTAMP, @to_time TIMESTAMP
WITH paused AS (
  SELECT
    person,
    name,
    occurred_at,
    event_id,
    COALESCE(
      TIMESTAMP_DIFF(
        occurred_at,
        LAG(occurred_at) OVER (PARTITION BY person ORDER BY occurred_at, event_id),
        SECOND
      ) >= 1800,
      TRUE
    ) AS begins
  FROM events_by_person_between(@from_time, @to_time)
  WHERE project = @project AND person IS NOT NULL
),
numbered AS (
  SELECT
    *,
    COUNTIF(begins) OVER (
      PARTITION BY person
      ORDER BY occurred_at, event_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS session
  FROM paused
)
SELECT
  person,
  session,
  MIN(occurred_at) AS began_at,
  TIMESTAMP_DIFF(MAX(occurred_at), MIN(occurred_at), SECOND) AS seconds,
  COUNT(*) AS events,
  COUNTIF(name = 'purchase') AS purchases
FROM numbered
GROUP BY person, session
ORDER BY began_at, person
