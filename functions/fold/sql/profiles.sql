-- What is known of every person: a row per user and per device that is bound to none, folded from all aliases and profile
-- operations in the order in which they occurred, whatever the order in which they arrived. Debug 1 is left out.
-- Reads the whole of state_log for the projects that the outer filter names; the table persons has the same rows, ready,
-- some minutes behind.
WITH
-- include persons.sql
-- include fold.sql
SELECT project, user_key, user_id, anonymous_id, properties, first_seen_at, updated_at
FROM folded
