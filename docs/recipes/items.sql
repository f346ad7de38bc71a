-- What was looked at, by the category that each item has today.
-- @project STRING, @from_time TIMESTAMP, @to_time TIMESTAMP
SELECT
  COALESCE(JSON_VALUE(items.properties, '$.category'), 'unknown item') AS category,
  COUNT(*) AS views,
  COUNT(DISTINCT viewed.person) AS people
FROM events_by_person_between(@from_time, @to_time) AS viewed
LEFT JOIN items
  ON items.project = @project
  AND items.item_key = 'product'
  AND items.item_id = JSON_VALUE(viewed.properties, '$.item')
WHERE viewed.project = @project AND viewed.name = 'view_item'
GROUP BY category
ORDER BY views DESC, category
