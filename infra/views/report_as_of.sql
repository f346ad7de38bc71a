-- arguments: instant TIMESTAMP
-- The rows of all reports as report_current had them at an instant.
WITH attempts AS (
  SELECT *
  FROM `tributary.report_pulls`
  WHERE published_at <= instant
  QUALIFY ROW_NUMBER() OVER (PARTITION BY date, attempt_id ORDER BY published_at) = 1
),
stored AS (
  SELECT *
  FROM `tributary.report_rows`
  WHERE pulled_at <= instant
  QUALIFY ROW_NUMBER() OVER (PARTITION BY date, attempt_id, row_index ORDER BY pulled_at) = 1
),
counted AS (
  SELECT date, attempt_id, COUNT(*) AS row_count
  FROM stored
  GROUP BY date, attempt_id
),
slices AS (
  SELECT attempts.*
  FROM attempts
  LEFT JOIN counted ON counted.date = attempts.date AND counted.attempt_id = attempts.attempt_id
  WHERE attempts.row_count = COALESCE(counted.row_count, 0)
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY attempts.date, attempts.source, attempts.report, attempts.entity_id
      ORDER BY attempts.seq DESC, attempts.published_at, attempts.attempt_id
    ) = 1
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
FROM slices
JOIN stored ON stored.date = slices.date AND stored.attempt_id = slices.attempt_id
