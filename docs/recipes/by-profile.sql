-- What people did, by the level that their profile has now.
-- @project STRING, @from_time TIMESTAMP, @to_time TIMESTAMP
SELECT
  COALESCE(JSON_VALUE(persons.properties, '$.level'), 'none') AS level,
  COUNT(DISTINCT done.person) AS people,
  COUNTIF(done.name = 'purchase') AS purchases
FROM events_by_person_between(@from_time, @to_time) AS done
-- A person is a user, or a device that is nobody's: never one that has the id of the other.
LEFT JOIN persons
  ON persons.project = @project
  AND COALESCE(persons.user_id, persons.anonymous_id) = COALESCE(done.person_user_id, done.person_anonymous_id)
  AND (persons.user_id IS NULL) = (done.person_user_id IS NULL)
  AND persons.user_key IS NOT DISTINCT FROM done.person_user_key
WHERE done.project = @project
GROUP BY level
ORDER BY purchases DESC, level
