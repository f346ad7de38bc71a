import type { Expression } from './ast.ts';
import { type Position, unsupported } from './errors.ts';
import { parseCall } from './parse-call.ts';
import {
  accept,
  advance,
  at,
  type Cursor,
  expect,
  is,
  parseList,
  parseName,
  peek,
  unexpected,
} from './parse-cursor.ts';
import { parsePrimary } from './parse-primary.ts';
import { parseQuery } from './parse-query.ts';

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

/** `- + ~` before an operand. */
export function parseUnary(cursor: Cursor): Expression {
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

/** An operand with the fields, subscripts and arguments that follow it. */
export function parsePostfix(cursor: Cursor): Expression {
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
