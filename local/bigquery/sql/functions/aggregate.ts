import type { Call, Expression } from '../ast.ts';
import { coerce } from '../convert.ts';
import { invalid, unsupported } from '../errors.ts';
import type { Fragment } from '../fragment.ts';
import { resolveExpression } from '../resolve-expression.ts';
import { constantInteger } from '../resolve-operator.ts';
import { orderKeySql } from '../resolve-query.ts';
import type { Scope } from '../scope.ts';
import { type SqlType, typeName } from '../types.ts';

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/aggregate_functions */

interface AggregateCall {
  call: Call;
  operands: Fragment[];
  /** ` OVER (...)`, or nothing. */
  over: string;
  /** ` ORDER BY ...` for inside the parentheses, or nothing. */
  orderBy: string;
  scope: Scope;
}

type Aggregate = (aggregate: AggregateCall) => Fragment;

const int64: SqlType = { kind: 'INT64' };
const float64: SqlType = { kind: 'FLOAT64' };
const boolean: SqlType = { kind: 'BOOL' };

const aggregates = new Map<string, Aggregate>([
  ['COUNT', count],
  [
    'COUNTIF',
    ({ call, operands, over }) => ({
      sql: `count(CASE WHEN ${convert(call, operands, 0, boolean).sql} THEN ${call.distinct ? 'true' : '1'} END)${over}`,
      type: int64,
    }),
  ],
  ['SUM', sum],
  ['AVG', average],
  ['MIN', (aggregate) => extreme('min', aggregate)],
  ['MAX', (aggregate) => extreme('max', aggregate)],
  ['ANY_VALUE', anyValue],
  ['MAX_BY', (aggregate) => extremeBy('arg_max_null', aggregate)],
  ['MIN_BY', (aggregate) => extremeBy('arg_min_null', aggregate)],
  ['ARRAY_AGG', arrayAgg],
  [
    'ARRAY_CONCAT_AGG',
    ({ call, operands, over, orderBy }) => {
      const [array] = one(call, operands);
      if (array!.type.kind !== 'ARRAY') throw noMatch(call, operands);
      return {
        sql: `flatten(list(${array!.sql}${orderBy}) FILTER (WHERE ${array!.sql} IS NOT NULL)${over})`,
        type: array!.type,
      };
    },
  ],
  ['STRING_AGG', stringAgg],
  [
    'LOGICAL_AND',
    ({ call, operands, over }) => ({
      sql: `bool_and(${convert(call, operands, 0, boolean).sql})${over}`,
      type: boolean,
    }),
  ],
  [
    'LOGICAL_OR',
    ({ call, operands, over }) => ({
      sql: `bool_or(${convert(call, operands, 0, boolean).sql})${over}`,
      type: boolean,
    }),
  ],
  ['BIT_AND', bits('bit_and')],
  ['BIT_OR', bits('bit_or')],
  ['BIT_XOR', bits('bit_xor')],
  // An exact count is within every bound the approximate one promises.
  [
    'APPROX_COUNT_DISTINCT',
    (aggregate) => count({ ...aggregate, call: { ...aggregate.call, distinct: true } }),
  ],
  ['APPROX_QUANTILES', approximateQuantiles],
  ['STDDEV', statistic('stddev_samp')],
  ['STDDEV_SAMP', statistic('stddev_samp')],
  ['STDDEV_POP', statistic('stddev_pop')],
  ['VARIANCE', statistic('var_samp')],
  ['VAR_SAMP', statistic('var_samp')],
  ['VAR_POP', statistic('var_pop')],
  ['CORR', statistic('corr', 2)],
  ['COVAR_POP', statistic('covar_pop', 2)],
  ['COVAR_SAMP', statistic('covar_samp', 2)],
]);

export const isAggregate = (name: string): boolean => aggregates.has(name);

/** Whether an expression holds an aggregate of its own SELECT, which makes that SELECT a grouping one. */
export function holdsAggregate(expression: Expression): boolean {
  return holds(expression);
}

/** Whether a call with OVER stands in what was written, outside of subqueries. */
export function holdsWindowCall(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(holdsWindowCall);
  if (typeof node !== 'object' || node === null || 'body' in node) return false;
  if ('over' in node && node.over) return true;
  return Object.values(node).some(holdsWindowCall);
}

function holds(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(holds);
  if (typeof node !== 'object' || node === null || 'body' in node) return false;
  if ('kind' in node && node.kind === 'call' && 'name' in node && typeof node.name === 'string') {
    if (isAggregate(node.name) && !('over' in node && node.over)) return true;
  }
  return Object.values(node).some(holds);
}

/** An aggregate without OVER: a column of the grouped rows. */
export function resolveAggregate(call: Call, scope: Scope): Fragment {
  const { grouping } = scope;
  if (!grouping) {
    if (scope.clause === 'Aggregate') throw invalid(`Aggregations of aggregations are not allowed`, call.at);
    throw invalid(
      `Aggregate function ${call.name}${call.star ? '(*)' : ''} not allowed in ${scope.clause ?? 'this place'}`,
      call.at,
    );
  }
  const resolved = aggregateOver(call, grouping.base, '');
  const known = grouping.aggregates.find(({ sql }) => sql === resolved.sql);
  if (known) return known.column;
  const column: Fragment = {
    sql: `${grouping.alias}.a${grouping.aggregates.length + 1}`,
    type: resolved.type,
  };
  grouping.aggregates.push({ sql: resolved.sql, column });
  return column;
}

/** An aggregate as DuckDB SQL, with ` OVER (...)` when it is a window function. */
export function aggregateOver(call: Call, scope: Scope, over: string): Fragment {
  if (call.safe) throw unsupported(`SAFE.${call.name}`, call.at);
  if (!over && call.arguments.some(holdsAggregate))
    throw invalid('Aggregations of aggregations are not allowed', call.at);
  const operands = call.arguments.map((argument) => resolveExpression(argument, scope));
  if (call.star && call.name !== 'COUNT') throw invalid(`Argument * can only be used in COUNT(*)`, call.at);
  if (call.having && !['ANY_VALUE'].includes(call.name))
    throw unsupported(`HAVING ${call.having.kind} in ${call.name}`, call.at);
  if (call.orderBy.length > 0 && !['ARRAY_AGG', 'STRING_AGG', 'ARRAY_CONCAT_AGG'].includes(call.name)) {
    throw invalid(`ORDER BY in arguments of ${call.name} is not supported`, call.at);
  }
  if (call.limit && !['ARRAY_AGG', 'STRING_AGG'].includes(call.name))
    throw invalid(`LIMIT in arguments of ${call.name} is not supported`, call.at);
  if (call.nulls && !['ARRAY_AGG', 'ANY_VALUE'].includes(call.name)) {
    throw invalid(`${call.nulls} NULLS is not allowed for aggregate function ${call.name}`, call.at);
  }
  if (over && (call.orderBy.length > 0 || call.limit))
    throw invalid(`${call.name} with ORDER BY in its arguments cannot have an OVER clause`, call.at);
  const keys = call.orderBy.map((item) => orderKeySql(resolveExpression(item.expression, scope), item));
  const orderBy = keys.length > 0 ? ` ORDER BY ${keys.join(', ')}` : '';
  return aggregates.get(call.name)!({ call, operands, over, orderBy, scope });
}

function noMatch(call: Call, operands: Fragment[]): Error {
  return invalid(
    `No matching signature for aggregate function ${call.name} for argument types: ${operands.map(({ type }) => typeName(type)).join(', ')}${signaturesOf[call.name] ?? ''}`,
    call.at,
  );
}

function one(call: Call, operands: Fragment[]): Fragment[] {
  if (operands.length !== 1) throw noMatch(call, operands);
  return operands;
}

function convert(call: Call, operands: Fragment[], index: number, type: SqlType): Fragment {
  const operand = operands[index] && coerce(operands[index], type, call.at);
  if (!operand) throw noMatch(call, operands);
  return operand;
}

const signaturesOf: Record<string, string> = Object.fromEntries(
  ['SUM', 'AVG'].map((name) => [
    name,
    `. Supported signatures: ${['INT64', 'FLOAT64', 'NUMERIC', 'BIGNUMERIC'].map((type) => `${name}(${type})`).join('; ')}`,
  ]),
);

const distinctWord = (call: Call): string => (call.distinct ? 'DISTINCT ' : '');

function count({ call, operands, over }: AggregateCall): Fragment {
  if (call.star) return { sql: `count(*)${over}`, type: int64 };
  const [operand] = one(call, operands);
  if (call.distinct) requireGroupable(operand!, call);
  return { sql: `count(${distinctWord(call)}${operand!.sql})${over}`, type: int64 };
}

function requireGroupable({ type }: Fragment, call: Call): void {
  if (type.kind === 'JSON' || type.kind === 'ARRAY')
    throw invalid(
      `Aggregate functions with DISTINCT cannot be used with arguments of type ${type.kind}`,
      call.at,
    );
}

function sum({ call, operands, over }: AggregateCall): Fragment {
  const [operand] = one(call, operands);
  const argument = `sum(${distinctWord(call)}${operand!.sql})${over}`;
  switch (operand!.type.kind) {
    case 'INT64':
      return { sql: `CAST(${argument} AS BIGINT)`, type: int64 };
    case 'NULL':
      return { sql: `CAST(sum(CAST(NULL AS BIGINT))${over} AS BIGINT)`, type: int64 };
    case 'FLOAT64':
      return { sql: argument, type: float64 };
    case 'NUMERIC':
      return { sql: `CAST(${argument} AS DECIMAL(38,9))`, type: operand!.type };
    default:
      throw noMatch(call, operands);
  }
}

function average({ call, operands, over }: AggregateCall): Fragment {
  if (operands[0]?.type.kind === 'NUMERIC') throw unsupported('AVG of NUMERIC', call.at);
  return {
    sql: `avg(${distinctWord(call)}${convert(call, one(call, operands), 0, float64).sql})${over}`,
    type: float64,
  };
}

function extreme(name: 'min' | 'max', { call, operands, over }: AggregateCall): Fragment {
  const [operand] = one(call, operands);
  const { type } = operand!;
  if (type.kind === 'JSON' || type.kind === 'ARRAY' || type.kind === 'STRUCT') throw noMatch(call, operands);
  if (type.kind === 'NULL') return { sql: `${name}(CAST(NULL AS BIGINT))${over}`, type: int64 };
  if (type.kind !== 'FLOAT64') return { sql: `${name}(${operand!.sql})${over}`, type };
  // One NaN makes the whole NaN.
  const sql = `CASE WHEN bool_or(isnan(${operand!.sql}))${over} THEN CAST('nan' AS DOUBLE) ELSE ${name}(${operand!.sql})${over} END`;
  return { sql: `(${sql})`, type };
}

function anyValue({ call, operands, over, scope }: AggregateCall): Fragment {
  const [operand] = one(call, operands);
  const type = operand!.type.kind === 'NULL' ? int64 : operand!.type;
  if (!call.having)
    return { sql: `${call.nulls === 'IGNORE' ? 'any_value' : 'any_value'}(${operand!.sql})${over}`, type };
  const by = resolveExpression(call.having.expression, scope);
  return {
    sql: `arg_${call.having.kind === 'MAX' ? 'max' : 'min'}_null(${operand!.sql}, ${by.sql})${over}`,
    type,
  };
}

function extremeBy(name: string, { call, operands, over }: AggregateCall): Fragment {
  const [value, by] = operands;
  if (!value || !by || operands.length > 2) throw noMatch(call, operands);
  return { sql: `${name}(${value.sql}, ${by.sql})${over}`, type: value.type };
}

function arrayAgg({ call, operands, over, orderBy, scope }: AggregateCall): Fragment {
  const [operand] = one(call, operands);
  if (operand!.type.kind === 'ARRAY')
    throw invalid('The argument to ARRAY_AGG must not be an array type', call.at);
  if (call.distinct) requireGroupable(operand!, call);
  const element = operand!.type.kind === 'NULL' ? int64 : operand!.type;
  const filter = call.nulls === 'IGNORE' ? ` FILTER (WHERE ${operand!.sql} IS NOT NULL)` : '';
  const list = `list(${distinctWord(call)}${operand!.sql}${orderBy})${filter}${over}`;
  return { sql: limited(list, call, scope), type: { kind: 'ARRAY', element } };
}

function limited(list: string, call: Call, scope: Scope): string {
  if (!call.limit) return list;
  const limit = constantInteger(resolveExpression(call.limit, { ...scope, variables: [] }), 'LIMIT', call.at);
  return `list_slice(${list}, 1, ${limit})`;
}

function stringAgg({ call, operands, over, orderBy, scope }: AggregateCall): Fragment {
  const [value, separator] = operands;
  if (!value || operands.length > 2) throw noMatch(call, operands);
  if (value.type.kind === 'BYTES') throw unsupported('STRING_AGG of BYTES', call.at);
  const text = convert(call, operands, 0, { kind: 'STRING' });
  if (separator && typeof separator.value !== 'string')
    throw invalid('Argument 2 to STRING_AGG must be a literal or query parameter', call.at);
  const between = separator ? separator.sql : "','";
  const type: SqlType = { kind: 'STRING' };
  if (!call.limit)
    return { sql: `string_agg(${distinctWord(call)}${text.sql}, ${between}${orderBy})${over}`, type };
  const list = `list(${distinctWord(call)}${text.sql}${orderBy}) FILTER (WHERE ${text.sql} IS NOT NULL)${over}`;
  return { sql: `array_to_string(${limited(list, call, scope)}, ${between})`, type };
}

function bits(name: string): Aggregate {
  return ({ call, operands, over }) => ({
    sql: `${name}(${distinctWord(call)}${convert(call, one(call, operands), 0, int64).sql})${over}`,
    type: int64,
  });
}

/** The exact quantiles, which are one of the answers the approximate ones may give. */
function approximateQuantiles({ call, operands, over }: AggregateCall): Fragment {
  const [value, parts] = operands;
  if (!value || !parts || operands.length > 2) throw noMatch(call, operands);
  if (['ARRAY', 'STRUCT', 'JSON'].includes(value.type.kind)) throw noMatch(call, operands);
  const number = constantInteger(parts, 'APPROX_QUANTILES', call.at);
  if (number < 1n || number > 100_000n)
    throw invalid('The second argument to APPROX_QUANTILES must be positive', call.at);
  if (call.nulls === 'RESPECT') throw unsupported('APPROX_QUANTILES with RESPECT NULLS', call.at);
  const places = Array.from({ length: Number(number) + 1 }, (_, index) => `${index}/${number}.0e0`);
  return {
    sql: `quantile_disc(${distinctWord(call)}${value.sql}, [${places.join(', ')}])${over}`,
    type: { kind: 'ARRAY', element: value.type },
  };
}

function statistic(name: string, count = 1): Aggregate {
  return ({ call, operands, over }) => {
    if (operands.length !== count) throw noMatch(call, operands);
    const numbers = operands.map((_, index) => convert(call, operands, index, float64).sql);
    return { sql: `${name}(${distinctWord(call)}${numbers.join(', ')})${over}`, type: float64 };
  };
}
