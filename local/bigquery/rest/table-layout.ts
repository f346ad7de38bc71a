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
