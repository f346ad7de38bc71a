/*
 * What the reports ask of the warehouse, over the dataset that it is asked of. Dates are parameters of type STRING, cast
 * once: a DATE parameter would be an object of the client.
 */

/** Of each entity, gate and date the last verdict, and every verdict of dates since `all_since`. */
export const readAvailability = `
SELECT
  entity_id, gate, CAST(date AS STRING) AS day, verdict, rule, TO_JSON_STRING(proof) AS proof, flags,
  UNIX_MICROS(not_before) AS not_before, UNIX_MICROS(probed_at) AS probed_at
FROM report_availability
WHERE source = @source AND date >= CAST(@since AS DATE)
QUALIFY
  date >= CAST(@all_since AS DATE)
  OR ROW_NUMBER() OVER (PARTITION BY date, source, entity_id, gate ORDER BY probed_at DESC, verdict) = 1
ORDER BY probed_at, entity_id, gate, day`;

/** The attempts that count: one is published only after its rows, so that they need not be counted here. */
export const readAttempts = `
SELECT
  attempt_id, report, entity_id, CAST(date AS STRING) AS day, seq, ladder_day, extra_day, report_hash, row_count, digest,
  rule, flags, time_zone
FROM report_pulls
WHERE
  source = @source AND entity_id IN UNNEST(@entity_ids)
  AND date BETWEEN CAST(@since AS DATE) AND CAST(@until AS DATE)
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY date, source, report, entity_id ORDER BY seq DESC, published_at, attempt_id) = 1
ORDER BY day, report, entity_id`;

/**
 * The attempts that count, of older dates those that may be due. Days are counted to the latest of all zones, so that what
 * is due in any zone is among them.
 */
export const readOpenAttempts = `
WITH counting AS (
  SELECT
    attempt_id, report, entity_id, date, seq, ladder_day, extra_day, report_hash, row_count, digest, rule, flags, time_zone
  FROM report_pulls
  WHERE source = @source AND date BETWEEN CAST(@since AS DATE) AND CAST(@until AS DATE)
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY date, source, report, entity_id ORDER BY seq DESC, published_at, attempt_id) = 1
)
SELECT
  attempt_id, report, entity_id, CAST(date AS STRING) AS day, seq, ladder_day, extra_day, report_hash, row_count, digest,
  rule, flags, time_zone
FROM counting
WHERE
  date >= CAST(@all_since AS DATE)
  OR (extra_day > ladder_day AND extra_day <= DATE_DIFF(CAST(@until AS DATE), date, DAY))
  OR EXISTS (
    SELECT 1 FROM UNNEST(@ladder) AS step
    WHERE step > ladder_day AND step <= DATE_DIFF(CAST(@until AS DATE), date, DAY)
  )
ORDER BY day, report, entity_id`;

/** How many attempts of each slice found something changed. */
export const readChanges = `
SELECT report, entity_id, CAST(date AS STRING) AS day, COUNT(DISTINCT attempt_id) AS attempts
FROM report_changes
WHERE source = @source AND date BETWEEN CAST(@since AS DATE) AND CAST(@until AS DATE)
GROUP BY report, entity_id, day`;

/** The rows of attempts, each once. */
export const readRows = `
SELECT
  attempt_id, TO_JSON_STRING(dimensions) AS dimensions, TO_JSON_STRING(metrics) AS metrics,
  COALESCE(is_other, FALSE) AS is_other
FROM report_rows
WHERE date IN (SELECT CAST(wanted AS DATE) FROM UNNEST(@dates) AS wanted) AND attempt_id IN UNNEST(@attempt_ids)
QUALIFY ROW_NUMBER() OVER (PARTITION BY attempt_id, row_index ORDER BY pulled_at) = 1
ORDER BY attempt_id, row_index`;

/** Ids that rows name in a dimension, for which `item` stands, and of which nothing young enough is known. */
export const readUndescribed = `
WITH named AS (
  SELECT JSON_VALUE(dimensions, '$.item') AS item_id, MAX(date) AS last_date
  FROM report_rows
  WHERE
    source = @source AND report = @report AND entity_id IN UNNEST(@entity_ids) AND date >= CAST(@since AS DATE)
  GROUP BY item_id
),
known AS (
  SELECT item_id, MAX(fetched_at) AS fetched_at
  FROM video_metadata
  WHERE source = @source AND fetched_at >= TIMESTAMP_MICROS(@fetched_since)
  GROUP BY item_id
)
SELECT named.item_id
FROM named
LEFT JOIN known ON known.item_id = named.item_id
WHERE named.item_id IS NOT NULL AND known.item_id IS NULL
ORDER BY named.last_date DESC, named.item_id
LIMIT @most`;
