-- The profile that a person had at a time, by what is known of it today.
-- @project STRING, @person STRING: a user id or an anonymous id, @at TIMESTAMP
SELECT person, key, value, changed_at
FROM profile_history(@project, @person)
WHERE changed_at < @at AND (until IS NULL OR until >= @at) AND value IS NOT NULL
ORDER BY person, key
