import type { Call, Expression, FrameBound, Name, OrderItem, WindowSpecification } from './ast.ts';
import { unsupported } from './errors.ts';
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
import { atQuery, parseExpression } from './parse-expression.ts';
import { parseQuery } from './parse-query.ts';

/** The arguments of a function, its aggregate clauses and its OVER; the cursor stands on the opening parenthesis. */
export function parseCall(cursor: Cursor, path: Name[]): Call {
  const position = path[0]!.at;
  const safe = path.length > 1 && path[0]!.text.toUpperCase() === 'SAFE';
  const name = (safe ? path.slice(1) : path).map((part) => part.text.toUpperCase()).join('.');
  expect(cursor, '(');
  const call: Call = {
    kind: 'call',
    name,
    safe,
    star: false,
    distinct: false,
    arguments: [],
    orderBy: [],
    at: position,
  };
  if (accept(cursor, '*')) call.star = true;
  else {
    call.distinct = accept(cursor, 'DISTINCT');
    if (!at(cursor, ')')) call.arguments = parseList(cursor, parseArgument);
  }
  parseAggregateClauses(cursor, call);
  expect(cursor, ')');
  if (at(cursor, 'WITH') && is(peek(cursor, 1), 'GROUP'))
    throw unsupported('WITH GROUP ROWS', peek(cursor).at);
  if (accept(cursor, 'OVER')) call.over = atName(cursor) ? parseName(cursor) : parseWindow(cursor);
  return call;
}

function parseArgument(cursor: Cursor): Expression {
  if (atName(cursor) && is(peek(cursor, 1), '=>')) {
    const name = parseName(cursor);
    advance(cursor);
    return { kind: 'named', name, value: parseExpression(cursor), at: name.at };
  }
  if (at(cursor, 'SELECT') && atQuery(cursor)) {
    const position = peek(cursor).at;
    return { kind: 'scalarQuery', query: parseQuery(cursor), at: position };
  }
  const argument = parseExpression(cursor);
  if (at(cursor, 'AS') && is(peek(cursor, 1), 'STRUCT')) throw unexpected(cursor);
  return argument;
}

function parseAggregateClauses(cursor: Cursor, call: Call): void {
  if (at(cursor, 'IGNORE') || at(cursor, 'RESPECT')) {
    call.nulls = is(advance(cursor), 'IGNORE') ? 'IGNORE' : 'RESPECT';
    expect(cursor, 'NULLS');
  }
  if (accept(cursor, 'HAVING')) {
    const kind = at(cursor, 'MAX') ? 'MAX' : 'MIN';
    expect(cursor, kind);
    call.having = { kind, expression: parseExpression(cursor) };
  }
  if (accept(cursor, 'ORDER', 'BY')) call.orderBy = parseList(cursor, parseOrderItem);
  if (accept(cursor, 'LIMIT')) call.limit = parseExpression(cursor);
}

/** One key of an ORDER BY. */
export function parseOrderItem(cursor: Cursor): OrderItem {
  const expression = parseExpression(cursor);
  if (at(cursor, 'COLLATE')) throw unsupported('COLLATE', peek(cursor).at);
  const descending = accept(cursor, 'DESC');
  if (!descending) accept(cursor, 'ASC');
  let nulls: 'FIRST' | 'LAST' | undefined;
  if (accept(cursor, 'NULLS')) {
    nulls = at(cursor, 'FIRST') ? 'FIRST' : 'LAST';
    expect(cursor, nulls);
  }
  return { expression, descending, ...(nulls && { nulls }), at: expression.at };
}

/** `(base PARTITION BY ... ORDER BY ... ROWS ...)`, as after OVER and in the WINDOW clause. */
export function parseWindow(cursor: Cursor): WindowSpecification {
  const position = expect(cursor, '(').at;
  const window: WindowSpecification = { partitionBy: [], orderBy: [], at: position };
  if (atName(cursor) && !at(cursor, 'PARTITION')) window.base = parseName(cursor);
  if (accept(cursor, 'PARTITION', 'BY')) window.partitionBy = parseList(cursor, parseExpression);
  if (accept(cursor, 'ORDER', 'BY')) window.orderBy = parseList(cursor, parseOrderItem);
  if (at(cursor, 'ROWS') || at(cursor, 'RANGE')) {
    const unit = advance(cursor).text as 'ROWS' | 'RANGE';
    if (accept(cursor, 'BETWEEN')) {
      const start = parseFrameBound(cursor);
      expect(cursor, 'AND');
      window.frame = { unit, start, end: parseFrameBound(cursor) };
    } else window.frame = { unit, start: parseFrameBound(cursor) };
  }
  expect(cursor, ')');
  return window;
}

function parseFrameBound(cursor: Cursor): FrameBound {
  for (const kind of ['UNBOUNDED PRECEDING', 'UNBOUNDED FOLLOWING', 'CURRENT ROW'] as const) {
    if (accept(cursor, ...kind.split(' '))) return { kind };
  }
  const distance = parseExpression(cursor);
  const kind = at(cursor, 'PRECEDING') ? 'PRECEDING' : 'FOLLOWING';
  expect(cursor, kind);
  return { kind, distance };
}
