operations AS (
  -- One row per operation, however often it arrived: the first copy. Where the time is that of receiving, the last copy,
  -- since a repeat may be a new statement.
  SELECT *
  FROM {stated}
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY event_id, {subject}
      ORDER BY
        time_source DESC,
        IF(time_source = 'sender', received_at, NULL),
        IF(time_source = 'sender', batch_id, NULL),
        IF(time_source = 'sender', batch_index, NULL),
        received_at DESC,
        batch_id DESC,
        batch_index DESC
    ) = 1
),
key_operations AS (
  -- One row for each key that an operation names, numbered in the order of all that was done to the subject, and one
  -- without a key for an operation that names none. Analysys compares keys without case.
  SELECT
    {subject},
    kind,
    dialect,
    occurred_at,
    key,
    IF(dialect = 'analysys', LOWER(key), key) AS folded_key,
    properties[key] AS value,
    SAFE_CAST(TO_JSON_STRING(properties[key]) AS NUMERIC) AS amount,
    ROW_NUMBER() OVER (
      PARTITION BY {subject}
      ORDER BY occurred_at, received_at, batch_id, batch_index, event_id, place
    ) AS position
  FROM operations
  LEFT JOIN UNNEST(IF(kind IN ('alias', 'profile_delete'), [], keys)) AS key WITH OFFSET AS place
),
effects AS (
  -- What each does to its key; NULL where it does nothing. Setting null unsets. Of increments only numbers count, of
  -- appends only lists, wherever they stand.
  SELECT
    {subject},
    key,
    folded_key,
    value,
    amount,
    position,
    CASE
      WHEN kind IN ('profile_set', 'item_set') AND JSON_TYPE(value) != 'null' THEN 'set'
      WHEN kind IN ('profile_set', 'item_set', 'profile_unset') THEN 'unset'
      WHEN kind = 'profile_set_once' AND JSON_TYPE(value) != 'null' THEN 'set_once'
      WHEN kind = 'profile_increment' AND amount IS NOT NULL THEN 'increment'
      WHEN kind = 'profile_append' AND JSON_TYPE(value) = 'array' THEN 'append'
    END AS effect,
    MIN(occurred_at) OVER subject AS first_seen_at,
    MAX(occurred_at) OVER subject AS updated_at,
    -- Under which the result may stand for all that led to it: where keys are compared in one way, and where amounts are so
    -- small that no number of them comes near to what NUMERIC holds.
    IF(
      MIN(dialect) OVER subject = MAX(dialect) OVER subject
        AND COALESCE(MAX(ABS(amount)) OVER subject < 1000000000000000, TRUE),
      dialect,
      NULL
    ) AS dialect
  FROM key_operations
  -- A deletion takes all that was before it, of every key.
  QUALIFY position >= MAX(IF(kind = 'profile_delete', position, 0)) OVER subject
  WINDOW subject AS (PARTITION BY {subject})
),
epochs AS (
  -- The last set or unset of a key takes what was before it. Sums stay within what NUMERIC holds, or are not made.
  SELECT
    *,
    SUM(ABS(CAST(amount AS FLOAT64))) OVER same_key < 9e28 AS is_summable
  FROM effects
  QUALIFY position >= MAX(IF(effect IN ('set', 'unset'), position, 0)) OVER same_key
  WINDOW same_key AS (PARTITION BY {subject}, folded_key)
),
bases AS (
  -- The first that gives a value is the base of all that comes after it.
  SELECT
    {subject},
    MIN(first_seen_at) AS first_seen_at,
    MAX(updated_at) AS updated_at,
    MIN(dialect) AS dialect,
    MAX(position) AS position,
    ANY_VALUE(key HAVING MAX position) AS key,
    ANY_VALUE(
      IF(effect != 'unset', STRUCT(effect, value, amount), NULL)
      HAVING MIN IF(effect != 'unset', position, NULL)
    ) AS base,
    COUNTIF(effect = 'increment') AS increments,
    SUM(IF(effect = 'increment' AND is_summable, amount, NULL)) AS increment,
    ARRAY_CONCAT_AGG(IF(effect = 'append', JSON_QUERY_ARRAY(value), NULL) ORDER BY position) AS appended
  FROM epochs
  GROUP BY {subject}, folded_key
),
sums AS (
  SELECT
    *,
    CAST(
      IF(base.effect = 'increment', IF(increments > 1, increment, NULL), base.amount + increment) AS STRING
    ) AS total
  FROM bases
),
key_values AS (
  -- A number takes the increments after it, a list the appends; what does not fit the base is ignored.
  SELECT
    {subject},
    first_seen_at,
    updated_at,
    dialect,
    position,
    key,
    -- JSON holds fifteen digits of a sum as they are.
    COALESCE(LENGTH(REPLACE(REPLACE(total, '-', ''), '.', '')) <= 15, TRUE) AS is_whole,
    COALESCE(
      PARSE_JSON(total, wide_number_mode => 'round'),
      IF(
        JSON_TYPE(base.value) = 'array' AND appended IS NOT NULL,
        TO_JSON(IF(base.effect = 'append', appended, ARRAY_CONCAT(JSON_QUERY_ARRAY(base.value), appended))),
        NULL
      ),
      base.value
    ) AS value
  FROM sums
),
folded AS (
  SELECT
    {subject},
    JSON_OBJECT(
      COALESCE(ARRAY_AGG(IF(value IS NULL, NULL, key) IGNORE NULLS ORDER BY key, position DESC), []),
      COALESCE(ARRAY_AGG(value IGNORE NULLS ORDER BY key, position DESC), [])
    ) AS properties,
    MIN(first_seen_at) AS first_seen_at,
    MAX(updated_at) AS updated_at,
    COALESCE(ARRAY_AGG(IF(value IS NULL, NULL, key) IGNORE NULLS ORDER BY key, position DESC), []) AS keys,
    IF(LOGICAL_AND(is_whole), MIN(dialect), NULL) AS dialect
  FROM key_values
  GROUP BY {subject}
)
