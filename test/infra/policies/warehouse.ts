import { z } from 'zod';
import { amount, block, type Plan, type Policy, planned, text } from './plan.ts';

const tableShape = z.object({
  dataset_id: text,
  table_id: z.string(),
  schema: text,
  clustering: z.array(z.string()).nullish(),
  deletion_protection: z.boolean().nullish(),
  time_partitioning: block({ type: text, field: text, expiration_ms: amount }),
  range_partitioning: block({ field: text }),
  view: block({ query: text, use_legacy_sql: z.boolean().nullish() }),
});
const routineShape = z.object({ routine_id: z.string(), definition_body: text });
const columnsShape = z.array(z.object({ name: z.string(), type: z.string(), mode: z.string() }));

const tables = (plan: Plan) => planned(plan, 'google_bigquery_table', tableShape);
const stored = (plan: Plan) =>
  tables(plan)
    .filter(({ is }) => is.view.length === 0)
    .map(({ address, is }) => ({ address, is, columns: columnsShape.parse(JSON.parse(is.schema ?? '[]')) }));

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema */
const columnTypes = new Set(
  (
    'STRING BYTES INTEGER INT64 FLOAT FLOAT64 BOOLEAN BOOL TIMESTAMP DATE TIME DATETIME GEOGRAPHY NUMERIC BIGNUMERIC ' +
    'JSON RECORD STRUCT RANGE'
  ).split(' '),
);
const columnModes = new Set(['NULLABLE', 'REQUIRED', 'REPEATED']);
/** https://cloud.google.com/bigquery/docs/clustered-tables#cluster_column_types */
const clusteredTypes = new Set(
  'STRING INTEGER INT64 BOOLEAN BOOL TIMESTAMP DATE DATETIME NUMERIC BIGNUMERIC BYTES GEOGRAPHY'.split(' '),
);
const partitionTypes = new Set(['DAY', 'HOUR', 'MONTH', 'YEAR']);
const partitionedTypes = new Set(['TIMESTAMP', 'DATE', 'DATETIME']);

/** The queries of a plan: views, and table functions. */
function queries(plan: Plan): { address: string; sql: string }[] {
  return [
    ...tables(plan)
      .filter(({ is }) => is.view.length > 0)
      .map(({ address, is }) => ({ address, sql: is.view[0]?.query ?? '' })),
    ...planned(plan, 'google_bigquery_routine', routineShape).map(({ address, is }) => ({
      address,
      sql: is.definition_body ?? '',
    })),
  ];
}

export const warehousePolicies: readonly Policy[] = [
  {
    rule: 'columns have types and modes that BigQuery has',
    *broken(plan) {
      for (const { address, columns } of stored(plan)) {
        for (const { name, type, mode } of columns) {
          if (!columnTypes.has(type)) yield `${address}: ${name} is of the type ${type}`;
          if (!columnModes.has(mode)) yield `${address}: ${name} is ${mode}`;
        }
      }
    },
  },
  {
    rule: 'tables are clustered by at most four of their columns, of types that can be',
    *broken(plan) {
      for (const { address, is, columns } of stored(plan)) {
        const clustering = is.clustering ?? [];
        if (clustering.length > 4) yield `${address} is clustered by ${clustering.length} columns`;
        for (const name of clustering) {
          const column = columns.find((it) => it.name === name);
          if (column === undefined) yield `${address} is clustered by ${name}, and has no such column`;
          else if (!clusteredTypes.has(column.type))
            yield `${address} is clustered by ${name}, which is of the type ${column.type}`;
        }
      }
    },
  },
  {
    rule: 'tables are partitioned by one of their columns, of a type that can be',
    *broken(plan) {
      for (const { address, is, columns } of stored(plan)) {
        for (const { type, field } of is.time_partitioning) {
          const column = columns.find(({ name }) => name === field);
          if (!partitionTypes.has(type ?? '')) yield `${address} has partitions of ${type}`;
          if (!partitionedTypes.has(column?.type ?? ''))
            yield `${address} has partitions by ${field}, which is ${column?.type ?? 'no column'}`;
        }
        for (const { field } of is.range_partitioning) {
          const column = columns.find(({ name }) => name === field);
          if (column?.type !== 'INTEGER' && column?.type !== 'INT64')
            yield `${address} has ranges of ${field}, which is ${column?.type ?? 'no column'}`;
        }
      }
    },
  },
  {
    rule: 'tables cannot be deleted by Terraform, unless that is asked for',
    *broken(plan) {
      if (plan.variables.deletion_protection?.value === false) return;
      for (const { address, is } of stored(plan)) {
        if (is.deletion_protection !== true) yield `${address} may be deleted`;
      }
    },
  },
  {
    rule: 'views and table functions are GoogleSQL, name project and dataset, and read what there is',
    *broken(plan) {
      const project = String(plan.variables.project?.value);
      const [dataset = ''] = stored(plan).map(({ is }) => is.dataset_id ?? '');
      const known = new Set([
        ...tables(plan).map(({ is }) => is.table_id),
        ...planned(plan, 'google_bigquery_routine', routineShape).map(({ is }) => is.routine_id),
      ]);
      for (const { address, is } of tables(plan)) {
        if (is.view.some((it) => it.use_legacy_sql !== false)) yield `${address} is legacy SQL`;
      }
      for (const { address, sql } of queries(plan)) {
        for (const [name, inside = ''] of sql.replace(/--.*$/gm, '').matchAll(/`([^`]*\.[^`]*)`/g)) {
          const [owner, from, table = ''] = inside.split('.');
          if (owner !== project || from !== dataset || !known.has(table)) yield `${address} reads ${name}`;
        }
      }
    },
  },
];
