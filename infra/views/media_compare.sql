-- Each day, ISO week and month of each site and channel beside the one that it is compared with, metric by metric:
--   previous_day            the day before
--   same_weekday_last_week  seven days before
--   iso_week                Monday to Sunday, and the seven days before them; date is the Sunday
--   month                   the month, and the one before; date is its last day
--   year_by_date            the same date a year before; 28 February for 29 February
--   year_by_weekday         364 days before: the same weekday
-- Weeks and months are sums of their days, all of which must be there; their users and sessions are those that were read for
-- the whole week or month, never sums. percent is NULL where there is nothing to compare with, and where that is 0.
-- comparable: both sides are there and settled (see media_daily).
WITH daily AS (
  SELECT
    platform,
    key,
    date,
    DATE_ADD(DATE_TRUNC(date, ISOWEEK), INTERVAL 6 DAY) AS sunday,
    LAST_DAY(date) AS month_end,
    is_settled,
    figure.metric,
    figure.kind,
    figure.value
  FROM `tributary.media_daily`
  CROSS JOIN
    UNNEST(
      [
        STRUCT('views' AS metric, 'additive' AS kind, CAST(views AS FLOAT64) AS value),
        STRUCT('engaged_views' AS metric, 'additive' AS kind, CAST(engaged_views AS FLOAT64) AS value),
        STRUCT('engaged_seconds' AS metric, 'additive' AS kind, CAST(engaged_seconds AS FLOAT64) AS value),
        STRUCT('audience_gain' AS metric, 'additive' AS kind, CAST(audience_gain AS FLOAT64) AS value),
        STRUCT('events' AS metric, 'additive' AS kind, CAST(events AS FLOAT64) AS value),
        STRUCT('users' AS metric, 'estimate' AS kind, CAST(estimated_users AS FLOAT64) AS value),
        STRUCT('sessions' AS metric, 'estimate' AS kind, CAST(estimated_sessions AS FLOAT64) AS value),
        STRUCT('views_per_session' AS metric, 'ratio' AS kind, ratio_views_per_session AS value),
        STRUCT('average_session_seconds' AS metric, 'ratio' AS kind, ratio_average_session_seconds AS value)
      ]
    ) AS figure
  WHERE figure.value IS NOT NULL
),
read_whole AS (
  SELECT
    source AS platform,
    entity_key AS key,
    grain,
    date,
    MIN(ladder_day) >= 3 AS is_settled,
    MAX(total_users) AS users,
    MAX(sessions) AS sessions
  FROM (
    SELECT source, entity_key, grain, date, ladder_day, total_users, sessions
    FROM `tributary.site_users_weekly`
    UNION ALL
    SELECT source, entity_key, grain, date, ladder_day, total_users, sessions
    FROM `tributary.site_users_monthly`
  )
  GROUP BY source, entity_key, grain, date
  HAVING COUNT(*) = 1
),
periods AS (
  SELECT 'day' AS period, platform, key, date, metric, kind, value, is_settled
  FROM daily
  UNION ALL
  SELECT
    'iso_week',
    platform,
    key,
    sunday,
    metric,
    kind,
    SUM(value),
    LOGICAL_AND(is_settled)
  FROM daily
  WHERE kind = 'additive'
  GROUP BY platform, key, metric, kind, sunday
  HAVING COUNT(*) = 7
  UNION ALL
  SELECT
    'month',
    platform,
    key,
    month_end,
    metric,
    kind,
    SUM(value),
    LOGICAL_AND(is_settled)
  FROM daily
  WHERE kind = 'additive'
  GROUP BY platform, key, metric, kind, month_end
  HAVING COUNT(*) = EXTRACT(DAY FROM month_end)
  UNION ALL
  SELECT IF(grain = 'week', 'iso_week', 'month'), platform, key, date, 'users', 'estimate', CAST(users AS FLOAT64), is_settled
  FROM read_whole
  UNION ALL
  SELECT IF(grain = 'week', 'iso_week', 'month'), platform, key, date, 'sessions', 'estimate', CAST(sessions AS FLOAT64), is_settled
  FROM read_whole
),
wanted AS (
  SELECT periods.*, against.comparison, against.base_date
  FROM periods
  CROSS JOIN
    UNNEST(
      [
        STRUCT('day' AS of_period, 'previous_day' AS comparison, DATE_SUB(periods.date, INTERVAL 1 DAY) AS base_date),
        STRUCT('day' AS of_period, 'same_weekday_last_week' AS comparison, DATE_SUB(periods.date, INTERVAL 7 DAY) AS base_date),
        STRUCT('iso_week' AS of_period, 'iso_week' AS comparison, DATE_SUB(periods.date, INTERVAL 7 DAY) AS base_date),
        STRUCT('month' AS of_period, 'month' AS comparison, DATE_SUB(DATE_TRUNC(periods.date, MONTH), INTERVAL 1 DAY) AS base_date),
        STRUCT('day' AS of_period, 'year_by_date' AS comparison, DATE_SUB(periods.date, INTERVAL 1 YEAR) AS base_date),
        STRUCT('day' AS of_period, 'year_by_weekday' AS comparison, DATE_SUB(periods.date, INTERVAL 364 DAY) AS base_date)
      ]
    ) AS against
  WHERE against.of_period = periods.period
)
SELECT
  wanted.platform,
  wanted.key,
  wanted.comparison,
  wanted.metric,
  wanted.kind,
  wanted.date,
  wanted.base_date,
  wanted.value,
  base.value AS base,
  wanted.value - base.value AS change,
  100 * (wanted.value - base.value) / NULLIF(base.value, 0) AS percent,
  COALESCE(wanted.is_settled AND base.is_settled, FALSE) AS comparable
FROM wanted
LEFT JOIN periods AS base
  ON
    base.period = wanted.period
    AND base.platform = wanted.platform
    AND base.key = wanted.key
    AND base.metric = wanted.metric
    AND base.date = wanted.base_date
