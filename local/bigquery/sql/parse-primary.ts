import type { Expression, TypeExpression } from './ast.ts';
import { type Position, syntaxError, unsupported } from './errors.ts';
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
import { atQuery, parseExpression, parsePostfix, parseUnary } from './parse-expression.ts';
import { parseQuery } from './parse-query.ts';
import { parseType } from './parse-type.ts';
import { describeToken } from './tokens.ts';

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

/** A literal, a name, a constructor, or an expression in parentheses. */
export function parsePrimary(cursor: Cursor): Expression {
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
