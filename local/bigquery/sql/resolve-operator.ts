import type { Expression } from './ast.ts';
import { coerce, supertype } from './convert.ts';
import { invalid, type Position, unsupported } from './errors.ts';
import { bindOnce, type Fragment, integerLiteral } from './fragment.ts';
import { addInterval } from './functions/date-arithmetic.ts';
import { resolveExpression } from './resolve-expression.ts';
import { resolveQuery } from './resolve-query.ts';
import { emptyScope, type Scope } from './scope.ts';
import { isNumeric, type SqlType, typeName } from './types.ts';

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/operators */

const operatorSignatures: Record<string, string> = {
  ...Object.fromEntries(
    ['=', '!=', '<', '<=', '>', '>='].map((operator) => [operator, `ANY ${operator} ANY`]),
  ),
  NOT: 'NOT (BOOL)',
  AND: '(BOOL) AND (BOOL)',
  OR: '(BOOL) OR (BOOL)',
  BETWEEN: '(ANY) BETWEEN (ANY) AND (ANY)',
};

export function noOperator(operator: string, operands: Fragment[], at: Position): Error {
  const types = operands.map(({ type }) => typeName(type)).join(', ');
  const signature = operatorSignatures[operator];
  const supported = signature ? `. Supported signature: ${signature}` : '';
  return invalid(
    `No matching signature for operator ${operator} for argument types: ${types}${supported}`,
    at,
  );
}

/** `- + ~ NOT`. */
export function resolveUnary(expression: Expression & { kind: 'unary' }, scope: Scope): Fragment {
  const { operator, at } = expression;
  refuseNull(operator, expression.operand);
  const operand = resolveExpression(expression.operand, scope);
  if (operator === 'NOT') return { sql: `(NOT ${truth(operand, 'NOT', at).sql})`, type: { kind: 'BOOL' } };
  const number = operand.type.kind === 'NULL' ? coerce(operand, { kind: 'INT64' }, at)! : operand;
  if (!isNumeric(number.type)) throw noOperator(operator, [operand], at);
  if (operator === '+') return number;
  if (operator === '~') {
    if (number.type.kind !== 'INT64') throw noOperator(operator, [operand], at);
    return { sql: `(~${number.sql})`, type: number.type };
  }
  return { sql: `(-${number.sql})`, type: number.type };
}

/** GoogleSQL takes `x = NULL` for a mistake; `x = CAST(NULL AS INT64)` it lets pass. */
function refuseNull(operator: string, operand: Expression): void {
  if (operand.kind === 'null') throw invalid(`Operands of ${operator} cannot be literal NULL`, operand.at);
}

function truth(operand: Fragment, operator: string, at: Position): Fragment {
  const boolean = coerce(operand, { kind: 'BOOL' }, at);
  if (!boolean) throw noOperator(operator, [operand], at);
  return boolean;
}

export function resolveBinary(expression: Expression & { kind: 'binary' }, scope: Scope): Fragment {
  const { operator, at } = expression;
  if ((operator === '+' || operator === '-') && expression.right.kind === 'interval') {
    const operand = resolveExpression(expression.left, scope);
    return addInterval(operand, expression.right, operator === '-', scope);
  }
  const takesNull = ['AND', 'OR', '<<', '>>'].includes(operator);
  for (const operand of [expression.left, expression.right]) if (!takesNull) refuseNull(operator, operand);
  const left = resolveExpression(expression.left, scope);
  const right = resolveExpression(expression.right, scope);
  if (operator === 'AND' || operator === 'OR') {
    return {
      sql: `(${truth(left, operator, at).sql} ${operator} ${truth(right, operator, at).sql})`,
      type: { kind: 'BOOL' },
    };
  }
  if (operator === '||') return concatenate(left, right, at);
  if (['+', '-', '*', '/'].includes(operator)) return calculate(operator, left, right, at);
  if (['|', '&', '^', '<<', '>>'].includes(operator)) return combineBits(operator, left, right, at);
  return compare(operator, left, right, at);
}

function concatenate(left: Fragment, right: Fragment, at: Position): Fragment {
  const type = supertype([left, right]);
  if (!type || !['STRING', 'BYTES', 'ARRAY'].includes(type.kind)) {
    if (left.type.kind === 'NULL' && right.type.kind === 'NULL')
      return { sql: 'CAST(NULL AS VARCHAR)', type: { kind: 'STRING' } };
    throw noOperator('||', [left, right], at);
  }
  const operands = [left, right].map((operand) => coerce(operand, type, at)!.sql);
  if (type.kind !== 'ARRAY') return { sql: `(${operands.join(' || ')})`, type };
  const sql = bindOnce(
    operands,
    ([a, b]) => `CASE WHEN ${a} IS NULL OR ${b} IS NULL THEN NULL ELSE list_concat(${a}, ${b}) END`,
  );
  return { sql: `(${sql})`, type };
}

function calculate(operator: string, left: Fragment, right: Fragment, at: Position): Fragment {
  const dated = calculateDate(operator, left, right, at);
  if (dated) return dated;
  let type = supertype([left, right]);
  if (!type || !isNumeric(type)) throw noOperator(operator, [left, right], at);
  if (operator === '/' && type.kind === 'INT64') type = { kind: 'FLOAT64' };
  const operands = [left, right].map((operand) => coerce(operand, type, at)!.sql) as [string, string];
  if (type.kind === 'NUMERIC' && (operator === '*' || operator === '/'))
    throw unsupported(`NUMERIC ${operator}`, at);
  if (operator === '/') return { sql: bindOnce(operands, ([a, b]) => `gs_divide(${a}, ${b})`), type };
  if (type.kind !== 'FLOAT64') return { sql: `(${operands.join(` ${operator} `)})`, type };
  const sql = bindOnce(operands, ([a, b]) => `gs_finite2(${a} ${operator} ${b}, ${a}, ${b})`);
  return { sql, type };
}

/** DATE plus or minus days. */
function calculateDate(
  operator: string,
  left: Fragment,
  right: Fragment,
  at: Position,
): Fragment | undefined {
  if (left.type.kind === 'DATE' && right.type.kind === 'INT64' && operator !== '*' && operator !== '/') {
    return { sql: `CAST(${left.sql} ${operator} CAST(${right.sql} AS INTEGER) AS DATE)`, type: left.type };
  }
  if (left.type.kind === 'INT64' && right.type.kind === 'DATE' && operator === '+') {
    return calculateDate(operator, right, left, at);
  }
  const dates = ['DATE', 'TIMESTAMP', 'DATETIME', 'TIME'];
  if (operator === '-' && dates.includes(left.type.kind) && left.type.kind === right.type.kind) {
    throw unsupported(`${left.type.kind} - ${right.type.kind} (an INTERVAL)`, at);
  }
  return undefined;
}

function combineBits(operator: string, left: Fragment, right: Fragment, at: Position): Fragment {
  const operands = [left, right].map((operand) => coerce(operand, { kind: 'INT64' }, at)?.sql);
  const [a, b] = operands;
  if (!a || !b) throw noOperator(operator, [left, right], at);
  const type: SqlType = { kind: 'INT64' };
  if (operator === '^') return { sql: `xor(${a}, ${b})`, type };
  if (operator === '<<' || operator === '>>') throw unsupported(`Operator ${operator}`, at);
  return { sql: `(${a} ${operator} ${b})`, type };
}

/** `= != < <= > >=` of two operands; DuckDB holds NaN equal to itself and above all numbers, GoogleSQL does not. */
export function compare(operator: string, left: Fragment, right: Fragment, at: Position): Fragment {
  const type = supertype([left, right]);
  if (!type) throw noOperator(operator, [left, right], at);
  const unordered = type.kind === 'STRUCT' && operator !== '=' && operator !== '!=';
  if (type.kind === 'JSON' || type.kind === 'ARRAY' || unordered) {
    const what =
      operator === '=' || operator === '!='
        ? 'Equality'
        : operator.startsWith('<')
          ? 'Less than'
          : 'Greater than';
    throw invalid(`${what} is not defined for arguments of type ${typeName(type)}`, at);
  }
  const operands = [left, right].map((operand) => coerce(operand, type, at)!);
  const [a, b] = operands.map(({ sql }) => sql) as [string, string];
  const sign = operator === '!=' ? '<>' : operator;
  const boolean: SqlType = { kind: 'BOOL' };
  if (type.kind !== 'FLOAT64' || isFinite2(operands)) return { sql: `(${a} ${sign} ${b})`, type: boolean };
  const names: Record<string, string> = {
    '=': 'equal',
    '!=': 'unequal',
    '<': 'less',
    '<=': 'at_most',
    '>': 'less',
    '>=': 'at_most',
  };
  const ordered = sign.startsWith('>') ? [b, a] : [a, b];
  return {
    sql: bindOnce(ordered, (bound) => `gs_float_${names[operator]}(${bound.join(', ')})`),
    type: boolean,
  };
}

const isFinite2 = (operands: Fragment[]): boolean =>
  operands.every(({ value }) => typeof value === 'number' || value === null);

type Comparison = Expression & {
  kind: 'between' | 'inList' | 'inQuery' | 'inUnnest' | 'like' | 'is' | 'distinctFrom';
};

/** BETWEEN, IN, LIKE, IS and IS DISTINCT FROM. */
export function resolveComparison(expression: Comparison, scope: Scope): Fragment {
  const sql = comparisonSql(expression, scope);
  return { sql: expression.negated ? `(NOT ${sql})` : sql, type: { kind: 'BOOL' } };
}

function comparisonSql(expression: Comparison, scope: Scope): string {
  const { at } = expression;
  switch (expression.kind) {
    case 'between': {
      const [operand, low, high] = [expression.operand, expression.low, expression.high].map((part) =>
        resolveExpression(part, scope),
      ) as [Fragment, Fragment, Fragment];
      const type = supertype([operand, low, high]);
      if (!type) throw noOperator('BETWEEN', [operand, low, high], at);
      return `(${compare('>=', operand, low, at).sql} AND ${compare('<=', operand, high, at).sql})`;
    }
    case 'inList': {
      const operand = resolveExpression(expression.operand, scope);
      const list = expression.list.map((item) => resolveExpression(item, scope));
      return inList(operand, list, at);
    }
    case 'inUnnest': {
      const operand = resolveExpression(expression.operand, scope);
      const array = resolveExpression(expression.array, scope);
      if (array.type.kind !== 'ARRAY')
        throw invalid(`Second argument of IN UNNEST must be an array but was ${typeName(array.type)}`, at);
      if (array.elements?.length === 0) return 'false';
      if (array.elements?.every(({ literal }) => literal)) return inList(operand, array.elements, at);
      const element: Fragment = { sql: '', type: array.type.element };
      const type = supertype([operand, element]);
      if (!type || (array.type.element.kind !== type.kind && type.kind !== 'FLOAT64'))
        throw noOperator('IN UNNEST', [operand, array], at);
      return `(${coerce(operand, type, at)!.sql} IN (SELECT unnest(${array.sql})))`;
    }
    case 'inQuery': {
      const operand = resolveExpression(expression.operand, scope);
      const query = resolveQuery(expression.query, emptyScope(scope.context, scope));
      const [column, second] = query.columns;
      if (second) throw invalid('Subquery of type IN must have only one output column', at);
      const type = supertype([operand, { sql: '', type: column!.type }]);
      if (!type || type.kind === 'JSON' || type.kind === 'ARRAY')
        throw noOperator('IN', [operand, { sql: '', type: column!.type }], at);
      return `(${coerce(operand, type, at)!.sql} IN (${query.sql}))`;
    }
    case 'like': {
      const operator = expression.negated ? 'NOT LIKE' : 'LIKE';
      for (const part of [expression.operand, expression.pattern]) refuseNull(operator, part);
      const operand = coerce(resolveExpression(expression.operand, scope), { kind: 'STRING' }, at);
      const pattern = coerce(resolveExpression(expression.pattern, scope), { kind: 'STRING' }, at);
      if (!operand || !pattern)
        throw noOperator(
          'LIKE',
          [operand, pattern].filter((part) => part !== undefined),
          at,
        );
      return `(${operand.sql} LIKE ${pattern.sql} ESCAPE '\\')`;
    }
    case 'is': {
      const operand = resolveExpression(expression.operand, scope);
      if (expression.what === 'NULL') return `(${operand.sql} IS NULL)`;
      return `(${truth(operand, `IS ${expression.what}`, at).sql} IS ${expression.what})`;
    }
    case 'distinctFrom': {
      const left = resolveExpression(expression.left, scope);
      const right = resolveExpression(expression.right, scope);
      const type = supertype([left, right]);
      if (!type || type.kind === 'JSON' || type.kind === 'ARRAY')
        throw noOperator('IS DISTINCT FROM', [left, right], at);
      return `(${coerce(left, type, at)!.sql} IS DISTINCT FROM ${coerce(right, type, at)!.sql})`;
    }
  }
}

function inList(operand: Fragment, list: Fragment[], at: Position): string {
  const type = supertype([operand, ...list]);
  if (!type || type.kind === 'JSON' || type.kind === 'ARRAY') throw noOperator('IN', [operand, ...list], at);
  const items = list.map((item) => coerce(item, type, at)!.sql);
  return `(${coerce(operand, type, at)!.sql} IN (${items.join(', ')}))`;
}

/** The value of an integer that must be known, as in LIMIT. */
export function constantInteger(fragment: Fragment, what: string, at: Position): bigint {
  const integer = typeof fragment.value === 'bigint' ? fragment : undefined;
  if (!integer) throw invalid(`${what} expects an integer literal or parameter`, at);
  return (integer ?? integerLiteral(0n)).value as bigint;
}
