-- arguments: from_time TIMESTAMP, to_time TIMESTAMP
-- What events_by_person shows, from from_time up to, not including, to_time.
-- Filters before it deduplicates, so that a query reads the partitions of that time and no others, and the bindings.
WITH tracks AS (
  SELECT * EXCEPT (keys)
  FROM `tributary.event_log`
  WHERE occurred_at >= from_time AND occurred_at < to_time AND kind = 'track' AND debug != 1
  -- The ids of two projects' events differ; with the project here a filter by it comes before the window, as blocks are by it.
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY project, occurred_at, event_id ORDER BY received_at, batch_id, batch_index) = 1
),
placed AS (
  SELECT
    tracks.*,
    IF(tracks.user_id IS NULL, bindings.user_key, tracks.user_key) AS person_user_key,
    COALESCE(tracks.user_id, bindings.user_id) AS person_user_id,
    IF(COALESCE(tracks.user_id, bindings.user_id) IS NULL, tracks.anonymous_id, NULL) AS person_anonymous_id
  FROM tracks
  LEFT JOIN `tributary.identity_bindings` AS bindings
    ON tracks.user_id IS NULL
    AND bindings.project = tracks.project
    AND bindings.anonymous_id = tracks.anonymous_id
)
SELECT
  *,
  -- A key is written as JSON, so that no key and id look like another's.
  CASE
    WHEN person_user_id IS NULL THEN CONCAT('device:', person_anonymous_id)
    WHEN person_user_key IS NULL THEN CONCAT('user:', person_user_id)
    ELSE CONCAT('user ', TO_JSON_STRING(person_user_key), ':', person_user_id)
  END AS person
FROM placed
