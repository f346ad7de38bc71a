import type { OrderItem, Query, QueryBody, SetOperation } from './ast.ts';
import { coerce, supertype } from './convert.ts';
import { invalid, unsupported } from './errors.ts';
import type { Fragment } from './fragment.ts';
import { resolveExpression } from './resolve-expression.ts';
import { constantInteger } from './resolve-operator.ts';
import { resolveSelect } from './resolve-select.ts';
import { emptyScope, freshName, type NamedQuery, type Scope } from './scope.ts';
import { quoteName, type SqlType, sameType, typeName } from './types.ts';

export interface ResolvedColumn {
  /** The name in GoogleSQL; absent for an expression without an alias. */
  name?: string;
  /** The name in DuckDB, unquoted. */
  id: string;
  type: SqlType;
}

export interface ResolvedQuery {
  sql: string;
  columns: ResolvedColumn[];
  /** SELECT AS STRUCT or AS VALUE: rows that are one value each. */
  isValue: boolean;
}

/** A query, in a scope of its own whose parent is what surrounds it. */
export function resolveQuery(query: Query, scope: Scope): ResolvedQuery {
  if (query.recursive) throw unsupported('WITH RECURSIVE', query.at);
  const queries = new Map<string, NamedQuery>(scope.queries);
  const definitions: string[] = [];
  const inner: Scope = { ...scope, queries };
  const own = new Set<string>();
  for (const { name, query: definition } of query.with) {
    const key = name.text.toLowerCase();
    if (own.has(key)) throw invalid(`Duplicate alias ${name.text} for WITH subquery`, name.at);
    own.add(key);
    const resolved = resolveQuery(
      definition,
      emptyScope(scope.context, { ...inner, queries: new Map(queries) }),
    );
    const sqlName = quoteName(freshName(scope.context, `${key}_`));
    definitions.push(`${sqlName} AS (${resolved.sql})`);
    queries.set(key, { sqlName, columns: resolved.columns, isValue: resolved.isValue });
  }
  const resolved = resolveBody(query.body, inner, query);
  if (definitions.length === 0) return resolved;
  return { ...resolved, sql: `WITH ${definitions.join(', ')} ${resolved.sql}` };
}

function resolveBody(body: QueryBody, scope: Scope, query?: Query): ResolvedQuery {
  const limit = query ? limitSql(query, scope) : '';
  switch (body.kind) {
    case 'select':
      return resolveSelect(body, scope, query?.orderBy ?? [], limit);
    case 'query': {
      const resolved = resolveQuery(body.query, scope);
      return query ? orderOutput(resolved, query.orderBy, limit, scope) : resolved;
    }
    case 'set': {
      const resolved = resolveSetOperation(body, scope);
      return query ? orderOutput(resolved, query.orderBy, limit, scope) : resolved;
    }
  }
}

function limitSql(query: Query, scope: Scope): string {
  const count = (expression: Query['limit'], what: string): string => {
    if (!expression) return '';
    const value = constantInteger(
      resolveExpression(expression, emptyScope(scope.context)),
      what,
      expression.at,
    );
    if (value < 0n)
      throw invalid(`${what} expects a non-negative integer literal or parameter`, expression.at);
    return ` ${what} ${value}`;
  };
  return count(query.limit, 'LIMIT') + count(query.offset, 'OFFSET');
}

/** ORDER BY and LIMIT of what is no SELECT itself: only its output columns are seen. */
function orderOutput(
  resolved: ResolvedQuery,
  orderBy: OrderItem[],
  limit: string,
  scope: Scope,
): ResolvedQuery {
  if (orderBy.length === 0 && limit === '') return resolved;
  const alias = freshName(scope.context, 'q');
  const columns = resolved.columns.map((column) => ({ ...column, sql: `${alias}.${quoteName(column.id)}` }));
  const inner: Scope = { ...scope, variables: [{ columns }] };
  const keys = orderBy.map((item) => {
    const { expression } = item;
    if (expression.kind !== 'integer') return orderKeySql(resolveExpression(expression, inner), item);
    const column = columns[Number(expression.value) - 1];
    if (!column)
      throw invalid(`ORDER BY is out of SELECT column number range: ${expression.value}`, expression.at);
    return orderKeySql(column, item);
  });
  const order = keys.length > 0 ? ` ORDER BY ${keys.join(', ')}` : '';
  return { ...resolved, sql: `SELECT * FROM (${resolved.sql}) AS ${alias}${order}${limit}` };
}

/** One key of an ORDER BY: GoogleSQL holds NULL for the least of all, then NaN. */
export function orderKeySql(key: Fragment, item: OrderItem, position?: number): string {
  const { kind } = key.type;
  if (kind === 'JSON' || kind === 'STRUCT' || kind === 'ARRAY') {
    throw invalid(`ORDER BY does not support expressions of type ${typeName(key.type)}`, item.at);
  }
  const direction = item.descending ? 'DESC' : 'ASC';
  const nulls = item.nulls ?? (item.descending ? 'LAST' : 'FIRST');
  const sql = position === undefined ? key.sql : String(position);
  if (kind !== 'FLOAT64') return `${sql} ${direction} NULLS ${nulls}`;
  const isNumber = `(${key.sql} IS NULL) ${nulls === 'FIRST' ? 'DESC' : 'ASC'}, isnan(${key.sql}) ${item.descending ? 'ASC' : 'DESC'}`;
  return `${isNumber}, ${sql} ${direction}`;
}

function resolveSetOperation(operation: SetOperation, scope: Scope): ResolvedQuery {
  const left = resolveBody(operation.left, scope);
  const right = resolveBody(operation.right, scope);
  const { operator } = operation;
  const { at } = operation.right;
  if (left.columns.length !== right.columns.length) {
    throw invalid(
      `Queries in ${operator} have mismatched column count; query 1 has ${left.columns.length} column${left.columns.length === 1 ? '' : 's'}, query 2 has ${right.columns.length} column${right.columns.length === 1 ? '' : 's'}`,
      at,
    );
  }
  const columns = left.columns.map((column, index): ResolvedColumn => {
    const other = right.columns[index]!;
    const type = supertype([literalColumn(column), literalColumn(other)]);
    if (!type)
      throw invalid(
        `Column ${index + 1} in ${operator} has incompatible types: ${typeName(column.type)}, ${typeName(other.type)}`,
        at,
      );
    if (operator !== 'UNION ALL' && (type.kind === 'JSON' || type.kind === 'ARRAY')) {
      throw invalid(
        `Column ${index + 1} in ${operator} has type that does not support set operation comparisons: ${typeName(type)}`,
        at,
      );
    }
    return { ...column, type };
  });
  const branches = [left, right].map((branch) => convertColumns(branch, columns, scope, operation));
  const sqlOperator = operator === 'UNION ALL' ? operator : operator.replace(' DISTINCT', '');
  return { sql: `(${branches[0]}) ${sqlOperator} (${branches[1]})`, columns, isValue: left.isValue };
}

const literalColumn = (column: ResolvedColumn): Fragment => ({
  sql: quoteName(column.id),
  type: column.type,
});

function convertColumns(
  branch: ResolvedQuery,
  columns: ResolvedColumn[],
  scope: Scope,
  operation: SetOperation,
): string {
  if (
    branch.columns.every(
      (column, index) => column.type.kind !== 'NULL' && sameType(column.type, columns[index]!.type),
    )
  )
    return branch.sql;
  const alias = freshName(scope.context, 'b');
  const items = branch.columns.map((column, index) => {
    const source = { sql: `${alias}.${quoteName(column.id)}`, type: column.type };
    // A NULL that DuckDB has given some type of its own is still GoogleSQL's NULL.
    const converted =
      column.type.kind === 'NULL'
        ? coerce({ sql: 'NULL', type: column.type }, columns[index]!.type, operation.at)!
        : coerce(source, columns[index]!.type, operation.at)!;
    return `${converted.sql} AS ${quoteName(columns[index]!.id)}`;
  });
  return `SELECT ${items.join(', ')} FROM (${branch.sql}) AS ${alias}`;
}
