-- The whole of persons anew, in the order of its columns.
WITH
-- include persons.sql
-- include fold.sql
SELECT {bucket} AS bucket, project, user_key, user_id, anonymous_id, properties, first_seen_at, updated_at, keys, dialect
FROM folded
