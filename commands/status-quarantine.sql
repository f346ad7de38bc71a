-- What is open in quarantine, by reason and project, most first.
SELECT
  reason,
  project,
  COUNT(*) AS open,
  COUNTIF(replayable) AS replayable,
  MIN(received_at) AS oldest
FROM `tributary.quarantine_open`
GROUP BY reason, project
ORDER BY open DESC, reason, project
