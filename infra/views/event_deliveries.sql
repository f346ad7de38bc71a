-- How often each event arrived, and what that means:
--   once           one row
--   redelivered    one request, stored more than once (our own at-least-once delivery)
--   resent         the sender sent the same request again
--   possible_twin  the same event in different requests: a copy, or a second event that cannot be told from the first
-- times counts the different occurred_at: more than one only where the sender gives no time.
SELECT
  project,
  dialect,
  kind,
  event_id,
  ANY_VALUE(name) AS name,
  COUNT(*) AS copies,
  COUNT(DISTINCT batch_id) AS deliveries,
  COUNT(DISTINCT request_hash) AS requests,
  COUNT(DISTINCT occurred_at) AS times,
  MIN(occurred_at) AS occurred_at,
  MIN(received_at) AS first_received_at,
  MAX(received_at) AS last_received_at,
  CASE
    WHEN COUNT(DISTINCT request_hash) > 1 THEN 'possible_twin'
    WHEN COUNT(DISTINCT batch_id) > 1 THEN 'resent'
    WHEN COUNT(*) > 1 THEN 'redelivered'
    ELSE 'once'
  END AS verdict
FROM `tributary.event_log`
GROUP BY project, dialect, kind, event_id
