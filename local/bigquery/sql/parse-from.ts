import type { FromItem, Name } from './ast.ts';
import { invalid, unsupported } from './errors.ts';
import { parseCall } from './parse-call.ts';
import {
  accept,
  advance,
  at,
  type Cursor,
  expect,
  parseAlias,
  parseList,
  parseName,
  peek,
} from './parse-cursor.ts';
import { atQuery, parseExpression } from './parse-expression.ts';
import { parseQuery } from './parse-query.ts';

type JoinType = 'CROSS' | 'INNER' | 'LEFT' | 'RIGHT' | 'FULL';

/** What follows FROM. A comma joins as CROSS JOIN does, from left to right among the other joins. */
export function parseFrom(cursor: Cursor): FromItem {
  let left = parseFromPrimary(cursor);
  for (;;) {
    const position = peek(cursor).at;
    if (accept(cursor, ',')) {
      left = { kind: 'join', type: 'CROSS', left, right: parseFromPrimary(cursor), at: position };
      continue;
    }
    const type = parseJoinType(cursor);
    if (!type) return left;
    const right = parseFromPrimary(cursor);
    const join: FromItem & { kind: 'join' } = { kind: 'join', type, left, right, at: position };
    if (type !== 'CROSS') parseCondition(cursor, join);
    left = join;
  }
}

function parseJoinType(cursor: Cursor): JoinType | undefined {
  const token = peek(cursor);
  if (at(cursor, 'NATURAL')) throw unsupported('NATURAL JOIN', token.at);
  if (at(cursor, 'TABLESAMPLE') || at(cursor, 'PIVOT') || at(cursor, 'UNPIVOT')) {
    throw unsupported(token.text.toUpperCase(), token.at);
  }
  if (accept(cursor, 'JOIN') || accept(cursor, 'INNER', 'JOIN')) return 'INNER';
  if (accept(cursor, 'CROSS', 'JOIN')) return 'CROSS';
  for (const type of ['LEFT', 'RIGHT', 'FULL'] as const) {
    if (accept(cursor, type, 'JOIN') || accept(cursor, type, 'OUTER', 'JOIN')) return type;
  }
  return undefined;
}

function parseCondition(cursor: Cursor, join: FromItem & { kind: 'join' }): void {
  if (accept(cursor, 'ON')) join.on = parseExpression(cursor);
  else if (accept(cursor, 'USING')) {
    expect(cursor, '(');
    join.using = parseList(cursor, parseName);
    expect(cursor, ')');
  } else if (join.right.kind !== 'unnest' && join.right.kind !== 'table')
    throw invalid(`${join.type} JOIN must have an immediately following ON or USING clause`, join.at);
}

/** One item of FROM, without the joins that may follow. */
export function parseFromPrimary(cursor: Cursor): FromItem {
  const position = peek(cursor).at;
  if (at(cursor, 'LATERAL')) throw unsupported('LATERAL', position);
  if (accept(cursor, 'UNNEST')) {
    expect(cursor, '(');
    const expression = parseExpression(cursor);
    expect(cursor, ')');
    return { kind: 'unnest', expression, ...parseTableAliases(cursor), at: position };
  }
  if (at(cursor, '(')) {
    if (!atQuery(cursor)) return parseJoinInParentheses(cursor);
    const start = cursor.index;
    advance(cursor);
    const query = parseQuery(cursor);
    if (!at(cursor, ')')) {
      // `((SELECT 1) JOIN t)`: what began like a query is a join.
      cursor.index = start;
      return parseJoinInParentheses(cursor);
    }
    expect(cursor, ')');
    const alias = parseAlias(cursor);
    return { kind: 'subquery', query, ...(alias && { alias }), at: position };
  }
  const path = parseTablePath(cursor);
  if (at(cursor, '(')) {
    const call = parseCall(cursor, [path.at(-1)!]);
    const alias = parseAlias(cursor);
    return { kind: 'tableFunction', path, arguments: call.arguments, ...(alias && { alias }), at: position };
  }
  return { kind: 'table', path, ...parseTableAliases(cursor), at: position };
}

function parseJoinInParentheses(cursor: Cursor): FromItem {
  expect(cursor, '(');
  const item = parseFrom(cursor);
  expect(cursor, ')');
  return item;
}

function parseTableAliases(cursor: Cursor): { alias?: Name; offset?: Name } {
  if (at(cursor, 'FOR', 'SYSTEM_TIME')) throw unsupported('FOR SYSTEM_TIME AS OF', peek(cursor).at);
  const isJoinWord = at(cursor, 'PIVOT') || at(cursor, 'UNPIVOT');
  const alias = isJoinWord ? undefined : parseAlias(cursor);
  if (at(cursor, 'FOR', 'SYSTEM_TIME')) throw unsupported('FOR SYSTEM_TIME AS OF', peek(cursor).at);
  if (!at(cursor, 'WITH', 'OFFSET')) return alias ? { alias } : {};
  const position = peek(cursor).at;
  cursor.index += 2;
  const offset = parseAlias(cursor) ?? { text: 'offset', at: position };
  return { ...(alias && { alias }), offset };
}

/**
 * A path to a table. Quoted pieces may hold several names, and the first unquoted one, a project, may hold dashes:
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#table_names
 */
export function parseTablePath(cursor: Cursor): Name[] {
  const path: Name[] = [];
  do {
    const token = peek(cursor);
    const name = path.length === 0 ? parseDashedName(cursor) : parseName(cursor);
    if (token.kind === 'quoted') {
      path.push(...name.text.split('.').map((text) => ({ text, at: name.at })));
    } else path.push(name);
  } while (accept(cursor, '.'));
  return path;
}

function parseDashedName(cursor: Cursor): Name {
  const name = parseName(cursor);
  let end = cursor.tokens[cursor.index - 1]!;
  if (end.kind === 'quoted') return name;
  let { text } = name;
  for (;;) {
    const dash = peek(cursor);
    const next = peek(cursor, 1);
    if (dash.text !== '-' || dash.start !== end.end || next.start !== dash.end) return { text, at: name.at };
    if (!['name', 'keyword', 'integer', 'float'].includes(next.kind)) return { text, at: name.at };
    cursor.index += 2;
    end = next;
    text += `-${next.value}`;
    // `p-1.d` reads as the number `1.` and a name: the dot belongs to the path.
    if (text.endsWith('.')) {
      cursor.index--;
      cursor.tokens = cursor.tokens.with(cursor.index, { ...next, kind: 'symbol', text: '.', value: '.' });
      return { text: text.slice(0, -1), at: name.at };
    }
  }
}
