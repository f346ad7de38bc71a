-- Makes the rows of the touched persons what their operations say today; a person without operations has no row. Some are
-- folded anew, from all of their operations. The others are carried on: what persons says of them stands for all that was
-- folded, as a setting of each key, and what came in after that is added.
MERGE `tributary.persons` AS kept
USING (
  WITH
  -- Persons are compared as texts, in which NULLs are equal.
  refolded AS (
    SELECT {subject}, TO_JSON_STRING([{subject}]) AS person
    FROM UNNEST(@persons)
    GROUP BY {subject}
  ),
  carried AS (
    -- As they were when they were chosen, or not at all.
    SELECT
      given.project,
      given.user_key,
      given.user_id,
      given.anonymous_id,
      given.person,
      given.dialect,
      given.events,
      before.properties,
      before.keys,
      before.first_seen_at,
      before.updated_at
    FROM (SELECT *, TO_JSON_STRING([{subject}]) AS person FROM UNNEST(@carried)) AS given
    LEFT JOIN (
      SELECT
        TO_JSON_STRING([{subject}]) AS person,
        properties,
        keys,
        first_seen_at,
        updated_at
      FROM `tributary.persons`
      WHERE bucket IN UNNEST(@carried_buckets)
    ) AS before
      ON before.person = given.person
    WHERE given.updated_at IS NOT DISTINCT FROM UNIX_MICROS(before.updated_at)
  ),
  carried_events AS (
    SELECT person, dialect, updated_at, event_id
    FROM carried, UNNEST(SPLIT(events, ',')) AS event_id
  ),
  touched AS (
    SELECT {subject}, person
    FROM refolded
    UNION ALL
    SELECT {subject}, person
    FROM carried
  ),
  known AS (
    SELECT
      project, user_key, user_id, anonymous_id, event_id, dialect, kind, occurred_at, time_source, received_at,
      batch_id, batch_index, keys, properties
    FROM `tributary.profile_operations`
    WHERE bucket IN UNNEST(@buckets)
    UNION ALL
    SELECT
      project, user_key, user_id, anonymous_id, event_id, dialect, kind, occurred_at, time_source, received_at,
      batch_id, batch_index, keys, properties
    FROM `tributary.arrived_operations`
    WHERE run = @run
  ),
  -- include persons.sql
  stated_of_touched AS (
    SELECT *
    FROM stated
    WHERE TO_JSON_STRING([{subject}]) IN (SELECT person FROM refolded)
    UNION ALL
    -- Nothing that came in since they were chosen, and nothing that they could not be chosen with.
    SELECT stated.*
    FROM stated
    JOIN carried_events AS arrived
      ON
        arrived.person = TO_JSON_STRING([stated.project, stated.user_key, stated.user_id, stated.anonymous_id])
        AND arrived.event_id = stated.event_id
    WHERE
      stated.time_source = 'sender'
      AND stated.dialect = arrived.dialect
      AND (arrived.updated_at IS NULL OR stated.occurred_at > arrived.updated_at)
    UNION ALL
    SELECT
      {subject}, '' AS event_id, dialect, 'profile_set' AS kind, updated_at AS occurred_at, 'sender' AS time_source,
      updated_at AS received_at, '' AS batch_id, 0 AS batch_index, keys, properties
    FROM carried
    WHERE updated_at IS NOT NULL
    UNION ALL
    -- It does nothing but tell since when they are known.
    SELECT
      {subject}, 'first' AS event_id, dialect, 'alias' AS kind, first_seen_at AS occurred_at, 'sender' AS time_source,
      first_seen_at AS received_at, '' AS batch_id, 0 AS batch_index, keys, properties
    FROM carried
    WHERE updated_at IS NOT NULL
  ),
  -- include fold.sql
  SELECT
    {bucket} AS bucket,
    touched.project,
    touched.user_key,
    touched.user_id,
    touched.anonymous_id,
    folded.properties,
    folded.first_seen_at,
    folded.updated_at,
    folded.keys,
    folded.dialect
  FROM touched
  LEFT JOIN folded
    ON TO_JSON_STRING([folded.project, folded.user_key, folded.user_id, folded.anonymous_id]) = touched.person
) AS fresh
ON
  kept.bucket IN UNNEST(@person_buckets)
  AND kept.bucket = fresh.bucket
  AND kept.project = fresh.project
  AND kept.user_key IS NOT DISTINCT FROM fresh.user_key
  AND kept.user_id IS NOT DISTINCT FROM fresh.user_id
  AND kept.anonymous_id IS NOT DISTINCT FROM fresh.anonymous_id
WHEN MATCHED AND fresh.properties IS NULL THEN DELETE
WHEN MATCHED
  THEN
    UPDATE
    SET
      properties = fresh.properties,
      first_seen_at = fresh.first_seen_at,
      updated_at = fresh.updated_at,
      keys = fresh.keys,
      dialect = fresh.dialect
WHEN NOT MATCHED BY TARGET AND fresh.properties IS NOT NULL
  THEN INSERT ROW
