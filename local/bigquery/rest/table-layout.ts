import type { TableEntry } from '../catalog.ts';
import { invalid } from '../errors.ts';
import type { Field } from '../sql/types.ts';
import { recordOf, refuseOthers, wholeNumber } from './api.ts';

/** "Up to four clustering columns": clustered tables, limitations. */
const MAX_CLUSTERING_FIELDS = 4;

/** Reads timePartitioning: by day over a column, the one kind that is kept here. */
export function readPartitioning(value: unknown, fields: readonly Field[]): TableEntry['timePartitioning'] {
  if (value === undefined || value === null) return undefined;
  const given = recordOf(value, 'timePartitioning');
  refuseOthers(given, ['type', 'field', 'expirationMs', 'requirePartitionFilter'], 'timePartitioning');
  if (given.requirePartitionFilter === true) {
    throw invalid('requirePartitionFilter is not supported by the local BigQuery.');
  }
  if (given.type !== 'DAY') {
    throw invalid(
      `Time partitioning of type ${String(given.type)} is not supported by the local BigQuery; only DAY is.`,
    );
  }
  if (typeof given.field !== 'string') {
    throw invalid('Ingestion-time partitioning is not supported by the local BigQuery; name a field.');
  }
  const name = given.field.toLowerCase();
  const field = fields.find((candidate) => candidate.name.toLowerCase() === name);
  if (field === undefined)
    throw invalid(`The field specified for partitioning cannot be found in the schema: ${given.field}`);
  if (!['TIMESTAMP', 'DATE', 'DATETIME'].includes(field.type) || field.mode === 'REPEATED') {
    throw invalid(
      `The field specified for time partitioning can only be of type TIMESTAMP, DATE or DATETIME. The type found is: ${field.type}.`,
    );
  }
  const expirationMs = wholeNumber(given.expirationMs, 'timePartitioning.expirationMs');
  return { type: 'DAY', field: field.name, ...(expirationMs ? { expirationMs: String(expirationMs) } : {}) };
}

/** "A partitioned table can have up to 10,000 partitions": quotas, partitioned tables. */
const MAX_RANGES = 10_000n;

/** Reads rangePartitioning: ranges of a column of integers. */
export function readRangePartitioning(
  value: unknown,
  fields: readonly Field[],
): TableEntry['rangePartitioning'] {
  if (value === undefined || value === null) return undefined;
  const given = recordOf(value, 'rangePartitioning');
  refuseOthers(given, ['field', 'range'], 'rangePartitioning');
  const name = String(given.field ?? '').toLowerCase();
  const field = fields.find((candidate) => candidate.name.toLowerCase() === name);
  if (field === undefined) {
    throw invalid(
      `The field specified for partitioning cannot be found in the schema: ${String(given.field)}`,
    );
  }
  if (field.type !== 'INTEGER' || field.mode === 'REPEATED') {
    throw invalid(
      `The field specified for range partitioning can only be of type INTEGER. The type found is: ${field.type}.`,
    );
  }
  const range = recordOf(given.range, 'rangePartitioning.range');
  refuseOthers(range, ['start', 'end', 'interval'], 'rangePartitioning.range');
  const [start, end, interval] = ['start', 'end', 'interval'].map((part) => {
    const text = String(range[part] ?? '');
    if (!/^-?\d{1,18}$/.test(text))
      throw invalid(`Invalid value at 'rangePartitioning.range.${part}': ${text}`);
    return BigInt(text);
  }) as [bigint, bigint, bigint];
  if (interval <= 0n || end <= start || (end - start + interval - 1n) / interval > MAX_RANGES) {
    throw invalid(
      `Invalid range partitioning: from ${start} to ${end} by ${interval} is not 1 to ${MAX_RANGES} ranges.`,
    );
  }
  return { field: field.name, range: { start: `${start}`, end: `${end}`, interval: `${interval}` } };
}

/** Refuses clustering by fields that are missing or cannot be clustered by. */
export function checkClustering(entry: TableEntry): void {
  if (entry.properties.clustering === undefined) return;
  const { fields } = recordOf(entry.properties.clustering, 'clustering');
  if (!Array.isArray(fields) || fields.length === 0 || fields.length > MAX_CLUSTERING_FIELDS) {
    throw invalid(`Clustering takes 1 to ${MAX_CLUSTERING_FIELDS} fields.`);
  }
  for (const name of fields) {
    const field = entry.fields.find(
      (candidate) => candidate.name.toLowerCase() === String(name).toLowerCase(),
    );
    if (field === undefined)
      throw invalid(`The field specified for clustering cannot be found in the schema: ${String(name)}`);
    if (field.mode === 'REPEATED' || ['RECORD', 'JSON', 'FLOAT', 'BYTES', 'TIME'].includes(field.type)) {
      throw invalid(
        `Clustering is not supported on the field ${field.name} of type ${field.mode === 'REPEATED' ? 'ARRAY' : field.type}.`,
      );
    }
  }
}
