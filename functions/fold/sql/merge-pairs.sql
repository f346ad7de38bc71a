-- Brings new claims into identity_pairs. The first claim of a pair stays whatever the order in which they come, and one that
-- comes again changes nothing.
MERGE INTO `tributary.identity_pairs` AS pairs
USING (
  WITH
  arrived AS (
    -- include claims.sql
  ),
  -- With what is known of the same pairs.
  claims AS (
    SELECT * FROM arrived
    UNION ALL
    SELECT
      known.project,
      known.anonymous_id,
      known.user_key,
      known.user_id,
      known.dialect,
      known.event_id,
      known.occurred_at,
      known.received_at,
      known.batch_id,
      known.batch_index,
      IF(given.claim_order = 'received_at', known.received_at, known.occurred_at) AS claimed_at
    FROM `tributary.identity_pairs` AS known
    LEFT JOIN UNNEST(@policies) AS given ON given.project = known.project
    JOIN (SELECT DISTINCT project, anonymous_id, user_key, user_id FROM arrived) AS pair
      ON
        known.project = pair.project
        AND known.anonymous_id = pair.anonymous_id
        AND known.user_id = pair.user_id
        AND TO_JSON_STRING(known.user_key) = TO_JSON_STRING(pair.user_key)
  )
  -- include first-claims.sql
) AS first
ON
  pairs.project = first.project
  AND pairs.anonymous_id = first.anonymous_id
  AND pairs.user_id = first.user_id
  -- As JSON, since NULL is a kind of login id like others, and since equality is what BigQuery joins fast by.
  AND TO_JSON_STRING(pairs.user_key) = TO_JSON_STRING(first.user_key)
WHEN MATCHED
  AND (
    pairs.dialect != first.dialect
    OR pairs.event_id != first.event_id
    OR pairs.occurred_at != first.occurred_at
    OR pairs.received_at != first.received_at
    OR pairs.batch_id != first.batch_id
    OR pairs.batch_index != first.batch_index
  )
  THEN UPDATE SET
    dialect = first.dialect,
    event_id = first.event_id,
    occurred_at = first.occurred_at,
    received_at = first.received_at,
    batch_id = first.batch_id,
    batch_index = first.batch_index
WHEN NOT MATCHED THEN
  INSERT (
    project, anonymous_id, user_key, user_id, dialect, event_id, occurred_at, received_at, batch_id, batch_index,
    bucket
  )
  VALUES (
    first.project, first.anonymous_id, first.user_key, first.user_id, first.dialect, first.event_id,
    first.occurred_at, first.received_at, first.batch_id, first.batch_index, first.bucket
  )
