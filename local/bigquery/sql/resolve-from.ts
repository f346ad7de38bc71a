import type { FromItem, Name } from './ast.ts';
import { coerce, supertype } from './convert.ts';
import { GoogleSqlError, invalid, type Position, unsupported } from './errors.ts';
import type { Fragment } from './fragment.ts';
import type { TableReference } from './interface.ts';
import { parseStatement } from './parse-query.ts';
import { resolveExpression } from './resolve-expression.ts';
import { compare } from './resolve-operator.ts';
import { resolvePath } from './resolve-path.ts';
import { type ResolvedQuery, resolveQuery } from './resolve-query.ts';
import { columnsOfValue, condition } from './resolve-select.ts';
import {
  type Column,
  type Context,
  emptyScope,
  freshName,
  lookUp,
  type RangeVariable,
  type Scope,
  sameName,
} from './scope.ts';
import { quoteName, scalarKind, typeName, typeOfField } from './types.ts';

/** What FROM brings in, as DuckDB SQL and as names. */
export interface ResolvedFrom {
  sql: string;
  variables: RangeVariable[];
  merged: Column[];
}

/** How deep views and functions may stand in one another: https://cloud.google.com/bigquery/quotas#view_limits */
const deepestNesting = 16;

/** Resolves what follows FROM; `scope` holds what stands before it in the same FROM, which arrays may refer to. */
export function resolveFrom(item: FromItem, scope: Scope): ResolvedFrom {
  switch (item.kind) {
    case 'table':
      return resolveTable(item, scope);
    case 'tableFunction':
      return resolveTableFunction(item, scope);
    case 'subquery': {
      const query = resolveQuery(
        item.query,
        emptyScope(scope.context, { ...scope, variables: [], merged: [] }),
      );
      return derived(query, item.alias?.text, scope.context);
    }
    case 'unnest':
      return resolveUnnest(
        resolveExpression(item.expression, scope),
        { ...item, at: item.expression.at },
        scope,
      );
    case 'join':
      return resolveJoin(item, scope);
  }
}

function derived(query: ResolvedQuery, name: string | undefined, context: Context): ResolvedFrom {
  return named(`(${query.sql})`, query.columns, query.isValue, name, context);
}

function named(
  source: string,
  columns: ResolvedQuery['columns'],
  isValue: boolean,
  name: string | undefined,
  context: Context,
): ResolvedFrom {
  const alias = freshName(context, 't');
  const own = columns.map((column) => ({
    ...(column.name !== undefined && { name: column.name }),
    sql: `${alias}.${quoteName(column.id)}`,
    type: column.type,
  }));
  const variable: RangeVariable = { ...(name !== undefined && { name }), columns: own };
  if (isValue) {
    const value: Fragment = own[0]!;
    const fields = columnsOfValue(value);
    if (fields.length > 0) variable.columns = fields;
    else variable.value = value;
  }
  return { sql: `${source} AS ${alias}`, variables: [variable], merged: [] };
}

function resolveTable(item: FromItem & { kind: 'table' }, scope: Scope): ResolvedFrom {
  const [first] = item.path as [Name, ...Name[]];
  const alias = item.alias?.text ?? item.path.at(-1)!.text;
  const query = item.path.length === 1 ? scope.queries.get(first.text.toLowerCase()) : undefined;
  if (query) return named(query.sqlName, query.columns, query.isValue, alias, scope.context);
  if (item.path.length > 1 && isVariable(item.path, scope)) {
    return resolveUnnest(
      resolvePath(item.path, scope),
      { ...item, alias: item.alias ?? item.path.at(-1)! },
      scope,
    );
  }
  if (item.offset) throw invalid('WITH OFFSET can only be used with an array', item.at);
  return resolveRelation(tableReference(item.path, scope.context, first.at), alias, scope.context, first.at);
}

/** Whether a path in FROM begins with something FROM or the query around it already named. */
function isVariable(path: Name[], scope: Scope): boolean {
  for (let owner: Scope | undefined = scope; owner; owner = owner.parent) {
    if (owner.variables.some((variable) => sameName(variable.name, path[0]!.text))) return true;
    const column = lookUp(path, { ...owner, parent: emptyScope(owner.context) });
    if (column && (column.fragment.type.kind === 'STRUCT' || column.used === 2)) return true;
  }
  return false;
}

/** `[project.]dataset.table`, or a table of the default dataset. */
export function tableReference(path: Name[], context: Context, at: Position): TableReference {
  const names = path.map(({ text }) => text);
  const information = names.findIndex((name) => name.toUpperCase() === 'INFORMATION_SCHEMA');
  if (information >= 0)
    names.splice(information, names.length, names.slice(information).join('.').toUpperCase());
  const { defaultProject, defaultDataset } = context.catalog;
  const [third, second, first] = [...names].reverse();
  if (names.length > 3 || third === undefined) throw invalid(`Invalid table name: ${names.join('.')}`, at);
  if (third.includes('*')) throw unsupported('Wildcard table', at);
  if (second !== undefined) return { projectId: first ?? defaultProject, datasetId: second, tableId: third };
  if (!defaultDataset)
    throw new GoogleSqlError(`Table "${third}" must be qualified with a dataset (e.g. dataset.table).`, {
      location: at,
    });
  return { ...defaultDataset, tableId: third };
}

/** A table or a view under the name given. Throws what BigQuery says of one that does not exist. */
export function resolveRelation(
  reference: TableReference,
  alias: string,
  context: Context,
  at: Position,
): ResolvedFrom {
  const relation = context.catalog.relation(reference);
  const { projectId, datasetId, tableId } = reference;
  if (!relation) {
    throw new GoogleSqlError(
      context.catalog.hasDataset(projectId, datasetId)
        ? `Not found: Table ${projectId}:${datasetId}.${tableId} was not found in location US`
        : `Not found: Dataset ${projectId}:${datasetId} was not found in location US`,
      {
        reason: 'notFound',
        location: at,
      },
    );
  }
  const key = `${projectId}.${datasetId}.${tableId}`;
  if (relation.kind === 'view') {
    const query = resolveBody(key, relation.query, { ...context, arguments: new Map() }, projectId, at);
    return derived(query, alias, context);
  }
  context.referencedTables.set(key, reference);
  const sqlAlias = freshName(context, 't');
  const columns = relation.fields.map((field): Column => {
    const type = typeOfField(field);
    if (!type) throw unsupported(`Type ${field.type} of column ${field.name}`, at);
    return { name: field.name, sql: `${sqlAlias}.${quoteName(field.name)}`, type };
  });
  return { sql: `${relation.duckdbName} AS ${sqlAlias}`, variables: [{ name: alias, columns }], merged: [] };
}

/** The text of a view or function, resolved by itself: it sees no names of the query that uses it. */
function resolveBody(
  key: string,
  text: string,
  context: Context,
  project: string,
  at: Position,
): ResolvedQuery {
  if (context.entered.includes(key)) throw invalid(`Recursive reference to ${key}`, at);
  if (context.entered.length >= deepestNesting) throw invalid('Views are nested too deeply', at);
  const inner: Context = {
    ...context,
    parameters: [],
    entered: [...context.entered, key],
    catalog: {
      defaultProject: project,
      relation: (reference) => context.catalog.relation(reference),
      hasDataset: (projectId, datasetId) => context.catalog.hasDataset(projectId, datasetId),
      tableFunction: (reference) => context.catalog.tableFunction(reference),
    },
  };
  return resolveQuery(parseStatement(text), emptyScope(inner));
}

function resolveTableFunction(item: FromItem & { kind: 'tableFunction' }, scope: Scope): ResolvedFrom {
  const { context } = scope;
  const { projectId, datasetId, tableId: routineId } = tableReference(item.path, context, item.at);
  const found = context.catalog.tableFunction({ projectId, datasetId, routineId });
  const written = item.path.map(({ text }) => text).join('.');
  if (!found) throw invalid(`Table-valued function not found: ${written}`, item.at);
  if (found.arguments.length !== item.arguments.length) {
    throw invalid(
      `Number of arguments does not match for table-valued function ${written}: expected ${found.arguments.length}, got ${item.arguments.length}`,
      item.at,
    );
  }
  const values = found.arguments.map(({ name, type }, index): [string, Fragment] => {
    const expression = item.arguments[index]!;
    const kind = scalarKind(type);
    if (!kind) throw unsupported(`Argument of type ${type}`, expression.at);
    const value = resolveExpression(expression, emptyScope(context));
    const coerced = coerce(value, { kind }, expression.at);
    if (!coerced)
      throw invalid(
        `Argument ${index + 1} of table-valued function ${written} must be of type ${kind} but was ${typeName(value.type)}`,
        expression.at,
      );
    return [name.toLowerCase(), coerced];
  });
  const inner: Context = { ...context, arguments: new Map(values) };
  const query = resolveBody(
    `${projectId}.${datasetId}.${routineId}()`,
    found.body,
    inner,
    projectId,
    item.at,
  );
  return derived(query, item.alias?.text ?? item.path.at(-1)!.text, context);
}

function resolveUnnest(
  array: Fragment,
  item: { alias?: Name; offset?: Name; at: Position },
  scope: Scope,
): ResolvedFrom {
  const { type } = array;
  if (type.kind !== 'ARRAY')
    throw invalid(
      `Values referenced in UNNEST must be arrays. UNNEST contains expression of type ${typeName(type)}`,
      item.at,
    );
  const alias = freshName(scope.context, 'u');
  const inner = freshName(scope.context, 'a');
  const element: Fragment = {
    sql: `${alias}.v`,
    type: type.element.kind === 'NULL' ? { kind: 'INT64' } : type.element,
  };
  const fields = columnsOfValue(element);
  const name = item.alias?.text;
  const variable: RangeVariable =
    fields.length > 0
      ? { columns: fields }
      : { columns: [{ ...element, ...(name !== undefined && { name }) }] };
  if (name !== undefined) variable.name = name;
  variable.value = element;
  const variables = [variable];
  let list = `unnest(${inner}.a) AS v`;
  if (item.offset) {
    list += `, generate_subscripts(${inner}.a, 1) - 1 AS o`;
    variables.push({ columns: [{ name: item.offset.text, sql: `${alias}.o`, type: { kind: 'INT64' } }] });
  }
  return {
    sql: `LATERAL (SELECT ${list} FROM (SELECT ${array.sql} AS a) AS ${inner}) AS ${alias}`,
    variables,
    merged: [],
  };
}

function resolveJoin(item: FromItem & { kind: 'join' }, scope: Scope): ResolvedFrom {
  const left = resolveFrom(item.left, scope);
  const lateral: Scope = {
    ...scope,
    variables: [...scope.variables, ...left.variables],
    merged: left.merged,
  };
  const right = resolveFrom(item.right, lateral);
  for (const { name } of right.variables) {
    if (name !== undefined && left.variables.some((variable) => sameName(variable.name, name))) {
      throw invalid(
        `Duplicate table alias ${name} in the same FROM clause`,
        ('alias' in item.right ? item.right.alias?.at : undefined) ?? item.right.at,
      );
    }
  }
  const variables = [...left.variables, ...right.variables];
  const rightSql = item.right.kind === 'join' ? `(${right.sql})` : right.sql;
  if (item.type === 'CROSS')
    return {
      sql: `${left.sql} CROSS JOIN ${rightSql}`,
      variables,
      merged: [...left.merged, ...right.merged],
    };
  if (item.using) return joinUsing(item, item.using, left, right, rightSql);
  const joined: Scope = {
    ...scope,
    variables,
    merged: [...left.merged, ...right.merged],
    clause: 'JOIN ON clause',
  };
  const on = item.on ? condition(item.on, joined, 'JOIN ON') : 'true';
  return { sql: `${left.sql} ${item.type} JOIN ${rightSql} ON ${on}`, variables, merged: joined.merged };
}

function joinUsing(
  item: FromItem & { kind: 'join' },
  using: Name[],
  left: ResolvedFrom,
  right: ResolvedFrom,
  rightSql: string,
): ResolvedFrom {
  const pick = (side: ResolvedFrom, name: Name, which: string): Column => {
    const merged = side.merged.find((column) => sameName(column.name, name.text));
    if (merged) return merged;
    const columns = side.variables.flatMap((variable) =>
      variable.columns.filter((column) => sameName(column.name, name.text)),
    );
    if (columns.length > 1) throw invalid(`Column ${name.text} in USING clause is ambiguous`, name.at);
    if (!columns[0])
      throw invalid(`Column ${name.text} in USING clause not found on ${which} side of join`, name.at);
    return columns[0];
  };
  const merged: Column[] = [];
  const conditions = using.map((name) => {
    const pair = [pick(left, name, 'left'), pick(right, name, 'right')] as const;
    const type = supertype([...pair]);
    if (!type)
      throw invalid(
        `Column ${name.text} in USING has incompatible types on either side of the join: ${pair.map((column) => typeName(column.type)).join(', ')}`,
        name.at,
      );
    const [l, r] = pair.map((column) => coerce(column, type, name.at)!.sql) as [string, string];
    const sql = item.type === 'FULL' ? `COALESCE(${l}, ${r})` : item.type === 'RIGHT' ? r : l;
    merged.push({ name: pair[0].name ?? name.text, sql, type });
    return compare('=', pair[0], pair[1], name.at).sql;
  });
  const others = [...left.merged, ...right.merged].filter(
    (column) => !merged.some((one) => sameName(one.name, column.name ?? '')),
  );
  return {
    sql: `${left.sql} ${item.type} JOIN ${rightSql} ON ${conditions.join(' AND ')}`,
    variables: [...left.variables, ...right.variables],
    merged: [...merged, ...others],
  };
}
