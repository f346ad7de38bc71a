import type { DuckDBConnection } from '@duckdb/node-api';
import { type CatalogStore, type Change, displayTable, type TableEntry } from './catalog.ts';
import { duplicate, invalid, invalidQuery, notFound, notImplemented } from './errors.ts';
import { runChange } from './run-change.ts';
import type { TableReference, TranslatedQuery } from './sql/index.ts';
import { duckdbType, type Field, typeOfField } from './sql/types.ts';
import { createStatement } from './table-schema.ts';

/** Where a query job puts its result: `destinationTable` and the dispositions of JobConfigurationQuery. */
export interface Destination {
  table: TableReference;
  write: 'WRITE_EMPTY' | 'WRITE_APPEND' | 'WRITE_TRUNCATE' | 'WRITE_TRUNCATE_DATA';
  create: 'CREATE_IF_NEEDED' | 'CREATE_NEVER';
}

/**
 * What stores the result of a query in its destination: a change of the catalogue with the rows in its transaction, so
 * that it happens as a whole or not at all. To be decided under the write lock. Throws what BigQuery says of a
 * destination that does not fit, as far as it is known; more is refused by name.
 */
export function storeInDestination(
  query: TranslatedQuery,
  { table, write, create }: Destination,
  catalog: CatalogStore,
): Change {
  catalog.dataset(table);
  const before = catalog.find('table', [table.projectId, table.datasetId, table.tableId]);
  if (before === undefined) {
    if (create === 'CREATE_NEVER') throw notFound(`Not found: Table ${displayTable(table)}`);
    const entry = newTable(query, table, catalog);
    return { put: [entry], ddl: [createStatement(entry)], run: insertInto(query, entry) };
  }
  if (before.kind !== 'table')
    throw invalid(`${displayTable(table)} is not allowed for this operation because it is currently a VIEW.`);
  switch (write) {
    case 'WRITE_EMPTY':
      return {
        async run(connection) {
          const found = await connection.runAndReadAll(`SELECT 1 FROM ${before.duckdbName} LIMIT 1`);
          if (found.currentRowCount > 0) throw duplicate(`Already Exists: Table ${displayTable(table)}`);
          await insertInto(query, before)(connection);
        },
      };
    case 'WRITE_APPEND':
      return { run: insertInto(query, before) };
    case 'WRITE_TRUNCATE_DATA':
      return { run: insertInto(query, before, { insteadOfAll: true }) };
    case 'WRITE_TRUNCATE': {
      // It takes the schema of the result, without modes and descriptions; what it does to a layout is not documented.
      if (before.timePartitioning ?? before.rangePartitioning ?? before.properties.clustering) {
        throw notImplemented(
          'WRITE_TRUNCATE over a partitioned or clustered table, unlike WRITE_TRUNCATE_DATA, which keeps schema and layout,',
        );
      }
      const after: TableEntry = {
        ...before,
        fields: fieldsOf(query),
        duckdbName: catalog.newDuckdbName(table.tableId),
        ...catalog.newStamp(before),
      };
      return {
        put: [after],
        ddl: [createStatement(after)],
        async run(connection) {
          await insertInto(query, after)(connection);
          await connection.run(`DROP TABLE ${before.duckdbName}`);
        },
      };
    }
  }
}

function newTable(query: TranslatedQuery, reference: TableReference, catalog: CatalogStore): TableEntry {
  return {
    kind: 'table',
    reference,
    properties: {},
    fields: fieldsOf(query),
    duckdbName: catalog.newDuckdbName(reference.tableId),
    query: '',
    ...catalog.newStamp(),
  };
}

function fieldsOf({ schema }: TranslatedQuery): Field[] {
  const anonymous = schema.find(({ name }) => /^f\d+_$/.test(name));
  if (anonymous === undefined) return schema;
  throw invalidQuery(
    `A destination table with the column ${anonymous.name}, which has no alias, is not supported by the local BigQuery.`,
  );
}

function insertInto(
  query: TranslatedQuery,
  { reference, duckdbName, fields }: TableEntry,
  options: { insteadOfAll?: boolean } = {},
): (connection: DuckDBConnection) => Promise<void> {
  const matched = matchFields(query.schema, fields, displayTable(reference));
  const results = query.schema.map((_, index) => `r${index}`);
  const columns = fields.map((field, index) => {
    const found = matched[index];
    const type = duckdbType(typeOfField(field)!);
    const value = found === undefined ? 'NULL' : `q.r${found}`;
    const stored = field.mode === 'REPEATED' ? `coalesce(${value}, [])` : value;
    return `CAST(${stored} AS ${type}) AS c${index}`;
  });
  const sql = `SELECT 'insert' AS action, CAST(NULL AS BIGINT) AS "row", ${columns.join(', ')} FROM (${query.sql}) AS q(${results.join(', ')})`;
  return async (connection) => {
    const change = {
      kind: 'insert' as const,
      sql,
      schema: [],
      referencedTables: query.referencedTables,
      changesStored: false,
      target: { reference, duckdbName, fields },
    };
    await runChange(connection, change, options);
  };
}

/**
 * For each field of the table the place of the result's column of that name. NULLABLE results are taken for REQUIRED
 * fields, and fail where they hold a NULL: whether BigQuery does so too is not documented.
 */
function matchFields(
  result: readonly Field[],
  fields: readonly Field[],
  display: string,
): (number | undefined)[] {
  const refuse = (message: string): never => {
    throw invalid(`Provided Schema does not match Table ${display}. ${message}`);
  };
  const sameName = (left: Field, right: Field) => left.name.toLowerCase() === right.name.toLowerCase();
  for (const column of result) {
    if (!fields.some((field) => sameName(field, column))) {
      refuse(`Cannot add fields (field: ${column.name})`);
    }
  }
  return fields.map((field) => {
    const index = result.findIndex((column) => sameName(column, field));
    const column = result[index];
    if (column === undefined) {
      if (field.mode === 'REQUIRED') refuse(`Field ${field.name} is missing in new schema`);
      return undefined;
    }
    if (describe(column) !== describe(field)) {
      refuse(`Field ${field.name} has changed type from ${describe(field)} to ${describe(column)}`);
    }
    return index;
  });
}

function describe(field: Field): string {
  const inner =
    field.fields === undefined
      ? ''
      : `(${field.fields.map((one) => `${one.name} ${describe(one)}`).join(', ')})`;
  return `${field.type}${inner}${field.mode === 'REPEATED' ? '[]' : ''}`;
}
