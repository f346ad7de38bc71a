import type { Name } from './ast.ts';
import type { Assignment, Dml, DmlTarget, DmlValue, ValueRow } from './ast-dml.ts';
import { coerce } from './convert.ts';
import { invalid, type Position, unsupported } from './errors.ts';
import type { Fragment } from './fragment.ts';
import type { TableReference } from './interface.ts';
import { resolveExpression } from './resolve-expression.ts';
import { resolveFrom, resolveRelation, tableReference } from './resolve-from.ts';
import { resolveMerge } from './resolve-merge.ts';
import { resolveQuery } from './resolve-query.ts';
import { condition } from './resolve-select.ts';
import { type Context, emptyScope, freshName, type RangeVariable, type Scope, sameName } from './scope.ts';
import { duckdbType, type Field, quoteName, type SqlType, typeName, typeOfField } from './types.ts';

/** The table that a statement changes, as names and as DuckDB SQL. */
export interface ChangedTable {
  reference: TableReference;
  duckdbName: string;
  fields: readonly Field[];
  /** `stored AS alias`, to follow FROM. */
  sql: string;
  alias: string;
  variable: RangeVariable;
}

/**
 * The rows that a statement changes, as a DuckDB query of: `action` (insert, update or delete), `row` (the rowid of the
 * row that goes), and `c0`, `c1`, ... (the whole new row, in the order of the table's columns).
 */
export interface ResolvedChange {
  target: ChangedTable;
  sql: string;
}

/** A statement other than a query. Throws GoogleSqlError. */
export function resolveDml(statement: Dml, context: Context): ResolvedChange {
  const target = resolveTarget(statement.target, context);
  switch (statement.kind) {
    case 'insert':
      return { target, sql: insertSql(statement, target, context) };
    case 'update':
      return { target, sql: updateSql(statement, target, context) };
    case 'delete': {
      const where = condition(
        statement.where,
        clauseScope(context, [target.variable], 'WHERE clause'),
        'WHERE',
      );
      return {
        target,
        sql: `SELECT 'delete' AS action, ${target.alias}.rowid AS "row", ${nullRow(target)} FROM ${target.sql} WHERE ${where}`,
      };
    }
    case 'merge':
      return { target, sql: resolveMerge(statement, target, context) };
  }
}

function resolveTarget({ path, alias, at }: DmlTarget, context: Context): ChangedTable {
  const reference = tableReference(path, context, at);
  const { sql, variables } = resolveRelation(reference, alias?.text ?? path.at(-1)!.text, context, at);
  const relation = context.catalog.relation(reference);
  if (relation?.kind !== 'table') {
    const { projectId, datasetId, tableId } = reference;
    throw invalid(`Table ${projectId}:${datasetId}.${tableId} is a view, which DML cannot change`, at);
  }
  const { duckdbName, fields } = relation;
  if (fields.some(({ name }) => sameName(name, 'rowid'))) {
    throw unsupported('DML over a table with a column rowid', at);
  }
  const sqlAlias = sql.slice(sql.lastIndexOf(' ') + 1);
  return { reference, duckdbName, fields, sql, alias: sqlAlias, variable: variables[0]! };
}

export function clauseScope(context: Context, variables: RangeVariable[], clause: string): Scope {
  return { ...emptyScope(context), variables, clause };
}

function insertSql(statement: Dml & { kind: 'insert' }, target: ChangedTable, context: Context): string {
  const columns = insertedColumns(statement.columns, target);
  const head = 'SELECT \'insert\' AS action, CAST(NULL AS BIGINT) AS "row"';
  if (statement.source.kind === 'values') {
    const rows = statement.source.rows.map((row) => {
      const values = insertedValues(row, columns, clauseScope(context, [], 'INSERT VALUES'));
      return `${head}, ${newRow(target, columns, values)}`;
    });
    return rows.join(' UNION ALL ');
  }
  const query = resolveQuery(statement.source.query, emptyScope(context));
  if (query.columns.length !== columns.length) {
    throw invalid(
      `Inserted row has wrong column count; Has ${query.columns.length}, expected ${columns.length}`,
      statement.source.query.at,
    );
  }
  const alias = freshName(context, 'q');
  const values = query.columns.map(({ id, type }, index) => {
    const field = columns[index]!;
    // A NULL that DuckDB has given some type of its own is still GoogleSQL's NULL.
    const value = { sql: type.kind === 'NULL' ? 'NULL' : `${alias}.${quoteName(id)}`, type };
    return assigned(value, field, statement.at, (found, wanted) => {
      return `Query column ${index + 1} has type ${found} which cannot be inserted into column ${field.name}, which has type ${wanted}`;
    });
  });
  return `${head}, ${newRow(target, columns, values)} FROM (${query.sql}) AS ${alias}`;
}

function updateSql(statement: Dml & { kind: 'update' }, target: ChangedTable, context: Context): string {
  const own = clauseScope(context, [target.variable], 'FROM clause');
  const from = statement.from && resolveFrom(statement.from, emptyScope(context));
  const variables = [target.variable, ...(from?.variables ?? [])];
  refuseSameNames(variables, statement.at);
  const scope: Scope = { ...own, variables, merged: from?.merged ?? [], clause: 'UPDATE clause' };
  const values = updatedValues(statement.assignments, target, scope);
  const where = condition(statement.where, { ...scope, clause: 'WHERE clause' }, 'WHERE');
  const joined = from ? ` CROSS JOIN ${statement.from?.kind === 'join' ? `(${from.sql})` : from.sql}` : '';
  return `SELECT 'update' AS action, ${target.alias}.rowid AS "row", ${newRow(target, target.fields, values)} FROM ${target.sql}${joined} WHERE ${where}`;
}

export function refuseSameNames(variables: readonly RangeVariable[], at: Position): void {
  for (const [index, { name }] of variables.entries()) {
    if (name === undefined) continue;
    if (variables.slice(0, index).some((other) => sameName(other.name, name))) {
      throw invalid(`Duplicate table alias ${name} in the same FROM clause`, at);
    }
  }
}

/** The fields that INSERT names, or all of them. */
export function insertedColumns(names: readonly Name[] | undefined, target: ChangedTable): readonly Field[] {
  if (names === undefined) return target.fields;
  const seen = new Set<string>();
  return names.map((name) => {
    const field = fieldNamed(name, target);
    if (seen.has(field.name)) throw invalid(`INSERT has columns with duplicate name: ${field.name}`, name.at);
    seen.add(field.name);
    return field;
  });
}

function fieldNamed(name: Name, target: ChangedTable): Field {
  const field = target.fields.find((candidate) => sameName(candidate.name, name.text));
  if (field) return field;
  throw invalid(`Column ${name.text} is not present in table ${displayName(target)}`, name.at);
}

const displayName = ({ reference: { projectId, datasetId, tableId } }: ChangedTable): string =>
  `${projectId}.${datasetId}.${tableId}`;

export function insertedValues(row: ValueRow, columns: readonly Field[], scope: Scope): string[] {
  if (row.values.length !== columns.length) {
    throw invalid(
      `Inserted row has wrong column count; Has ${row.values.length}, expected ${columns.length}`,
      row.at,
    );
  }
  return row.values.map((value, index) => {
    const field = columns[index]!;
    return assigned(resolveValue(value, scope), field, value.at, (found, wanted) => {
      return `Value has type ${found} which cannot be inserted into column ${field.name}, which has type ${wanted}`;
    });
  });
}

/** The whole row after SET: what is assigned, and the rest as it was. */
export function updatedValues(
  assignments: readonly Assignment[],
  target: ChangedTable,
  scope: Scope,
): string[] {
  const values = new Map<string, string>();
  for (const { column, qualifier, value } of assignments) {
    if (qualifier && !sameName(target.variable.name, qualifier.text)) {
      throw unsupported('Assignment to a nested field', qualifier.at);
    }
    const field = fieldNamed(column, target);
    if (values.has(field.name)) {
      throw invalid(`Update item ${field.name} assigned more than once`, column.at);
    }
    const sql = assigned(resolveValue(value, scope), field, value.at, (found, wanted) => {
      return `Value of type ${found} cannot be assigned to ${field.name}, which has type ${wanted}`;
    });
    values.set(field.name, sql);
  }
  return target.fields.map((field) => values.get(field.name) ?? `${target.alias}.${quoteName(field.name)}`);
}

/** No column has a default value here, so DEFAULT is NULL. */
function resolveValue(value: DmlValue, scope: Scope): Fragment {
  if (value.kind === 'default') return { sql: 'NULL', type: { kind: 'NULL' }, literal: true, value: null };
  return resolveExpression(value, scope);
}

/** The value as the column stores it, as an assignment converts it; "NULL arrays are stored as empty": docs/arrays. */
export function assigned(
  value: Fragment,
  field: Field,
  at: Position,
  refusal: (found: string, wanted: string) => string,
): string {
  const type = typeOf(field, at);
  const converted = coerce(value, type, at);
  if (!converted) throw invalid(refusal(typeName(value.type), typeName(type)), at);
  return type.kind === 'ARRAY'
    ? `coalesce(${converted.sql}, CAST([] AS ${duckdbType(type)}))`
    : converted.sql;
}

function typeOf(field: Field, at: Position): SqlType {
  const type = typeOfField(field);
  if (!type) throw unsupported(`Type ${field.type} of column ${field.name}`, at);
  return type;
}

/** The columns `c0`, `c1`, ... of a row of which some fields are given. */
function newRow(target: ChangedTable, given: readonly Field[], values: readonly string[]): string {
  return numbered(valuesOfRow(target, given, values));
}

export function valuesOfRow(
  target: ChangedTable,
  given: readonly Field[],
  values: readonly string[],
): string[] {
  return target.fields.map((field) => values[given.indexOf(field)] ?? emptyValue(field));
}

const nullRow = (target: ChangedTable): string => numbered(target.fields.map(emptyValue));

/** What stands in a column that a statement does not name. */
export function emptyValue(field: Field): string {
  const type = typeOf(field, { line: 1, column: 1 });
  return type.kind === 'ARRAY' ? `CAST([] AS ${duckdbType(type)})` : `CAST(NULL AS ${duckdbType(type)})`;
}

export const numbered = (values: readonly string[]): string =>
  values.map((sql, index) => `${sql} AS c${index}`).join(', ');
