-- What published attempts found changed since the attempt that counted before them, metric by metric: once per attempt.
-- Of attempts of one slice with the same seq only the one that counts shows.
SELECT changes.*, pulls.seq, pulls.entity_key
FROM `tributary.report_restatements` AS changes
JOIN (
  SELECT date, attempt_id, entity_key, seq
  FROM `tributary.report_pulls`
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY date, source, report, entity_id, seq ORDER BY published_at, attempt_id) = 1
) AS pulls
  ON pulls.date = changes.date AND pulls.attempt_id = changes.attempt_id
QUALIFY ROW_NUMBER() OVER (PARTITION BY changes.date, changes.attempt_id, changes.metric ORDER BY changes.detected_at) = 1
