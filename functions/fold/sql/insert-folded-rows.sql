-- Says that what the tick found new is folded: as many rows as it found, or another tick has taken its place.
INSERT INTO `tributary.folded_rows` (received_at, row_hash)
SELECT received_at, row_hash
FROM `tributary.arrived_operations`
WHERE run = @run
