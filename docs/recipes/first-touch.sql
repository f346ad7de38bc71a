-- What the people brought in who came from each source, by the first source that is known of each.
-- @project STRING, @from_time TIMESTAMP, @to_time TIMESTAMP
WITH touched AS (
  SELECT
    person,
    IF(name = 'purchase', CAST(JSON_VALUE(properties, '$.total') AS NUMERIC), NULL) AS total,
    FIRST_VALUE(JSON_VALUE(context, '$."$utm_source"') IGNORE NULLS) OVER (
      PARTITION BY person
      ORDER BY occurred_at, event_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS source
  FROM events_by_person_between(@from_time, @to_time)
  WHERE project = @project AND person IS NOT NULL
)
SELECT
  COALESCE(source, 'none known') AS source,
  COUNT(DISTINCT person) AS people,
  COUNT(DISTINCT IF(total IS NULL, NULL, person)) AS buyers,
  COALESCE(SUM(total), 0) AS revenue
FROM touched
GROUP BY source
ORDER BY revenue DESC, source
