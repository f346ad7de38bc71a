import type { Expression, Name, OrderItem, Select, SelectItem } from './ast.ts';
import { coerce } from './convert.ts';
import { invalid, type Position, unsupported } from './errors.ts';
import type { Fragment } from './fragment.ts';
import { holdsAggregate } from './functions/aggregate.ts';
import { impliedName, structOf } from './resolve-composite.ts';
import { resolveExpression } from './resolve-expression.ts';
import { resolveFrom } from './resolve-from.ts';
import { orderKeySql, type ResolvedColumn, type ResolvedQuery } from './resolve-query.ts';
import { type Column, freshName, type Grouping, type Scope, sameName } from './scope.ts';
import { quoteName, type SqlType, structFieldName, typeName } from './types.ts';

interface Output {
  name?: string;
  fragment: Fragment;
}

/** An item of the select list before its expression is resolved; a star has become columns. */
interface Item {
  name?: string;
  alias?: Name;
  expression?: Expression;
  column?: Column;
  at: Position;
}

/** One SELECT with the ORDER BY and LIMIT that belong to it. */
export function resolveSelect(
  select: Select,
  outer: Scope,
  orderBy: OrderItem[],
  limit: string,
): ResolvedQuery {
  const from = select.from && resolveFrom(select.from, outer);
  const scope: Scope = {
    ...outer,
    variables: from?.variables ?? [],
    merged: from?.merged ?? [],
    windows: new Map(
      select.windows.map(({ name, specification }) => [name.text.toLowerCase(), specification]),
    ),
  };
  if (!select.from && select.where)
    throw invalid('Query without FROM clause cannot have a WHERE clause', select.where.at);
  const where = select.where && condition(select.where, { ...scope, clause: 'WHERE clause' }, 'WHERE');
  const items = select.items.flatMap((item) => expandItem(item, scope, select.from !== undefined));
  const grouping = groupingOf(select, items, orderBy, scope);
  const after: Scope = grouping ? { ...scope, grouping } : scope;
  const outputs = items.map((item) => resolveItem(item, after));
  const named = withAliases(after, items, outputs, false);
  const having = select.having && condition(select.having, { ...named, clause: 'HAVING clause' }, 'HAVING');
  const qualify =
    select.qualify && condition(select.qualify, { ...named, clause: 'QUALIFY clause' }, 'QUALIFY');
  const order = orderSql(orderBy, select, outputs, withAliases(after, items, outputs, true));

  const source = [from ? ` FROM ${from.sql}` : '', where ? ` WHERE ${where}` : ''].join('');
  let body = source;
  if (grouping) {
    const grouped = [...grouping.keys, ...grouping.aggregates];
    const list = grouped.map(({ sql, column }) => `${sql} AS ${column.sql.split('.')[1]}`);
    const by =
      grouping.keys.length > 0 ? ` GROUP BY ${grouping.keys.map((_, index) => index + 1).join(', ')}` : '';
    body = ` FROM (SELECT ${list.join(', ') || '1'}${source}${by}) AS ${grouping.alias}${having ? ` WHERE ${having}` : ''}`;
  }
  if (qualify) body += ` QUALIFY ${qualify}`;
  return finish(select, outputs, body, order, limit, outer);
}

/** A condition as DuckDB SQL; throws when it is not of type BOOL. */
export function condition(expression: Expression, scope: Scope, clause: string): string {
  const resolved = resolveExpression(expression, scope);
  const boolean = coerce(resolved, { kind: 'BOOL' }, expression.at);
  if (boolean) return boolean.sql;
  throw invalid(
    `${clause} clause should return type BOOL, but returns ${typeName(resolved.type)}`,
    expression.at,
  );
}

function expandItem(item: SelectItem, scope: Scope, hasFrom: boolean): Item[] {
  if (item.kind === 'expression') {
    const name = item.alias?.text ?? impliedName(item.expression);
    return [
      {
        ...(name !== undefined && { name }),
        ...(item.alias && { alias: item.alias }),
        expression: item.expression,
        at: item.at,
      },
    ];
  }
  if (!item.operand && !hasFrom) throw invalid('SELECT * must have a FROM clause', item.at);
  const columns: Item[] = starColumns(item, scope).map((column) => ({
    ...(column.name && { name: column.name }),
    column,
    at: item.at,
  }));
  for (const name of item.except) {
    if (!columns.some((column) => sameName(column.name, name.text))) {
      throw invalid(`Column ${name.text} in SELECT * EXCEPT list does not exist`, name.at);
    }
  }
  const kept = columns.filter((column) => !item.except.some((name) => sameName(column.name, name.text)));
  if (kept.length === 0) throw invalid('SELECT * expands to zero columns after applying EXCEPT', item.at);
  for (const { name, expression } of item.replace) {
    const index = kept.findIndex((column) => sameName(column.name, name.text));
    if (index < 0) throw invalid(`Column ${name.text} in SELECT * REPLACE list does not exist`, name.at);
    kept[index] = { name: kept[index]!.name ?? name.text, expression, at: expression.at };
  }
  return kept;
}

function starColumns(item: SelectItem & { kind: 'star' }, scope: Scope): Column[] {
  if (!item.operand) {
    const own = scope.variables.flatMap((variable) =>
      variable.value && variable.columns.length === 0 ? [] : variable.columns,
    );
    const isMerged = (column: Column) =>
      scope.merged.some((merged) => sameName(merged.name, column.name ?? ''));
    return [...scope.merged, ...own.filter((column) => !isMerged(column))];
  }
  if (item.operand.kind === 'path' && item.operand.names.length === 1) {
    const name = item.operand.names[0]!.text;
    const variable = scope.variables.find((candidate) => sameName(candidate.name, name));
    if (variable && !variable.value) return variable.columns;
  }
  const operand = resolveExpression(item.operand, scope);
  const { type } = operand;
  if (type.kind !== 'STRUCT') throw invalid(`Dot-star is not supported for type ${typeName(type)}`, item.at);
  return type.fields.map((field, index) => ({
    ...(field.name && { name: field.name }),
    sql: `struct_extract_at(${operand.sql}, ${index + 1})`,
    type: field.type,
  }));
}

function groupingOf(select: Select, items: Item[], orderBy: OrderItem[], scope: Scope): Grouping | undefined {
  const expressions = [
    ...items.flatMap(({ expression }) => expression ?? []),
    ...[select.having, select.qualify].filter((expression) => expression !== undefined),
    ...orderBy.map(({ expression }) => expression),
  ];
  if (!select.groupBy) {
    if (!expressions.some(holdsAggregate)) {
      if (select.having)
        throw invalid('The HAVING clause requires GROUP BY or aggregation to be present', select.having.at);
      return undefined;
    }
  }
  const base: Scope = { ...scope, clause: 'GROUP BY clause' };
  const alias = freshName(scope.context, 'g');
  const grouping: Grouping = { base: { ...scope, clause: 'Aggregate' }, alias, keys: [], aggregates: [] };
  for (const { key, at } of groupKeys(select, items)) {
    const resolved = 'column' in key ? key.column : resolveExpression(key.expression, base);
    const { kind } = resolved.type;
    if (kind === 'JSON' || kind === 'ARRAY') {
      throw invalid(`Grouping by expressions of type ${kind} is not allowed`, at);
    }
    if (grouping.keys.some(({ sql }) => sql === resolved.sql)) continue;
    const column: Fragment = { sql: `${alias}.k${grouping.keys.length + 1}`, type: resolved.type };
    grouping.keys.push({ sql: resolved.sql, column });
  }
  return grouping;
}

type Key = { expression: Expression } | { column: Column };

function groupKeys(select: Select, items: Item[]): { key: Key; at: Position }[] {
  if (!select.groupBy) return [];
  if (select.groupBy.kind === 'all') {
    return items
      .filter(({ expression }) => !expression || !holdsAggregate(expression))
      .map((item) => ({ key: keyOf(item), at: item.at }));
  }
  return select.groupBy.keys.map((expression) => {
    const { at } = expression;
    if (expression.kind === 'integer') {
      const item = items[Number(expression.value) - 1];
      if (!item) throw invalid(`GROUP BY is out of SELECT column number range: ${expression.value}`, at);
      if (item.expression && holdsAggregate(item.expression))
        throw invalid(
          `Column ${expression.value} contains an aggregation function, which is not allowed in GROUP BY`,
          at,
        );
      return { key: keyOf(item), at };
    }
    const name =
      expression.kind === 'path' && expression.names.length === 1 ? expression.names[0]!.text : undefined;
    // An alias of the select list goes before a column of the same name.
    const aliased = name === undefined ? undefined : items.find(({ alias }) => sameName(alias?.text, name));
    return { key: aliased ? keyOf(aliased) : { expression }, at };
  });
}

const keyOf = (item: Item): Key => (item.column ? { column: item.column } : { expression: item.expression! });

function resolveItem(item: Item, scope: Scope): Output {
  const name = item.name === undefined ? {} : { name: item.name };
  if (item.expression) return { ...name, fragment: resolveExpression(item.expression, scope) };
  const column = item.column!;
  if (!scope.grouping) return { ...name, fragment: column };
  const key = scope.grouping.keys.find(({ sql }) => sql === column.sql);
  if (!key)
    throw invalid(
      `Star expansion expression references column ${column.name} which is neither grouped nor aggregated`,
      item.at,
    );
  return { ...name, fragment: key.column };
}

/** The scope in which names of the select list mean its items. */
function withAliases(scope: Scope, items: Item[], outputs: Output[], first: boolean): Scope {
  const byName = new Map<string, Fragment>();
  items.forEach((item, index) => {
    const output = outputs[index]!;
    if (item.name !== undefined && (item.alias || first))
      byName.set(item.name.toLowerCase(), { ...output.fragment });
  });
  return { ...scope, aliases: { first, byName } };
}

function orderSql(orderBy: OrderItem[], select: Select, outputs: Output[], scope: Scope): string {
  if (orderBy.length === 0) return '';
  const keys = orderBy.map((item) => {
    const { expression } = item;
    if (expression.kind === 'integer') {
      const position = Number(expression.value);
      const output = outputs[position - 1];
      if (!output)
        throw invalid(`ORDER BY is out of SELECT column number range: ${expression.value}`, expression.at);
      return orderKeySql(output.fragment, item, select.as ? undefined : position);
    }
    const key = resolveExpression(expression, { ...scope, clause: 'ORDER BY clause' });
    const index = outputs.findIndex(({ fragment }) => fragment.sql === key.sql);
    if (index < 0 && select.distinct) {
      throw invalid(
        `ORDER BY clause expression references ${impliedName(expression) ? `column ${impliedName(expression)}` : 'a column'} which is not visible after SELECT DISTINCT`,
        expression.at,
      );
    }
    return orderKeySql(key, item, index < 0 || select.as ? undefined : index + 1);
  });
  return ` ORDER BY ${keys.join(', ')}`;
}

/** Names the output columns and puts the statement together. */
function finish(
  select: Select,
  outputs: Output[],
  body: string,
  order: string,
  limit: string,
  outer: Scope,
): ResolvedQuery {
  if (select.distinct) {
    for (const [index, { fragment, name }] of outputs.entries()) {
      const { kind } = fragment.type;
      if (kind === 'JSON' || kind === 'ARRAY')
        throw invalid(
          `Column ${name ?? index + 1} of type ${kind} cannot be used in SELECT DISTINCT`,
          select.items[index]?.at ?? select.at,
        );
    }
    if (select.as) throw unsupported(`SELECT AS ${select.as} DISTINCT`, select.at);
  }
  const head = select.distinct ? 'SELECT DISTINCT' : 'SELECT';
  if (select.as === 'STRUCT') {
    const struct = structOf(
      outputs.map(({ fragment }) => fragment),
      outputs.map(({ name }) => name),
      select.at,
    );
    return valueQuery(struct.sql, struct.type);
  }
  if (select.as === 'VALUE') {
    if (outputs.length !== 1) throw invalid('SELECT AS VALUE query must have exactly one column', select.at);
    return valueQuery(outputs[0]!.fragment.sql, outputs[0]!.fragment.type);
  }
  const taken = new Set<string>();
  const columns = outputs.map(({ name, fragment }): ResolvedColumn => {
    const free = name !== undefined && !taken.has(name.toLowerCase()) && name.trim() !== '';
    const id = free ? name : freshName(outer.context, 'c');
    taken.add(id.toLowerCase());
    return { ...(name !== undefined && { name }), id, type: fragment.type };
  });
  const list = outputs.map(
    ({ fragment }, index) => `${outputSql(fragment)} AS ${quoteName(columns[index]!.id)}`,
  );
  return { sql: `${head} ${list.join(', ')}${body}${order}${limit}`, columns, isValue: false };

  function valueQuery(sql: string, type: SqlType): ResolvedQuery {
    return {
      sql: `${head} ${sql} AS "value"${body}${order}${limit}`,
      columns: [{ id: 'value', type }],
      isValue: true,
    };
  }
}

const outputSql = ({ sql, type }: Fragment): string =>
  type.kind === 'NULL' ? `CAST(${sql} AS BIGINT)` : sql;

/** The columns a value of struct type shows when its rows are read as a table. */
export function columnsOfValue(value: Fragment): Column[] {
  const { type } = value;
  if (type.kind !== 'STRUCT') return [];
  return type.fields.map((field, index) => ({
    name: structFieldName(field, index),
    sql: `struct_extract_at(${value.sql}, ${index + 1})`,
    type: field.type,
  }));
}
