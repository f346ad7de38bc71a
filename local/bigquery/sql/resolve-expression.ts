import type { Expression, Name, Query, SelectItem, TypeExpression } from './ast.ts';
import { arrayOf, castTo, coerce, unify } from './convert.ts';
import { GoogleSqlError, invalid, type Position, unsupported } from './errors.ts';
import {
  bindOnce,
  booleanLiteral,
  type Fragment,
  floatLiteral,
  integerLiteral,
  nullLiteral,
  quoteString,
  stringLiteral,
} from './fragment.ts';
import { holdsAggregate } from './functions/aggregate.ts';
import { resolveExtract } from './functions/extract.ts';
import { normaliseJson } from './json-text.ts';
import { literalOfText } from './literals.ts';
import { resolveCall } from './resolve-call.ts';
import { resolveBinary, resolveComparison, resolveUnary } from './resolve-operator.ts';
import { resolveParameter } from './resolve-parameter.ts';
import { resolveQuery } from './resolve-query.ts';
import { emptyScope, lookUp, type Scope } from './scope.ts';
import { quoteName, type SqlType, scalarKind, structFieldName, typeName } from './types.ts';

/** The type and the DuckDB SQL of an expression. Throws GoogleSqlError. */
export function resolveExpression(expression: Expression, scope: Scope): Fragment {
  return groupingKey(expression, scope) ?? resolveUngrouped(expression, scope);
}

/** After GROUP BY an expression that is a key stands for the key's column. */
function groupingKey(expression: Expression, scope: Scope): Fragment | undefined {
  const { grouping } = scope;
  if (!grouping?.keys.length || !mayBeKey(expression)) return undefined;
  try {
    const { sql } = resolveExpression(expression, grouping.base);
    return grouping.keys.find((key) => key.sql === sql)?.column;
  } catch (error) {
    // Not valid before grouping, as anything that holds an aggregate: then it is no key.
    if (error instanceof GoogleSqlError) return undefined;
    throw error;
  }
}

const mayBeKey = ({ kind }: Expression): boolean =>
  ![
    'integer',
    'float',
    'string',
    'boolean',
    'null',
    'typed',
    'parameter',
    'path',
    'scalarQuery',
    'exists',
  ].includes(kind);

function resolveUngrouped(expression: Expression, scope: Scope): Fragment {
  const { at } = expression;
  switch (expression.kind) {
    case 'integer':
      if (BigInt.asIntN(64, expression.value) !== expression.value) {
        throw invalid(`Invalid integer literal: ${expression.value}`, at);
      }
      return integerLiteral(expression.value);
    case 'float':
      return floatLiteral(Number(expression.text));
    case 'string':
      return stringLiteral(expression.value);
    case 'bytes':
      return { sql: `from_hex('${expression.hex}')`, type: { kind: 'BYTES' }, literal: true };
    case 'boolean':
      return booleanLiteral(expression.value);
    case 'null':
      return nullLiteral;
    case 'typed':
      return resolveTyped(expression.type, expression.text, at);
    case 'interval':
      throw unsupported('INTERVAL outside of date arithmetic', at);
    case 'parameter':
      return resolveParameter(expression, scope.context);
    case 'path':
      return resolvePath(expression.names, scope);
    case 'field':
      return fieldOf(resolveExpression(expression.operand, scope), expression.name);
    case 'subscript':
      return resolveSubscript(expression, scope);
    case 'array':
      return resolveArray(expression, scope);
    case 'struct':
      return resolveStruct(expression, scope);
    case 'unary':
      return resolveUnary(expression, scope);
    case 'binary':
      return resolveBinary(expression, scope);
    case 'between':
    case 'inList':
    case 'inQuery':
    case 'inUnnest':
    case 'like':
    case 'is':
    case 'distinctFrom':
      return resolveComparison(expression, scope);
    case 'case':
      return resolveCase(expression, scope);
    case 'cast':
      return castTo(
        resolveExpression(expression.operand, scope),
        typeOf(expression.type),
        expression.safe,
        expression.operand.at,
      );
    case 'extract':
      return resolveExtract(expression, scope);
    case 'scalarQuery': {
      const query = resolveQuery(expression.query, emptyScope(scope.context, scope));
      const [column, second] = query.columns;
      if (second)
        throw invalid(
          `Scalar subquery cannot have more than one column unless using SELECT AS STRUCT to build STRUCT values`,
          at,
        );
      return { sql: `(${query.sql})`, type: column!.type };
    }
    case 'exists':
      return {
        sql: `EXISTS (${resolveQuery(expression.query, emptyScope(scope.context, scope)).sql})`,
        type: { kind: 'BOOL' },
      };
    case 'arrayQuery': {
      const query = resolveQuery(inElementOrder(expression.query), emptyScope(scope.context, scope));
      const [column, second] = query.columns;
      if (second)
        throw invalid(
          'ARRAY subquery cannot have more than one column unless using SELECT AS STRUCT to build STRUCT values',
          at,
        );
      if (column!.type.kind === 'ARRAY')
        throw invalid(
          `Cannot use array subquery with column of type ${typeName(column!.type)} because nested arrays are not supported`,
          at,
        );
      return { sql: `ARRAY(${query.sql})`, type: { kind: 'ARRAY', element: column!.type } };
    }
    case 'named':
      throw unsupported(`Named argument ${expression.name.text}`, at);
    case 'call':
      return resolveCall(expression, scope);
  }
}

/** ARRAY(SELECT ... FROM UNNEST(list)) keeps the order of the list, which DuckDB by itself would not. */
function inElementOrder(query: Query): Query {
  const { body } = query;
  if (query.orderBy.length > 0 || body.kind !== 'select' || body.from?.kind !== 'unnest') return query;
  const hasStar = body.items.some(({ kind }) => kind === 'star');
  if (hasStar || body.distinct || body.groupBy || body.items.some(holdsAggregateItem)) return query;
  const offset = body.from.offset ?? { text: ' offset', at: body.from.at };
  const key: Expression = { kind: 'path', names: [offset], at: body.from.at };
  return {
    ...query,
    body: { ...body, from: { ...body.from, offset } },
    orderBy: [{ expression: key, descending: false, at: body.from.at }],
  };
}

const holdsAggregateItem = (item: SelectItem): boolean =>
  item.kind === 'expression' && holdsAggregate(item.expression);

/** A type as written. */
export function typeOf(expression: TypeExpression): SqlType {
  switch (expression.kind) {
    case 'array': {
      const element = typeOf(expression.element);
      if (element.kind === 'ARRAY') throw invalid('Arrays of arrays are not supported', expression.at);
      return { kind: 'ARRAY', element };
    }
    case 'struct':
      return {
        kind: 'STRUCT',
        fields: expression.fields.map(({ name, type }) => ({
          ...(name !== undefined && { name }),
          type: typeOf(type),
        })),
      };
    case 'scalar': {
      const kind = scalarKind(expression.name);
      if (kind) return { kind };
      if (/^(BIGNUMERIC|BIGDECIMAL|GEOGRAPHY|RANGE|INTERVAL|UUID)$/.test(expression.name)) {
        throw unsupported(`Type ${expression.name}`, expression.at);
      }
      throw invalid(`Type not found: ${expression.name}`, expression.at);
    }
  }
}

function resolveTyped(type: string, text: string, at: Position): Fragment {
  const kind = scalarKind(type);
  if (!kind) throw unsupported(`Type ${type}`, at);
  if (kind === 'JSON') {
    const json = normaliseJson(text);
    if (json === undefined) throw invalid(`Invalid JSON literal`, at);
    return { sql: `CAST(${quoteString(json)} AS JSON)`, type: { kind }, literal: true };
  }
  const literal = literalOfText(kind, text);
  if (!literal) throw invalid(`Invalid ${kind} literal`, at);
  // Unlike a string literal it is of its type and of no other.
  return { ...literal, literal: false };
}

/** `a.b.c`: a column or a range variable, then fields of it. */
export function resolvePath(names: Name[], scope: Scope): Fragment {
  const first = names[0]!;
  const found = lookUp(names, scope);
  if (!found) throw invalid(`Unrecognized name: ${first.text}`, first.at);
  let { fragment } = found;
  let used = found.used;
  const { grouping } = found.owner;
  if (!grouping || isAlias(fragment, found.owner)) {
    for (const name of names.slice(used)) fragment = fieldOf(fragment, name);
    return fragment;
  }
  for (;;) {
    const key = grouping.keys.find(({ sql }) => sql === fragment.sql);
    if (key) {
      fragment = key.column;
      for (const name of names.slice(used)) fragment = fieldOf(fragment, name);
      return fragment;
    }
    const next = names[used++];
    if (!next) break;
    fragment = fieldOf(fragment, next);
  }
  const what = names.length === 1 ? `column ${first.text}` : names.map(({ text }) => text).join('.');
  throw invalid(
    `${scope.clause ?? 'SELECT list'} expression references ${what} which is neither grouped nor aggregated`,
    first.at,
  );
}

const isAlias = (fragment: Fragment, scope: Scope): boolean =>
  [...(scope.aliases?.byName.values() ?? [])].includes(fragment);

/** A field of a struct or of a JSON object. */
export function fieldOf(operand: Fragment, name: Name): Fragment {
  const { type } = operand;
  if (type.kind === 'JSON') {
    return { sql: `json_extract(${operand.sql}, ${jsonStep(name.text)})`, type };
  }
  if (type.kind !== 'STRUCT') {
    throw invalid(`Cannot access field ${name.text} on a value with type ${typeName(type)}`, name.at);
  }
  const matching = type.fields.filter((field) => field.name?.toLowerCase() === name.text.toLowerCase());
  if (matching.length > 1) throw invalid(`Struct field name ${name.text} is ambiguous`, name.at);
  const field = matching[0];
  if (!field) throw invalid(`Field name ${name.text} does not exist in ${typeName(type)}`, name.at);
  return { sql: `struct_extract(${operand.sql}, ${quoteString(field.name!)})`, type: field.type };
}

/** One key as a DuckDB JSON path; a key that no path can quote is written as a JSON pointer. */
export function jsonStep(key: string): string {
  if (!/["\\]/.test(key)) return quoteString(`$."${key}"`);
  return quoteString(`/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
}

function resolveSubscript(expression: Expression & { kind: 'subscript' }, scope: Scope): Fragment {
  const operand = resolveExpression(expression.operand, scope);
  const index = resolveExpression(expression.index, scope);
  const { mode, at } = expression;
  if (operand.type.kind === 'JSON' && mode === 'PLAIN') return jsonElement(operand, index, at);
  if (operand.type.kind !== 'ARRAY') {
    throw invalid(
      `Subscript access using [INT64] is not supported on values of type ${typeName(operand.type)}`,
      at,
    );
  }
  if (mode === 'KEY' || mode === 'SAFE_KEY') throw unsupported(`Subscript ${mode}`, at);
  const position = coerce(index, { kind: 'INT64' }, at);
  if (!position)
    throw invalid(`Array position must be coercible to INT64 type, but has type ${typeName(index.type)}`, at);
  const macros = {
    PLAIN: 'gs_array_at',
    OFFSET: 'gs_array_at',
    ORDINAL: 'gs_array_at_ordinal',
    SAFE_OFFSET: 'gs_safe_array_at',
    SAFE_ORDINAL: 'gs_safe_array_at_ordinal',
  };
  const sql = bindOnce([operand.sql, position.sql], (bound) => `${macros[mode]}(${bound.join(', ')})`);
  return { sql, type: operand.type.element };
}

function jsonElement(operand: Fragment, index: Fragment, at: Position): Fragment {
  if (index.type.kind === 'STRING') {
    if (typeof index.value !== 'string') throw unsupported('JSON subscript that is no constant', at);
    return { sql: `json_extract(${operand.sql}, ${jsonStep(index.value)})`, type: operand.type };
  }
  if (index.type.kind !== 'INT64')
    throw invalid(
      `Subscript access using [${typeName(index.type)}] is not supported on values of type JSON`,
      at,
    );
  if (typeof index.value === 'bigint') {
    if (index.value < 0n) return { sql: 'CAST(NULL AS JSON)', type: operand.type };
    return { sql: `json_extract(${operand.sql}, '$[${index.value}]')`, type: operand.type };
  }
  const sql = bindOnce(
    [index.sql, operand.sql],
    ([i, json]) => `CASE WHEN ${i} >= 0 THEN json_extract(${json}, '$[' || ${i} || ']') END`,
  );
  return { sql: `(${sql})`, type: operand.type };
}

function resolveArray(expression: Expression & { kind: 'array' }, scope: Scope): Fragment {
  const { at } = expression;
  const elements = expression.elements.map((element) => resolveExpression(element, scope));
  if (expression.type) {
    const type = typeOf(expression.type);
    if (type.kind !== 'ARRAY') throw invalid('Expected an array type', at);
    const converted = elements.map((element, index) => {
      const coerced = coerce(element, type.element, at);
      if (!coerced) {
        throw invalid(
          `Array element type ${typeName(element.type)} does not coerce to ${typeName(type.element)}`,
          expression.elements[index]!.at,
        );
      }
      return coerced;
    });
    return { ...arrayOf(converted, type.element), literal: false };
  }
  if (elements.length === 0)
    return { sql: 'CAST([] AS BIGINT[])', type: { kind: 'ARRAY', element: { kind: 'NULL' } }, elements: [] };
  const unified = unify(
    elements,
    at,
    () =>
      `Array elements of types {${[...new Set(elements.map(({ type }) => typeName(type)))].join(', ')}} do not have a common supertype`,
  );
  if (unified.type.kind === 'ARRAY')
    throw invalid(
      'Cannot construct array with element type ARRAY because nested arrays are not supported',
      at,
    );
  return arrayOf(unified.fragments, unified.type);
}

function resolveStruct(expression: Expression & { kind: 'struct' }, scope: Scope): Fragment {
  const { at } = expression;
  const values = expression.fields.map(({ value }) => resolveExpression(value, scope));
  const names = expression.fields.map(
    ({ name, value }) => name ?? (expression.tuple ? undefined : impliedName(value)),
  );
  const struct = structOf(values, names, at);
  if (!expression.type) return struct;
  const type = typeOf(expression.type);
  const coerced = coerce(struct, type, at);
  if (!coerced) throw invalid(`STRUCT constructor does not match ${typeName(type)}`, at);
  return coerced;
}

/** A struct of these values under these names. */
export function structOf(values: Fragment[], names: (string | undefined)[], at: Position): Fragment {
  if (values.length === 0) throw unsupported('STRUCT without fields', at);
  const lower = names.flatMap((name) => (name === undefined ? [] : [name.toLowerCase()]));
  if (new Set(lower).size < lower.length) throw unsupported('STRUCT with two fields of one name', at);
  const fields = values.map(({ type }, index) => ({
    ...(names[index] !== undefined && { name: names[index] }),
    type,
  }));
  const parts = values.map(
    ({ sql }, index) => `${quoteName(structFieldName(fields[index]!, index))} := ${sql}`,
  );
  return { sql: `struct_pack(${parts.join(', ')})`, type: { kind: 'STRUCT', fields }, fields: values };
}

/** The name an expression gives its column when it has no alias: that of the column or field it is. */
export function impliedName(expression: Expression): string | undefined {
  if (expression.kind === 'path') return expression.names.at(-1)!.text;
  if (expression.kind === 'field') return expression.name.text;
  return undefined;
}

function resolveCase(expression: Expression & { kind: 'case' }, scope: Scope): Fragment {
  const { at } = expression;
  const operand = expression.operand && resolveExpression(expression.operand, scope);
  const whens = expression.branches.map(({ when }) => {
    const condition = resolveExpression(when, scope);
    if (operand) return condition;
    const boolean = coerce(condition, { kind: 'BOOL' }, at);
    if (!boolean) throw invalid(`CASE WHEN expects a BOOL but got ${typeName(condition.type)}`, when.at);
    return boolean;
  });
  const compared =
    operand && unify([operand, ...whens], at, () => 'No matching signature for operator CASE').fragments;
  const results = expression.branches.map(({ result }) => resolveExpression(result, scope));
  const otherwise = expression.otherwise ? resolveExpression(expression.otherwise, scope) : nullLiteral;
  const unified = unify(
    [...results, otherwise],
    at,
    () =>
      `No matching signature for operator CASE; all THEN/ELSE arguments must be coercible to a common type but found: ${[...results, otherwise].map(({ type }) => typeName(type)).join(', ')}`,
  );
  const branches = (compared?.slice(1) ?? whens).map(
    (when, index) => `WHEN ${when.sql} THEN ${unified.fragments[index]!.sql}`,
  );
  const start = compared ? `CASE ${compared[0]!.sql}` : 'CASE';
  return {
    sql: `${start} ${branches.join(' ')} ELSE ${unified.fragments.at(-1)!.sql} END`,
    type: unified.type,
  };
}
