import type { Expression, Query, SelectItem, TypeExpression } from './ast.ts';
import { castTo, coerce, unify } from './convert.ts';
import { GoogleSqlError, invalid, type Position, unsupported } from './errors.ts';
import {
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
import { resolveArray, resolveStruct } from './resolve-composite.ts';
import { resolveBinary, resolveComparison, resolveUnary } from './resolve-operator.ts';
import { resolveParameter } from './resolve-parameter.ts';
import { fieldOf, resolvePath, resolveSubscript } from './resolve-path.ts';
import { resolveQuery } from './resolve-query.ts';
import { emptyScope, type Scope } from './scope.ts';
import { type SqlType, scalarKind, typeName } from './types.ts';

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
    const json = normaliseJson(text, 'round');
    if (json === undefined) throw invalid(`Invalid JSON literal`, at);
    return { sql: `CAST(${quoteString(json)} AS JSON)`, type: { kind }, literal: true };
  }
  const literal = literalOfText(kind, text);
  if (!literal) throw invalid(`Invalid ${kind} literal`, at);
  // Unlike a string literal it is of its type and of no other.
  return { ...literal, literal: false };
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
