-- What is new in the changed slices: the operations there that folded_rows does not have, each row once. Of two rows in one place
-- of a batch that are of different persons both are taken, as the views take them.
SELECT arrived.*, @run AS run
FROM (
  SELECT
    *,
    MD5(
      TO_JSON_STRING(
        [
          @rebuild_id, event_id, batch_id, CAST(batch_index AS STRING), time_source, user_key, user_id, anonymous_id
        ]
      )
    ) AS row_hash
  FROM (
    -- include operations-of-log.sql
  )
) AS arrived
LEFT JOIN (
  SELECT received_at, row_hash
  FROM `tributary.folded_rows`
  WHERE received_at >= @from_time AND received_at < @to_time
) AS folded
  ON folded.received_at = arrived.received_at AND folded.row_hash = arrived.row_hash
WHERE folded.row_hash IS NULL
QUALIFY ROW_NUMBER() OVER (PARTITION BY arrived.received_at, arrived.row_hash ORDER BY arrived.event_id) = 1
