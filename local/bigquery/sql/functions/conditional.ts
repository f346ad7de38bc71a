import type { Call, Expression } from '../ast.ts';
import { coerce, unify } from '../convert.ts';
import { invalid } from '../errors.ts';

import { bindOnce, type Fragment } from '../fragment.ts';
import { expectArguments } from '../resolve-call.ts';
import { resolveExpression } from '../resolve-expression.ts';
import { compare } from '../resolve-operator.ts';
import type { Scope } from '../scope.ts';
import { typeName } from '../types.ts';

type Special = (call: Call, scope: Scope) => Fragment;

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/conditional_expressions */
export const conditionals: [string, Special][] = [
  [
    'IF',
    (call, scope) => {
      const [condition, then, otherwise] = expectArguments(call, 3, 3).map((argument) =>
        resolveExpression(argument, scope),
      ) as [Fragment, Fragment, Fragment];
      const boolean = coerce(condition, { kind: 'BOOL' }, call.at);
      if (!boolean) throw noMatch(call, [condition, then, otherwise]);
      const { type, fragments } = unify([then, otherwise], call.at, () =>
        noMatch(call, [condition, then, otherwise]).message.replace(/ at \[.*$/, ''),
      );
      return {
        sql: `(CASE WHEN ${boolean.sql} THEN ${fragments[0]!.sql} ELSE ${fragments[1]!.sql} END)`,
        type,
      };
    },
  ],
  ['COALESCE', (call, scope) => coalesce(call, scope, 1, Number.POSITIVE_INFINITY)],
  ['IFNULL', (call, scope) => coalesce(call, scope, 2, 2)],
  [
    'NULLIF',
    (call, scope) => {
      const operands = resolveAll(expectArguments(call, 2, 2), scope);
      const { type, fragments } = unify(
        operands,
        call.at,
        () =>
          `No matching signature for function NULLIF for argument types: ${operands.map((operand) => typeName(operand.type)).join(', ')}`,
      );
      const [a, b] = fragments as [Fragment, Fragment];
      const sql = bindOnce([a.sql, b.sql], ([left, right]) => {
        const equal = compare('=', { ...a, sql: left! }, { ...b, sql: right! }, call.at);
        return `CASE WHEN ${equal.sql} THEN NULL ELSE ${left} END`;
      });
      return { sql: `(${sql})`, type };
    },
  ],
  ['GREATEST', (call, scope) => extreme('greatest', call, scope)],
  ['LEAST', (call, scope) => extreme('least', call, scope)],
  [
    'ERROR',
    (call, scope) => {
      const [message] = resolveAll(expectArguments(call, 1, 1), scope);
      const text = coerce(message!, { kind: 'STRING' }, call.at);
      if (!text) throw noMatch(call, [message!]);
      return { sql: `error(${text.sql})`, type: { kind: 'NULL' } };
    },
  ],
];

const resolveAll = (expressions: Expression[], scope: Scope): Fragment[] =>
  expressions.map((expression) => resolveExpression(expression, scope));

function noMatch(call: Call, operands: Fragment[]): Error {
  return invalid(
    `No matching signature for function ${call.name} for argument types: ${operands.map(({ type }) => typeName(type)).join(', ')}${call.name === 'IF' ? '. Supported signature: IF(BOOL, ANY, ANY)' : ''}`,
    call.at,
  );
}

function coalesce(call: Call, scope: Scope, least: number, most: number): Fragment {
  const operands = resolveAll(expectArguments(call, least, most), scope);
  const { type, fragments } = unify(
    operands,
    call.at,
    () =>
      `No matching signature for function ${call.name} for argument types: ${operands.map((operand) => typeName(operand.type)).join(', ')}. Supported signature: ${call.name === 'COALESCE' ? 'COALESCE([ANY, ...])' : 'IFNULL(ANY, ANY)'}`,
  );
  return { sql: `COALESCE(${fragments.map(({ sql }) => sql).join(', ')})`, type };
}

/** NULL if any operand is, where DuckDB would pass over it. */
function extreme(name: string, call: Call, scope: Scope): Fragment {
  const operands = resolveAll(expectArguments(call, 1, Number.POSITIVE_INFINITY), scope);
  const { type, fragments } = unify(
    operands,
    call.at,
    () =>
      `No matching signature for function ${call.name} for argument types: ${operands.map((operand) => typeName(operand.type)).join(', ')}`,
  );
  if (['JSON', 'STRUCT', 'ARRAY'].includes(type.kind)) throw noMatch(call, operands);
  const sql = bindOnce(
    fragments.map((fragment) => fragment.sql),
    (bound) => {
      const anyNull = bound.map((operand) => `${operand} IS NULL`).join(' OR ');
      const nan =
        type.kind === 'FLOAT64'
          ? ` WHEN ${bound.map((operand) => `isnan(${operand})`).join(' OR ')} THEN CAST('nan' AS DOUBLE)`
          : '';
      return `CASE WHEN ${anyNull} THEN NULL${nan} ELSE ${name}(${bound.join(', ')}) END`;
    },
  );
  return { sql: `(${sql})`, type };
}
