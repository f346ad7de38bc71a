-- What is known of every item: a row per kind of item and id, folded from all item_set operations in the order in which they
-- occurred, whatever the order in which they arrived. Debug 1 is left out.
-- Reads the whole of state_log for the projects that the outer filter names.
WITH
stated AS (
  SELECT
    project,
    name AS item_key,
    item_id,
    event_id,
    dialect,
    kind,
    occurred_at,
    time_source,
    received_at,
    batch_id,
    batch_index,
    keys,
    properties
  FROM `tributary.state_log`
  WHERE debug != 1 AND kind = 'item_set'
),
-- include fold.sql
SELECT project, item_key, item_id, properties, first_seen_at, updated_at
FROM folded
