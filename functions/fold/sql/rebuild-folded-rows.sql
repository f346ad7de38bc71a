-- folded_rows anew, for the recent window: rows that come in late are seldom later. To be asked before rebuild-operations.sql,
-- so that none is here that is not there.
SELECT
  received_at,
  MD5(
    TO_JSON_STRING(
      [
        @rebuild_id, event_id, batch_id, CAST(batch_index AS STRING), time_source, user_key, user_id, anonymous_id
      ]
    )
  ) AS row_hash
FROM `tributary.state_log`
WHERE received_at >= @from_time
