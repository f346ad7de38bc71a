-- The attempt that counts of each slice (source, report, entity, date): of those whose rows are all there the highest seq,
-- of equals the one that was published first. A slice without rows is a true zero and has its row here only.
-- One row of media_daily, report_current and the views of reports comes from one row here.
WITH attempts AS (
  SELECT *
  FROM `tributary.report_pulls`
  QUALIFY ROW_NUMBER() OVER (PARTITION BY date, attempt_id ORDER BY published_at) = 1
),
stored AS (
  SELECT date, attempt_id, COUNT(DISTINCT row_index) AS row_count
  FROM `tributary.report_rows`
  GROUP BY date, attempt_id
)
SELECT attempts.*
FROM attempts
LEFT JOIN stored ON stored.date = attempts.date AND stored.attempt_id = attempts.attempt_id
WHERE attempts.row_count = COALESCE(stored.row_count, 0)
QUALIFY
  ROW_NUMBER() OVER (
    PARTITION BY attempts.date, attempts.source, attempts.report, attempts.entity_id
    ORDER BY attempts.seq DESC, attempts.published_at, attempts.attempt_id
  ) = 1
