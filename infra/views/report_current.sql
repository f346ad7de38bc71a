-- The rows of all reports as they were last read, each slice (source, report, entity, date) once and whole. What a report
-- answered before is in report_as_of.
WITH stored AS (
  SELECT *
  FROM `tributary.report_rows`
  QUALIFY ROW_NUMBER() OVER (PARTITION BY date, attempt_id, row_index ORDER BY pulled_at) = 1
)
SELECT
  slices.source,
  slices.report,
  slices.entity_id,
  slices.entity_key,
  slices.date,
  slices.grain,
  slices.time_zone,
  stored.row_index,
  stored.dimensions,
  stored.metrics,
  stored.is_other,
  slices.flags,
  slices.attempt_id,
  slices.seq,
  slices.ladder_day,
  slices.report_hash,
  slices.published_at
FROM `tributary.report_slices` AS slices
JOIN stored ON stored.date = slices.date AND stored.attempt_id = slices.attempt_id
