-- How many people saw an item, how many of them then put one into the cart, and how many of those then bought, within a week
-- of seeing it.
-- @project STRING, @from_time TIMESTAMP, @to_time TIMESTAMP
WITH steps AS (
  SELECT person, name, occurred_at
  FROM events_by_person_between(@from_time, @to_time)
  WHERE project = @project AND name IN ('view_item', 'add_to_cart', 'purchase') AND person IS NOT NULL
),
viewed AS (
  SELECT *, MIN(IF(name = 'view_item', occurred_at, NULL)) OVER (PARTITION BY person) AS viewed_at
  FROM steps
),
added AS (
  SELECT
    *,
    MIN(IF(name = 'add_to_cart' AND occurred_at >= viewed_at, occurred_at, NULL)) OVER (PARTITION BY person)
      AS added_at
  FROM viewed
  WHERE occurred_at < TIMESTAMP_ADD(viewed_at, INTERVAL 7 DAY)
),
people AS (
  SELECT
    person,
    MIN(added_at) AS added_at,
    MIN(IF(name = 'purchase' AND occurred_at >= added_at, occurred_at, NULL)) AS bought_at
  FROM added
  GROUP BY person
)
SELECT
  COUNT(*) AS viewed,
  COUNT(added_at) AS added,
  COUNT(bought_at) AS bought,
  ROUND(SAFE_DIVIDE(COUNT(bought_at), COUNT(*)), 3) AS share
FROM people
