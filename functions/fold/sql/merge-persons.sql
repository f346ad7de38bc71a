-- Makes the rows of the touched persons what their operations say today; a person without operations has no row.
MERGE `tributary.persons` AS kept
USING (
  WITH
  touched AS (
    -- Persons are compared as texts, in which NULLs are equal.
    SELECT {subject}, TO_JSON_STRING([{subject}]) AS person
    FROM UNNEST(@persons)
    GROUP BY {subject}
  ),
  -- include persons.sql
  stated_of_touched AS (
    SELECT *
    FROM stated
    WHERE TO_JSON_STRING([{subject}]) IN (SELECT person FROM touched)
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
    folded.updated_at
  FROM touched
  LEFT JOIN folded
    ON TO_JSON_STRING([folded.project, folded.user_key, folded.user_id, folded.anonymous_id]) = touched.person
) AS fresh
ON
  kept.bucket IN UNNEST(@buckets)
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
      updated_at = fresh.updated_at
WHEN NOT MATCHED BY TARGET AND fresh.properties IS NOT NULL
  THEN INSERT ROW
