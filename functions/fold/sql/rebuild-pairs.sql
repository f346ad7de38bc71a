-- identity_pairs anew.
WITH claims AS (
  -- include claims.sql
)
-- include first-claims.sql
