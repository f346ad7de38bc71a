/**
 * The queries of a replay, over the dataset that they are asked of. The line that ends in CONDITION stands for what the
 * caller asks for, already known to stay between its parentheses.
 */

/**
 * The rows that a condition selects, after those of the slices before: keys and sizes only, since BigQuery reads the
 * bodies of the whole view otherwise. The order is total, so that rows which are refused again do not come again.
 */
export const pickRows = `
SELECT
  quarantine_id,
  batch_id,
  UNIX_MICROS(received_at) AS received_micros,
  body_bytes,
  last_tried_at IS NOT NULL AS is_tried,
  last_reason,
  last_detail
FROM quarantine_open
WHERE
  replayable
  AND received_at <= TIMESTAMP_MICROS(@until)
  AND (
    received_at > TIMESTAMP_MICROS(@received_at)
    OR (received_at = TIMESTAMP_MICROS(@received_at)
      AND (batch_id > @batch_id OR (batch_id = @batch_id AND quarantine_id > @quarantine_id)))
  )
  AND (
    TRUE -- CONDITION
  )
ORDER BY received_at, batch_id, quarantine_id
LIMIT @limit`;

/** How many rows there are to replay for each reason, and how many of which only the beginning was kept. */
export const countRows = `
SELECT reason, COUNTIF(replayable) AS found, COUNTIF(NOT replayable) AS not_replayable
FROM quarantine_open
WHERE
  received_at <= TIMESTAMP_MICROS(@until)
  AND (
    TRUE -- CONDITION
  )
GROUP BY reason
ORDER BY found DESC, reason`;

/**
 * The picked rows as they were kept, and every other event of their requests: which of identical events is the first,
 * the second and so on is a matter of all of them. Straight from the table, so that only days with picked rows are read.
 */
export const readRows = `
SELECT
  quarantine_id,
  project,
  dialect,
  batch_id,
  request_hash,
  method,
  path,
  query,
  headers,
  unit,
  body,
  place,
  UNIX_MICROS(received_at) AS received_micros,
  reason,
  schema_version
FROM quarantine
WHERE
  received_at BETWEEN TIMESTAMP_MICROS(@first) AND TIMESTAMP_MICROS(@last)
  AND replayable
  AND (quarantine_id IN UNNEST(@quarantine_ids) OR (unit = 'event' AND batch_id IN UNNEST(@batch_ids)))
QUALIFY ROW_NUMBER() OVER (PARTITION BY quarantine_id ORDER BY received_at, batch_id) = 1
ORDER BY received_at, batch_id, place, quarantine_id`;
