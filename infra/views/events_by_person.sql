-- The tracked events, one row per event_id, each with the person that it belongs to: the user whose id it carries; without
-- one the user that its device is bound to as of now (identity_bindings), whenever the event occurred; else the device.
-- person names that person in one text, unique within the project: count people by it. It is NULL where an event has no id.
-- Reads the whole of event_log whatever the outer filter; for a bounded read use events_by_person_between.
WITH tracks AS (
  SELECT * EXCEPT (keys)
  FROM `tributary.event_log`
  WHERE kind = 'track' AND debug != 1
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
