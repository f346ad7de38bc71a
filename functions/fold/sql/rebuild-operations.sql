-- profile_operations anew, each row of state_log once.
-- include operations-of-log.sql
QUALIFY
  ROW_NUMBER() OVER (
    PARTITION BY
      log.event_id, log.received_at, log.batch_id, log.batch_index, log.time_source, log.user_key, log.user_id,
      log.anonymous_id
    ORDER BY log.received_at
  ) = 1
