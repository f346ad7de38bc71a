-- arguments: of_project STRING, of_person STRING
-- What became of the profile of one person, named by a user id or by the anonymous id of a device: a row for each operation
-- on each key, in order, with the value that the key has after it (NULL: none), from changed_at up to until.
-- Who is whom is told as of now: the operations of a device that is bound are its user's, also those from before.
-- ignored tells why an operation changed nothing:
--   null_value          a set_once of null
--   has_value           a set_once of what has a value
--   not_a_number        an increment by what is no number, or by 1e29 or more
--   not_an_array        an append of what is no array
--   value_not_a_number  an increment of a value that is no number, or is 1e29 or more
--   value_not_an_array  an append to a value that is no array
--   sum_too_large       with it the sum would be beyond NUMERIC: no increment counts
-- Reads the whole of state_log for the project.
WITH placed AS (
  -- Whose each operation is: the user's that it names; else the user's that its device is bound to; else the device's.
  SELECT
    log.*,
    IF(log.user_id IS NULL, bindings.user_key, log.user_key) AS person_user_key,
    COALESCE(log.user_id, bindings.user_id) AS person_user_id,
    IF(log.user_id IS NULL AND bindings.user_id IS NULL, log.anonymous_id, NULL) AS person_anonymous_id
  FROM `tributary.state_log` AS log
  LEFT JOIN `tributary.identity_bindings` AS bindings
    ON log.user_id IS NULL
    AND bindings.project = log.project
    AND bindings.anonymous_id = log.anonymous_id
  WHERE log.project = of_project AND log.debug != 1 AND STARTS_WITH(log.kind, 'profile_')
),
asked AS (
  SELECT
    placed.*,
    CASE
      WHEN person_user_id IS NULL THEN CONCAT('device:', person_anonymous_id)
      WHEN person_user_key IS NULL THEN CONCAT('user:', person_user_id)
      ELSE CONCAT('user ', TO_JSON_STRING(person_user_key), ':', person_user_id)
    END AS person
  FROM placed
  -- The one binding that there is of a device, if that is what of_person names.
  LEFT JOIN `tributary.identity_bindings` AS bound
    ON bound.project = placed.project
    AND bound.anonymous_id = of_person
    AND bound.user_id = placed.person_user_id
    AND bound.user_key IS NOT DISTINCT FROM placed.person_user_key
  WHERE COALESCE(person_user_id, person_anonymous_id) = of_person OR bound.user_id IS NOT NULL
),
operations AS (
  -- Of the copies of an operation the first; where the time is that of receiving, the last.
  SELECT *
  FROM asked
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY event_id, person
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
named AS (
  -- A row for each key that an operation names. Analysys compares keys without case: same_key is what is compared.
  SELECT
    operations.* EXCEPT (keys, properties),
    key,
    place_in_keys,
    IF(dialect = 'analysys', LOWER(key), key) AS same_key,
    properties[key] AS given
  FROM operations, UNNEST(keys) AS key WITH OFFSET AS place_in_keys
  WHERE kind != 'profile_delete'
),
deletions AS (
  -- A deletion is an operation on every key that the person ever had.
  SELECT
    operations.* EXCEPT (keys, properties),
    CAST(NULL AS STRING) AS key,
    0 AS place_in_keys,
    had.same_key,
    CAST(NULL AS JSON) AS given
  FROM operations
  JOIN (SELECT DISTINCT person, same_key FROM named) AS had ON had.person = operations.person
  WHERE operations.kind = 'profile_delete'
),
ordered AS (
  SELECT
    *,
    SAFE_CAST(TO_JSON_STRING(given) AS NUMERIC) AS amount,
    ROW_NUMBER() OVER (
      PARTITION BY person, same_key
      ORDER BY occurred_at, received_at, batch_id, batch_index, event_id, place_in_keys
    ) AS place
  FROM (SELECT * FROM named UNION ALL SELECT * FROM deletions)
),
epochs AS (
  -- What sets, unsets or deletes begins an epoch of the key: nothing before it counts. Setting null unsets.
  SELECT
    *,
    CASE
      WHEN kind IN ('profile_set', 'profile_set_once') THEN JSON_TYPE(given) != 'null'
      WHEN kind = 'profile_increment' THEN amount IS NOT NULL
      WHEN kind = 'profile_append' THEN JSON_TYPE(given) = 'array'
      ELSE FALSE
    END AS gives_value,
    COUNTIF(kind IN ('profile_set', 'profile_unset', 'profile_delete')) OVER (
      PARTITION BY person, same_key
      ORDER BY place
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS epoch
  FROM ordered
),
based AS (
  -- The first that gives a value is the base of all that comes after it in the epoch.
  SELECT
    *,
    MIN(IF(gives_value, place, NULL)) OVER so_far AS base_place,
    FIRST_VALUE(IF(gives_value, given, NULL) IGNORE NULLS) OVER so_far AS base,
    FIRST_VALUE(IF(gives_value, JSON_TYPE(given), NULL) IGNORE NULLS) OVER so_far AS base_type,
    COALESCE(SUM(ABS(CAST(amount AS FLOAT64))) OVER so_far, 0) < 9e28 AS is_summable
  FROM epochs
  WINDOW
    so_far AS (
      PARTITION BY person, same_key, epoch
      ORDER BY place
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
),
judged AS (
  SELECT
    *,
    SAFE_CAST(TO_JSON_STRING(base) AS NUMERIC) AS base_amount,
    CASE
      WHEN kind = 'profile_set_once' AND NOT gives_value THEN 'null_value'
      WHEN kind = 'profile_increment' AND NOT gives_value THEN 'not_a_number'
      WHEN kind = 'profile_append' AND NOT gives_value THEN 'not_an_array'
      WHEN place = base_place THEN NULL
      WHEN kind = 'profile_set_once' THEN 'has_value'
      WHEN kind = 'profile_increment' AND SAFE_CAST(TO_JSON_STRING(base) AS NUMERIC) IS NULL THEN 'value_not_a_number'
      WHEN kind = 'profile_increment' AND NOT is_summable THEN 'sum_too_large'
      WHEN kind = 'profile_append' AND base_type != 'array' THEN 'value_not_an_array'
    END AS ignored
  FROM based
),
folded AS (
  -- What was added and appended to the base so far.
  SELECT
    *,
    SUM(IF(kind = 'profile_increment' AND place != base_place AND ignored IS NULL, amount, NULL)) OVER so_far AS added,
    COUNTIF(kind = 'profile_append' AND place != base_place AND ignored IS NULL) OVER so_far AS appends,
    ARRAY_AGG(IF(kind = 'profile_append' AND place != base_place AND ignored IS NULL, given, NULL)) OVER so_far
      AS appended
  FROM judged
  WINDOW
    so_far AS (
      PARTITION BY person, same_key, epoch
      ORDER BY place
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
),
valued AS (
  SELECT
    *,
    CASE
      WHEN is_summable AND added IS NOT NULL
        THEN PARSE_JSON(CAST(base_amount + added AS STRING), wide_number_mode => 'round')
      WHEN appends > 0
        THEN
          TO_JSON(
            ARRAY(
              SELECT element
              FROM
                UNNEST(ARRAY_CONCAT([base], appended)) AS list WITH OFFSET AS place_of_list,
                UNNEST(JSON_QUERY_ARRAY(list)) AS element WITH OFFSET AS place_in_list
              ORDER BY place_of_list, place_in_list
            )
          )
      ELSE base
    END AS value
  FROM folded
),
spelled AS (
  -- A deletion names no key: it is told of those that had a value, as they were last spelled.
  SELECT
    * EXCEPT (key),
    COALESCE(key, LAG(key) OVER same_key_before) AS key,
    LAG(value) OVER same_key_before AS value_before
  FROM valued
  WINDOW same_key_before AS (PARTITION BY person, same_key ORDER BY place)
)
SELECT
  person,
  person_user_key,
  person_user_id,
  person_anonymous_id,
  key,
  value,
  occurred_at AS changed_at,
  LEAD(occurred_at) OVER (PARTITION BY person, same_key ORDER BY place) AS until,
  kind,
  ignored,
  received_at,
  batch_id,
  batch_index,
  event_id
FROM spelled
WHERE kind != 'profile_delete' OR value_before IS NOT NULL
