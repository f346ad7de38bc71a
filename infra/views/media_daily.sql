-- A day of each site and channel on both platforms, in the zone that the platform dates it by. Sums of a site are over its
-- properties; estimates (users, sessions) and ratios are there only where it has one, as they must never be added up.
-- is_settled: every property was read 72 hours after the day's end or later, all of those the site had by then, and none by
-- force. views are page views of a site; of a channel since 2025-03-31 they count every start of a Short, and engaged_views
-- keep the meaning from before.
WITH entities AS (
  SELECT
    source AS platform,
    entity_key AS key,
    entity_id,
    date,
    time_zone,
    ladder_day,
    flags,
    screen_page_views AS views,
    CAST(NULL AS INT64) AS engaged_views,
    user_engagement_duration AS engaged_seconds,
    CAST(NULL AS INT64) AS audience_gain,
    event_count AS events,
    total_users AS users,
    sessions,
    screen_page_views_per_session AS views_per_session,
    average_session_duration
  FROM `tributary.site_summary`
  UNION ALL
  SELECT
    source,
    entity_key,
    entity_id,
    date,
    time_zone,
    ladder_day,
    flags,
    views,
    engaged_views,
    estimated_minutes_watched * 60,
    subscribers_gained - subscribers_lost,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL
  FROM `tributary.channel_summary`
),
begun AS (
  SELECT platform, key, entity_id, MIN(date) AS first_date
  FROM entities
  GROUP BY platform, key, entity_id
),
days AS (
  SELECT
    platform,
    key,
    date,
    MIN(time_zone) AS time_zone,
    SUM(views) AS views,
    SUM(engaged_views) AS engaged_views,
    SUM(engaged_seconds) AS engaged_seconds,
    SUM(audience_gain) AS audience_gain,
    SUM(events) AS events,
    MAX(users) AS users,
    MAX(sessions) AS sessions,
    MAX(views_per_session) AS views_per_session,
    MAX(average_session_duration) AS average_session_duration,
    COUNT(*) AS entities,
    MIN(ladder_day) AS ladder_day,
    LOGICAL_OR('forced' IN UNNEST(flags)) AS is_forced,
    STRING_AGG(DISTINCT NULLIF(ARRAY_TO_STRING(flags, ','), ''), ',') AS flags
  FROM entities
  GROUP BY platform, key, date
),
expected AS (
  SELECT days.platform, days.key, days.date, COUNT(*) AS entities
  FROM days
  JOIN begun ON begun.platform = days.platform AND begun.key = days.key AND begun.first_date <= days.date
  GROUP BY days.platform, days.key, days.date
)
SELECT
  days.platform,
  days.key,
  days.date,
  days.time_zone,
  days.views,
  days.engaged_views,
  days.engaged_seconds,
  days.audience_gain,
  days.events,
  IF(expected.entities = 1, days.users, NULL) AS estimated_users,
  IF(expected.entities = 1, days.sessions, NULL) AS estimated_sessions,
  IF(expected.entities = 1, days.views_per_session, NULL) AS ratio_views_per_session,
  IF(expected.entities = 1, days.average_session_duration, NULL) AS ratio_average_session_seconds,
  days.entities,
  expected.entities AS expected_entities,
  days.ladder_day >= 3
  AND days.entities = expected.entities
  AND NOT days.is_forced AS is_settled,
  days.flags
FROM days
JOIN expected ON expected.platform = days.platform AND expected.key = days.key AND expected.date = days.date
