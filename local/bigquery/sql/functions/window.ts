import type { Call, FrameBound, Name, WindowSpecification } from '../ast.ts';
import { coerce } from '../convert.ts';
import { invalid } from '../errors.ts';
import { type Fragment, integerSql } from '../fragment.ts';
import { resolveExpression } from '../resolve-expression.ts';
import { constantInteger } from '../resolve-operator.ts';
import { orderKeySql } from '../resolve-query.ts';
import type { Scope } from '../scope.ts';
import { type SqlType, typeName } from '../types.ts';
import { aggregateOver, isAggregate } from './aggregate.ts';

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/window-function-calls */

interface WindowCall {
  call: Call;
  operands: Fragment[];
  over: string;
  nulls: string;
}

const int64: SqlType = { kind: 'INT64' };
const float64: SqlType = { kind: 'FLOAT64' };

const ranking =
  (name: string, type: SqlType) =>
  (window: WindowCall): Fragment => {
    if (window.operands.length > 0) throw noMatch(window);
    return { sql: `${name}()${window.over}`, type };
  };

const windowFunctions = new Map<string, (window: WindowCall) => Fragment>([
  ['ROW_NUMBER', ranking('row_number', int64)],
  ['RANK', ranking('rank', int64)],
  ['DENSE_RANK', ranking('dense_rank', int64)],
  ['PERCENT_RANK', ranking('percent_rank', float64)],
  ['CUME_DIST', ranking('cume_dist', float64)],
  ['NTILE', (window) => ({ sql: `ntile(${constantOperand(window, 0)})${window.over}`, type: int64 })],
  ['LAG', (window) => shift('lag', window)],
  ['LEAD', (window) => shift('lead', window)],
  ['FIRST_VALUE', (window) => value('first_value', window)],
  ['LAST_VALUE', (window) => value('last_value', window)],
  [
    'NTH_VALUE',
    (window) => {
      const [operand] = window.operands;
      if (!operand || window.operands.length !== 2) throw noMatch(window);
      return {
        sql: `nth_value(${operand.sql}, ${constantOperand(window, 1)}${window.nulls})${window.over}`,
        type: operand.type,
      };
    },
  ],
  ['PERCENTILE_CONT', (window) => percentile('quantile_cont', window, float64)],
  ['PERCENTILE_DISC', (window) => percentile('quantile_disc', window)],
]);

export const isWindowFunction = (name: string): boolean => windowFunctions.has(name);

/** A call with OVER. */
export function resolveWindowCall(call: Call, over: WindowSpecification | Name, scope: Scope): Fragment {
  const { name, at } = call;
  const allowed = ['SELECT list', 'ORDER BY clause', 'QUALIFY clause'];
  if (scope.clause && !allowed.includes(scope.clause))
    throw invalid(`Analytic function not allowed in ${scope.clause}`, at);
  const inner: Scope = { ...scope, clause: 'window function' };
  const clause = ` OVER (${windowSql(resolveWindow(over, scope), inner, over)})`;
  if (isAggregate(name)) return aggregateOver(call, inner, clause);
  const resolve = windowFunctions.get(name);
  if (!resolve) throw invalid(`Function ${name} does not support an OVER clause`, at);
  const operands = call.arguments.map((argument) => resolveExpression(argument, inner));
  return resolve({ call, operands, over: clause, nulls: call.nulls ? ` ${call.nulls} NULLS` : '' });
}

/** A window with what it takes from the named windows it builds on. */
function resolveWindow(
  over: WindowSpecification | Name,
  scope: Scope,
  seen: string[] = [],
): WindowSpecification {
  const base = 'text' in over ? over : over.base;
  if (!base) return over as WindowSpecification;
  const key = base.text.toLowerCase();
  const found = scope.windows.get(key);
  if (!found || seen.includes(key)) throw invalid(`Unrecognized window alias ${base.text}`, base.at);
  const resolved = resolveWindow(found, scope, [...seen, key]);
  if ('text' in over) return resolved;
  return {
    partitionBy: over.partitionBy.length > 0 ? over.partitionBy : resolved.partitionBy,
    orderBy: over.orderBy.length > 0 ? over.orderBy : resolved.orderBy,
    ...((over.frame ?? resolved.frame) && { frame: over.frame ?? resolved.frame! }),
    at: over.at,
  };
}

function windowSql(window: WindowSpecification, scope: Scope, over: WindowSpecification | Name): string {
  const parts: string[] = [];
  if (window.partitionBy.length > 0) {
    const keys = window.partitionBy.map((expression) => {
      const key = resolveExpression(expression, scope);
      if (['JSON', 'ARRAY', 'STRUCT'].includes(key.type.kind))
        throw invalid(
          `Partitioning by expressions of type ${typeName(key.type)} is not allowed`,
          expression.at,
        );
      return key.sql;
    });
    parts.push(`PARTITION BY ${keys.join(', ')}`);
  }
  if (window.orderBy.length > 0) {
    const offset =
      window.frame && [window.frame.start, window.frame.end].some((bound) => bound && 'distance' in bound);
    const keys = window.orderBy.map((item) => {
      const key = resolveExpression(item.expression, scope);
      // A RANGE with a distance admits one key only.
      if (offset && window.frame?.unit === 'RANGE' && key.type.kind === 'FLOAT64')
        return orderKeySql({ ...key, type: int64 }, item);
      return orderKeySql(key, item);
    });
    parts.push(`ORDER BY ${keys.join(', ')}`);
  }
  if (window.frame) {
    const start = boundSql(window.frame.start, scope, over);
    const end = window.frame.end ? boundSql(window.frame.end, scope, over) : 'CURRENT ROW';
    parts.push(`${window.frame.unit} BETWEEN ${start} AND ${end}`);
  }
  return parts.join(' ');
}

function boundSql(bound: FrameBound, scope: Scope, over: WindowSpecification | Name): string {
  if (!('distance' in bound)) return bound.kind;
  const distance = resolveExpression(bound.distance, { ...scope, variables: [] });
  if (typeof distance.value !== 'bigint' && typeof distance.value !== 'number') {
    throw invalid('Window framing expression must be a literal or query parameter', over.at);
  }
  return `${distance.sql} ${bound.kind}`;
}

function noMatch({ call, operands }: WindowCall): Error {
  return invalid(
    `No matching signature for window function ${call.name} for argument types: ${operands.map(({ type }) => typeName(type)).join(', ')}`,
    call.at,
  );
}

function constantOperand(window: WindowCall, index: number): string {
  const operand = window.operands[index];
  if (!operand) throw noMatch(window);
  const number = constantInteger(operand, window.call.name, window.call.at);
  if (number < 1n) throw invalid(`Argument of ${window.call.name} must be positive`, window.call.at);
  return integerSql(number);
}

function shift(name: string, window: WindowCall): Fragment {
  const [operand, offset, otherwise] = window.operands;
  if (!operand || window.operands.length > 3) throw noMatch(window);
  const parts = [operand.sql];
  if (offset) {
    const distance = constantInteger(offset, window.call.name, window.call.at);
    if (distance < 0n)
      throw invalid(`The second argument of ${window.call.name} must be non-negative`, window.call.at);
    parts.push(integerSql(distance));
  }
  if (otherwise) {
    const converted = coerce(otherwise, operand.type, window.call.at);
    if (!converted) throw noMatch(window);
    parts.push(converted.sql);
  }
  return { sql: `${name}(${parts.join(', ')}${window.nulls})${window.over}`, type: operand.type };
}

function value(name: string, window: WindowCall): Fragment {
  const [operand] = window.operands;
  if (!operand || window.operands.length > 1) throw noMatch(window);
  return { sql: `${name}(${operand.sql}${window.nulls})${window.over}`, type: operand.type };
}

function percentile(name: string, window: WindowCall, type?: SqlType): Fragment {
  const [operand, place] = window.operands;
  if (!operand || !place || window.operands.length > 2 || window.call.nulls === 'RESPECT')
    throw noMatch(window);
  const converted = type ? coerce(operand, type, window.call.at) : operand;
  const fraction = coerce(place, float64, window.call.at);
  if (!converted || typeof fraction?.value !== 'number') throw noMatch(window);
  return { sql: `${name}(${converted.sql}, ${fraction.value})${window.over}`, type: type ?? operand.type };
}
