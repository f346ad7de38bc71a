import type { Expression, Name, TypeExpression } from './ast.ts';
import { type Position, syntaxError, unsupported } from './errors.ts';
import { parseCall } from './parse-call.ts';
import {
  accept,
  advance,
  at,
  atName,
  type Cursor,
  expect,
  is,
  parseList,
  parseName,
  peek,
  unexpected,
} from './parse-cursor.ts';
import { parseQuery } from './parse-query.ts';
import { describeToken } from './tokens.ts';

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/operators#operator_precedence, from the loosest. */
export function parseExpression(cursor: Cursor): Expression {
  return parseOr(cursor);
}

function parseOr(cursor: Cursor): Expression {
  return parseBinary(cursor, parseAnd, 'OR');
}

function parseAnd(cursor: Cursor): Expression {
  return parseBinary(cursor, parseNot, 'AND');
}

function parseBinary(
  cursor: Cursor,
  operand: (cursor: Cursor) => Expression,
  ...operators: string[]
): Expression {
  let left = operand(cursor);
  for (;;) {
    const token = peek(cursor);
    const operator = operators.find((candidate) => is(token, candidate));
    if (!operator) return left;
    advance(cursor);
    left = { kind: 'binary', operator, left, right: operand(cursor), at: left.at };
  }
}

function parseNot(cursor: Cursor): Expression {
  const token = peek(cursor);
  if (!accept(cursor, 'NOT')) return parseComparison(cursor);
  return { kind: 'unary', operator: 'NOT', operand: parseNot(cursor), at: token.at };
}

const comparisons = ['=', '<>', '!=', '<=', '>=', '<', '>'];

function parseComparison(cursor: Cursor): Expression {
  const left = parseBitwiseOr(cursor);
  const compared = parseComparisonTail(cursor, left);
  // Comparisons do not associate: `a = b = c` is a syntax error in GoogleSQL.
  if (compared !== left && (comparisons.some((operator) => at(cursor, operator)) || at(cursor, 'IS'))) {
    if (compared.kind !== 'is') throw unexpected(cursor);
  }
  return compared;
}

function parseComparisonTail(cursor: Cursor, left: Expression): Expression {
  const token = peek(cursor);
  const operator = comparisons.find((candidate) => at(cursor, candidate));
  if (operator) {
    advance(cursor);
    const right = parseBitwiseOr(cursor);
    return { kind: 'binary', operator: operator === '<>' ? '!=' : operator, left, right, at: left.at };
  }
  if (accept(cursor, 'IS')) return parseIs(cursor, left, token.at);
  const next = peek(cursor, 1);
  const negated = is(token, 'NOT') && (is(next, 'BETWEEN') || is(next, 'IN') || is(next, 'LIKE'));
  if (negated) advance(cursor);
  const position = peek(cursor).at;
  if (accept(cursor, 'BETWEEN')) {
    const low = parseBitwiseOr(cursor);
    expect(cursor, 'AND');
    return { kind: 'between', operand: left, low, high: parseBitwiseOr(cursor), negated, at: position };
  }
  if (accept(cursor, 'LIKE')) {
    if (at(cursor, 'ANY') || at(cursor, 'ALL') || at(cursor, 'SOME')) {
      throw unsupported(`LIKE ${peek(cursor).text}`, position);
    }
    return { kind: 'like', operand: left, pattern: parseBitwiseOr(cursor), negated, at: position };
  }
  if (accept(cursor, 'IN')) return parseIn(cursor, left, negated, position);
  return left;
}

function parseIs(cursor: Cursor, operand: Expression, position: Position): Expression {
  const negated = accept(cursor, 'NOT');
  if (accept(cursor, 'DISTINCT', 'FROM')) {
    return { kind: 'distinctFrom', left: operand, right: parseBitwiseOr(cursor), negated, at: position };
  }
  for (const what of ['NULL', 'TRUE', 'FALSE'] as const) {
    if (accept(cursor, what)) return { kind: 'is', operand, what, negated, at: position };
  }
  if (accept(cursor, 'UNKNOWN')) return { kind: 'is', operand, what: 'NULL', negated, at: position };
  throw unexpected(cursor);
}

function parseIn(cursor: Cursor, operand: Expression, negated: boolean, position: Position): Expression {
  if (accept(cursor, 'UNNEST')) {
    expect(cursor, '(');
    const array = parseExpression(cursor);
    expect(cursor, ')');
    return { kind: 'inUnnest', operand, array, negated, at: position };
  }
  expect(cursor, '(');
  if (atQuery(cursor)) {
    const query = parseQuery(cursor);
    expect(cursor, ')');
    return { kind: 'inQuery', operand, query, negated, at: position };
  }
  const list = parseList(cursor, parseExpression);
  expect(cursor, ')');
  return { kind: 'inList', operand, list, negated, at: position };
}

/** Whether a subquery begins here: SELECT or WITH, inside any number of parentheses. */
export function atQuery(cursor: Cursor): boolean {
  let ahead = 0;
  while (is(peek(cursor, ahead), '(')) ahead++;
  return is(peek(cursor, ahead), 'SELECT') || is(peek(cursor, ahead), 'WITH');
}

const parseBitwiseOr = (cursor: Cursor): Expression => parseBinary(cursor, parseBitwiseXor, '|');
const parseBitwiseXor = (cursor: Cursor): Expression => parseBinary(cursor, parseBitwiseAnd, '^');
const parseBitwiseAnd = (cursor: Cursor): Expression => parseBinary(cursor, parseShift, '&');
const parseShift = (cursor: Cursor): Expression => parseBinary(cursor, parseSum, '<<', '>>');
const parseSum = (cursor: Cursor): Expression => parseBinary(cursor, parseProduct, '+', '-');
const parseProduct = (cursor: Cursor): Expression => parseBinary(cursor, parseUnary, '*', '/', '||');

function parseUnary(cursor: Cursor): Expression {
  const token = peek(cursor);
  for (const operator of ['-', '+', '~'] as const) {
    if (!accept(cursor, operator)) continue;
    const operand = parseUnary(cursor);
    if (operator === '-' && operand.kind === 'integer')
      return { ...operand, value: -operand.value, at: token.at };
    if (operator === '-' && operand.kind === 'float')
      return { ...operand, text: `-${operand.text}`, at: token.at };
    return { kind: 'unary', operator, operand, at: token.at };
  }
  return parsePostfix(cursor);
}

function parsePostfix(cursor: Cursor): Expression {
  let operand = parsePrimary(cursor);
  for (;;) {
    const token = peek(cursor);
    if (accept(cursor, '.')) {
      if (at(cursor, '*')) {
        cursor.index--;
        return operand;
      }
      const name = parseName(cursor);
      operand =
        operand.kind === 'path'
          ? { ...operand, names: [...operand.names, name] }
          : { kind: 'field', operand, name, at: token.at };
    } else if (accept(cursor, '[')) operand = parseSubscript(cursor, operand, token.at);
    else if (at(cursor, '(') && operand.kind === 'path') operand = parseCall(cursor, operand.names);
    else return operand;
  }
}

const subscriptModes = ['OFFSET', 'ORDINAL', 'SAFE_OFFSET', 'SAFE_ORDINAL', 'KEY', 'SAFE_KEY'] as const;

function parseSubscript(cursor: Cursor, operand: Expression, position: Position): Expression {
  const mode = subscriptModes.find((candidate) => at(cursor, candidate, '('));
  if (mode) cursor.index += 2;
  const index = parseExpression(cursor);
  if (mode) expect(cursor, ')');
  expect(cursor, ']');
  return { kind: 'subscript', operand, mode: mode ?? 'PLAIN', index, at: position };
}

const typedLiterals = [
  'DATE',
  'DATETIME',
  'TIME',
  'TIMESTAMP',
  'JSON',
  'NUMERIC',
  'DECIMAL',
  'BIGNUMERIC',
  'BIGDECIMAL',
];
const bareCalls = ['CURRENT_DATE', 'CURRENT_TIMESTAMP', 'CURRENT_DATETIME', 'CURRENT_TIME'];

function parsePrimary(cursor: Cursor): Expression {
  const token = peek(cursor);
  const position = token.at;
  switch (token.kind) {
    case 'integer':
      advance(cursor);
      return { kind: 'integer', value: BigInt(token.value), at: position };
    case 'float':
      advance(cursor);
      return { kind: 'float', text: token.text, at: position };
    case 'string':
      return { kind: 'string', value: parseStrings(cursor, 'string'), at: position };
    case 'bytes':
      return { kind: 'bytes', hex: parseStrings(cursor, 'bytes'), at: position };
    case 'parameter':
      advance(cursor);
      return { kind: 'parameter', name: token.value, index: -1, at: position };
    case 'keyword':
      return parseKeyword(cursor);
    case 'symbol':
      return parseSymbol(cursor);
    case 'name': {
      const upper = token.text.toUpperCase();
      if (typedLiterals.includes(upper) && peek(cursor, 1).kind === 'string') {
        advance(cursor);
        return { kind: 'typed', type: upper, text: parseStrings(cursor, 'string'), at: position };
      }
      if (bareCalls.includes(upper) && !is(peek(cursor, 1), '(')) {
        advance(cursor);
        return bareCall(upper, position);
      }
      if (upper === 'SAFE_CAST' && is(peek(cursor, 1), '(')) return parseCast(cursor, true);
      return { kind: 'path', names: [parseName(cursor)], at: position };
    }
    case 'quoted':
      return { kind: 'path', names: [parseName(cursor)], at: position };
    case 'end':
      throw unexpected(cursor);
  }
}

const bareCall = (name: string, position: Position): Expression => ({
  kind: 'call',
  name,
  safe: false,
  star: false,
  distinct: false,
  arguments: [],
  orderBy: [],
  at: position,
});

/** Adjacent string literals are one literal only across a line break in newer GoogleSQL; here a second one is refused. */
function parseStrings(cursor: Cursor, kind: 'string' | 'bytes'): string {
  const value = advance(cursor).value;
  if (peek(cursor).kind === kind) throw unexpected(cursor);
  return value;
}

function parseKeyword(cursor: Cursor): Expression {
  const token = peek(cursor);
  const position = token.at;
  switch (token.text) {
    case 'NULL':
      advance(cursor);
      return { kind: 'null', at: position };
    case 'TRUE':
    case 'FALSE':
      advance(cursor);
      return { kind: 'boolean', value: token.text === 'TRUE', at: position };
    case 'CASE':
      return parseCase(cursor);
    case 'CAST':
      return parseCast(cursor, false);
    case 'EXTRACT':
      return parseExtract(cursor);
    case 'EXISTS': {
      advance(cursor);
      expect(cursor, '(');
      const query = parseQuery(cursor);
      expect(cursor, ')');
      return { kind: 'exists', query, at: position };
    }
    case 'INTERVAL': {
      advance(cursor);
      const value = parseUnary(cursor);
      const part = parseName(cursor);
      return { kind: 'interval', value, part, at: position };
    }
    case 'ARRAY':
      return parseArray(cursor);
    case 'STRUCT':
      return parseStruct(cursor);
    case 'IF':
    case 'LEFT':
    case 'RIGHT':
    case 'GROUPING': {
      if (!is(peek(cursor, 1), '(')) throw unexpected(cursor);
      advance(cursor);
      return parseCall(cursor, [{ text: token.text, at: position }]);
    }
    default:
      throw unexpected(cursor);
  }
}

function parseSymbol(cursor: Cursor): Expression {
  const token = peek(cursor);
  if (accept(cursor, '?')) {
    return { kind: 'parameter', index: cursor.positional++, at: token.at };
  }
  if (token.text === '@') throw unsupported('System variable', token.at);
  if (token.text === '[') {
    advance(cursor);
    return parseArrayElements(cursor, undefined, token.at);
  }
  if (token.text !== '(') throw unexpected(cursor);
  if (atQuery(cursor)) {
    // `((SELECT 1) + 1)` begins like a query too, so the longer reading is tried and given up.
    const start = { ...cursor };
    try {
      advance(cursor);
      const query = parseQuery(cursor);
      expect(cursor, ')');
      return { kind: 'scalarQuery', query, at: token.at };
    } catch (error) {
      if (!is(peek({ ...start }, 1), '(')) throw error;
      cursor.index = start.index;
      cursor.positional = start.positional;
    }
  }
  advance(cursor);
  const items = parseList(cursor, parseExpression);
  if (!accept(cursor, ')')) {
    const next = peek(cursor);
    throw syntaxError(`Expected ")" but got ${describeToken(next)}`, next.at);
  }
  if (items.length > 1) {
    return { kind: 'struct', fields: items.map((value) => ({ value })), tuple: true, at: token.at };
  }
  const only = items[0]!;
  // `(a).b` is a field of a value, never a longer path.
  return only;
}

function parseCase(cursor: Cursor): Expression {
  const position = expect(cursor, 'CASE').at;
  const operand = at(cursor, 'WHEN') ? undefined : parseExpression(cursor);
  const branches: { when: Expression; result: Expression }[] = [];
  while (accept(cursor, 'WHEN')) {
    const when = parseExpression(cursor);
    expect(cursor, 'THEN');
    branches.push({ when, result: parseExpression(cursor) });
  }
  if (branches.length === 0) throw unexpected(cursor);
  const otherwise = accept(cursor, 'ELSE') ? parseExpression(cursor) : undefined;
  expect(cursor, 'END');
  return {
    kind: 'case',
    ...(operand && { operand }),
    branches,
    ...(otherwise && { otherwise }),
    at: position,
  };
}

function parseCast(cursor: Cursor, safe: boolean): Expression {
  const position = advance(cursor).at;
  expect(cursor, '(');
  const operand = parseExpression(cursor);
  expect(cursor, 'AS');
  const type = parseType(cursor);
  if (at(cursor, 'FORMAT')) throw unsupported('CAST with FORMAT', peek(cursor).at);
  expect(cursor, ')');
  return { kind: 'cast', operand, type, safe, at: position };
}

function parseExtract(cursor: Cursor): Expression {
  const position = expect(cursor, 'EXTRACT').at;
  expect(cursor, '(');
  const part = parsePostfix(cursor);
  expect(cursor, 'FROM');
  const operand = parseExpression(cursor);
  let zone: Expression | undefined;
  if (accept(cursor, 'AT')) {
    expect(cursor, 'TIME');
    expect(cursor, 'ZONE');
    zone = parseExpression(cursor);
  }
  expect(cursor, ')');
  return { kind: 'extract', part, operand, ...(zone && { zone }), at: position };
}

function parseArray(cursor: Cursor): Expression {
  const position = peek(cursor).at;
  if (is(peek(cursor, 1), '<')) {
    const type = parseType(cursor);
    expect(cursor, '[');
    return parseArrayElements(cursor, type, position);
  }
  advance(cursor);
  if (accept(cursor, '[')) return parseArrayElements(cursor, undefined, position);
  expect(cursor, '(');
  const query = parseQuery(cursor);
  expect(cursor, ')');
  return { kind: 'arrayQuery', query, at: position };
}

function parseArrayElements(
  cursor: Cursor,
  type: TypeExpression | undefined,
  position: Position,
): Expression {
  const elements = at(cursor, ']') ? [] : parseList(cursor, parseExpression);
  expect(cursor, ']');
  return { kind: 'array', ...(type && { type }), elements, at: position };
}

function parseStruct(cursor: Cursor): Expression {
  const position = peek(cursor).at;
  const type = is(peek(cursor, 1), '<') ? parseType(cursor) : undefined;
  if (!type) advance(cursor);
  expect(cursor, '(');
  const fields = at(cursor, ')')
    ? []
    : parseList(cursor, (inner) => {
        const value = parseExpression(inner);
        const name = accept(inner, 'AS') ? parseName(inner).text : undefined;
        return { ...(name !== undefined && { name }), value };
      });
  expect(cursor, ')');
  return { kind: 'struct', ...(type && { type }), fields, tuple: false, at: position };
}

/** A type name, as in CAST and in typed arrays and structs. Lengths and precisions are refused: they are not enforced here. */
export function parseType(cursor: Cursor): TypeExpression {
  const token = peek(cursor);
  if (accept(cursor, 'ARRAY')) {
    expect(cursor, '<');
    const element = parseType(cursor);
    closeAngle(cursor);
    return { kind: 'array', element, at: token.at };
  }
  if (accept(cursor, 'STRUCT')) {
    expect(cursor, '<');
    const fields = at(cursor, '>') ? [] : parseList(cursor, parseStructField);
    closeAngle(cursor);
    return { kind: 'struct', fields, at: token.at };
  }
  if (token.kind === 'keyword' && token.text === 'INTERVAL') throw unsupported('Type INTERVAL', token.at);
  const name = parseName(cursor);
  if (at(cursor, '(')) throw unsupported(`Parameterised type ${name.text.toUpperCase()}`, token.at);
  return { kind: 'scalar', name: name.text.toUpperCase(), at: token.at };
}

function parseStructField(cursor: Cursor): { name?: string; type: TypeExpression } {
  const next = peek(cursor, 1);
  const named = atName(cursor) && !(is(next, ',') || is(next, '>') || is(next, '>>') || is(next, '('));
  const name: Name | undefined = named ? parseName(cursor) : undefined;
  return { ...(name && { name: name.text }), type: parseType(cursor) };
}

/** Takes one `>`, also out of the `>>` that closes two types at once. */
function closeAngle(cursor: Cursor): void {
  const token = peek(cursor);
  if (!is(token, '>>')) {
    expect(cursor, '>');
    return;
  }
  const rest = { ...token, text: '>', value: '>', start: token.start + 1 };
  cursor.tokens = cursor.tokens.with(cursor.index, rest);
}
