-- What is in quarantine and has been accepted by no replay, with what the last replay that tried said.
-- An event that was accepted is in event_log: that a replay with older settings refuses it later opens nothing.
WITH kept AS (
  SELECT *
  FROM `tributary.quarantine`
  QUALIFY ROW_NUMBER() OVER (PARTITION BY quarantine_id ORDER BY received_at, batch_id) = 1
),
last_outcome AS (
  SELECT quarantine_id, replay_id, decided_at, outcome, reason, detail
  FROM `tributary.quarantine_outcomes`
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY quarantine_id
      ORDER BY IF(outcome = 'accepted', 0, 1), decided_at DESC, replay_id DESC
    ) = 1
)
SELECT
  kept.*,
  last_outcome.decided_at AS last_tried_at,
  last_outcome.reason AS last_reason,
  last_outcome.detail AS last_detail
FROM kept
LEFT JOIN last_outcome ON last_outcome.quarantine_id = kept.quarantine_id
WHERE last_outcome.outcome IS NULL OR last_outcome.outcome != 'accepted'
