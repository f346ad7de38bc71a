-- What was bought each day: orders, people, money, and money an order.
-- @project STRING, @from_time TIMESTAMP, @to_time TIMESTAMP
WITH orders AS (
  SELECT
    DATE(occurred_at) AS day,
    person,
    CAST(JSON_VALUE(properties, '$.total') AS NUMERIC) AS total
  FROM events_by_person_between(@from_time, @to_time)
  WHERE project = @project AND name = 'purchase'
)
SELECT
  day,
  COUNT(*) AS orders,
  COUNT(DISTINCT person) AS people,
  SUM(total) AS revenue,
  ROUND(AVG(CAST(total AS FLOAT64)), 2) AS an_order
FROM orders
GROUP BY day
ORDER BY day
