import type { Query } from './ast.ts';
import { GoogleSqlError } from './errors.ts';
import type { Catalog, QueryParameter, Translated, TranslatedQuery } from './interface.ts';
import { parseAnyStatement } from './parse-dml.ts';
import { resolveDml } from './resolve-dml.ts';
import { type ResolvedQuery, resolveQuery } from './resolve-query.ts';
import { type Context, emptyScope } from './scope.ts';
import { fieldOfType, quoteName, structFieldName } from './types.ts';

export { GoogleSqlError } from './errors.ts';
export type {
  Catalog,
  ParameterType,
  ParameterValue,
  QueryParameter,
  Relation,
  RoutineReference,
  TableFunction,
  TableReference,
  Translated,
  TranslatedChange,
  TranslatedQuery,
} from './interface.ts';
export { canonicalJson, JsonTextError, normaliseJson } from './json-text.ts';
export { setUpMacros } from './macros.ts';
export type { Field, FieldType } from './types.ts';

export interface TranslateOptions {
  catalog: Catalog;
  parameters?: QueryParameter[];
  parameterMode?: 'NAMED' | 'POSITIONAL';
  /** What CURRENT_TIMESTAMP and its sisters answer. */
  now: Date;
}

/**
 * Translates one GoogleSQL statement, a query or DML, to DuckDB SQL of the same meaning, views and table functions inlined.
 * Throws GoogleSqlError for what is invalid and for what is valid but not known here; never passes SQL through.
 * The result runs on a database on which `setUpMacros()` was run, with `TimeZone` UTC.
 */
export function translate(sql: string, options: TranslateOptions): Translated {
  const context: Context = {
    catalog: options.catalog,
    parameters: options.parameters ?? [],
    now: options.now,
    arguments: new Map(),
    entered: [],
    referencedTables: new Map(),
    names: { count: 0 },
  };
  const statement = parseAnyStatement(sql);
  if (statement.kind === 'query') return translateQuery(statement.query, context);
  const { target, sql: changed } = resolveDml(statement, context);
  const { reference, duckdbName, fields } = target;
  return {
    kind: statement.kind,
    sql: changed,
    schema: [],
    referencedTables: [...context.referencedTables.values()],
    changesStored:
      statement.kind === 'merge'
        ? statement.clauses.some(({ action }) => action.kind !== 'insert')
        : statement.kind !== 'insert',
    target: { reference, duckdbName, fields },
  };
}

function translateQuery(parsed: Query, context: Context): TranslatedQuery {
  const query = showValueColumns(resolveQuery(parsed, emptyScope(context)));
  refuseDuplicateNames(query);
  let anonymous = 0;
  const schema = query.columns.map(({ name, type }) => fieldOfType(name ?? `f${anonymous++}_`, type));
  return { kind: 'select', sql: query.sql, schema, referencedTables: [...context.referencedTables.values()] };
}

/** The rows of SELECT AS STRUCT are shown as rows of the struct's fields. */
function showValueColumns(query: ResolvedQuery): ResolvedQuery {
  const [value] = query.columns;
  if (!query.isValue || value?.type.kind !== 'STRUCT') return query;
  const columns = value.type.fields.map((field, index) => ({
    ...(field.name && { name: field.name }),
    id: structFieldName(field, index),
    type: field.type,
  }));
  const list = columns.map(
    ({ id }, index) => `struct_extract_at(r."value", ${index + 1}) AS ${quoteName(id)}`,
  );
  return { sql: `SELECT ${list.join(', ')} FROM (${query.sql}) AS r`, columns, isValue: false };
}

function refuseDuplicateNames(query: ResolvedQuery): void {
  const seen = new Set<string>();
  const duplicates = new Set<string>();
  for (const { name } of query.columns) {
    if (name === undefined) continue;
    if (seen.has(name.toLowerCase())) duplicates.add(name);
    seen.add(name.toLowerCase());
  }
  if (duplicates.size === 0) return;
  throw new GoogleSqlError(
    `Duplicate column names in the result are not supported. Found duplicate(s): ${[...duplicates].join(', ')}`,
  );
}
