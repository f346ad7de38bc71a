-- How each day of each property and channel was last judged, and by which rule; gate tells days from groups of metrics that
-- are late on their own.
SELECT *
FROM `tributary.report_availability`
QUALIFY ROW_NUMBER() OVER (PARTITION BY date, source, entity_id, gate ORDER BY probed_at DESC, verdict) = 1
