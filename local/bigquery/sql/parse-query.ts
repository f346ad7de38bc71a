import type {
  Expression,
  Name,
  OrderItem,
  Query,
  QueryBody,
  Select,
  SelectItem,
  SetOperation,
} from './ast.ts';
import { syntaxError, unsupported } from './errors.ts';
import { parseOrderItem, parseWindow } from './parse-call.ts';
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
  unexpected,
} from './parse-cursor.ts';
import { parseExpression } from './parse-expression.ts';
import { parseFrom } from './parse-from.ts';
import { describeToken, tokenize } from './tokens.ts';

/**
 * What a statement other than a query begins with: DDL, DML, DCL, the procedural language, and FROM of pipe syntax.
 * https://cloud.google.com/bigquery/docs/introduction-sql#bigquery-sql-dialects
 */
const otherStatements = new Set(
  (
    'CREATE DROP UNDROP ALTER INSERT UPDATE DELETE MERGE TRUNCATE GRANT REVOKE DECLARE SET BEGIN COMMIT ROLLBACK CALL ' +
    'RAISE RETURN BREAK LEAVE CONTINUE ITERATE IF CASE LOOP WHILE REPEAT FOR EXECUTE EXPORT LOAD ASSERT EXPLAIN FROM'
  ).split(' '),
);

/** Parses one whole statement, which must be a query. Throws GoogleSqlError. */
export function parseStatement(sql: string): Query {
  return parseQueryStatement(openStatement(sql));
}

export function openStatement(sql: string): Cursor {
  return { tokens: tokenize(sql), index: 0, positional: 0 };
}

/** A query up to the end of the statement. */
export function parseQueryStatement(cursor: Cursor): Query {
  const first = peek(cursor);
  if (!at(cursor, 'SELECT') && !at(cursor, 'WITH') && !at(cursor, '(')) {
    if (otherStatements.has(first.text.toUpperCase())) {
      throw unsupported(`Statement ${first.text.toUpperCase()}`, first.at);
    }
    throw unexpected(cursor);
  }
  const query = parseQuery(cursor);
  endStatement(cursor);
  return query;
}

/** The end of the input, which a semicolon may precede. */
export function endStatement(cursor: Cursor): void {
  const ended = accept(cursor, ';');
  const next = peek(cursor);
  if (next.kind === 'end') return;
  if (ended) throw unsupported('Script of several statements', next.at);
  throw syntaxError(`Expected end of input but got ${describeToken(next)}`, next.at);
}

export function parseQuery(cursor: Cursor): Query {
  const position = peek(cursor).at;
  let recursive = false;
  let ctes: { name: Name; query: Query }[] = [];
  if (accept(cursor, 'WITH')) {
    recursive = accept(cursor, 'RECURSIVE');
    ctes = parseList(cursor, parseCte);
  }
  const body = parseSetOperations(cursor);
  const orderBy: OrderItem[] = accept(cursor, 'ORDER', 'BY') ? parseList(cursor, parseOrderItem) : [];
  const limit = accept(cursor, 'LIMIT') ? parseCount(cursor) : undefined;
  const offset = limit && accept(cursor, 'OFFSET') ? parseCount(cursor) : undefined;
  return {
    recursive,
    with: ctes,
    body,
    orderBy,
    ...(limit && { limit }),
    ...(offset && { offset }),
    at: position,
  };
}

/** A number of rows: an integer or a parameter, as the grammar has it, so that `LIMIT 1 + 1` is refused. */
function parseCount(cursor: Cursor): Expression {
  if (!['integer', 'parameter'].includes(peek(cursor).kind) && !at(cursor, '?')) throw unexpected(cursor);
  return parseExpression(cursor);
}

function parseCte(cursor: Cursor): { name: Name; query: Query } {
  const name = parseName(cursor);
  expect(cursor, 'AS');
  expect(cursor, '(');
  const query = parseQuery(cursor);
  expect(cursor, ')');
  return { name, query };
}

function parseSetOperations(cursor: Cursor): QueryBody {
  let left = parseQueryPrimary(cursor);
  let previous: SetOperation['operator'] | undefined;
  for (;;) {
    const token = peek(cursor);
    const operator = parseSetOperator(cursor);
    if (!operator) return left;
    if (previous && previous !== operator) {
      throw syntaxError(
        'Different set operations cannot be used in the same query without using parentheses for grouping',
        token.at,
      );
    }
    previous = operator;
    left = { kind: 'set', operator, left, right: parseQueryPrimary(cursor), at: token.at };
  }
}

function parseSetOperator(cursor: Cursor): SetOperation['operator'] | undefined {
  const token = peek(cursor);
  if (accept(cursor, 'UNION')) {
    if (accept(cursor, 'ALL')) return byPosition(cursor, 'UNION ALL');
    if (accept(cursor, 'DISTINCT')) return byPosition(cursor, 'UNION DISTINCT');
    const next = peek(cursor);
    throw syntaxError(`Expected keyword ALL or keyword DISTINCT but got ${describeToken(next)}`, next.at);
  }
  for (const operator of ['INTERSECT', 'EXCEPT'] as const) {
    if (!at(cursor, operator)) continue;
    advance(cursor);
    if (accept(cursor, 'ALL')) throw unsupported(`${operator} ALL`, token.at);
    expect(cursor, 'DISTINCT');
    return byPosition(cursor, `${operator} DISTINCT`);
  }
  return undefined;
}

function byPosition(cursor: Cursor, operator: SetOperation['operator']): SetOperation['operator'] {
  const token = peek(cursor);
  if (at(cursor, 'BY', 'NAME') || at(cursor, 'CORRESPONDING') || at(cursor, 'STRICT')) {
    throw unsupported(`${operator} BY NAME`, token.at);
  }
  return operator;
}

function parseQueryPrimary(cursor: Cursor): QueryBody {
  const position = peek(cursor).at;
  if (!accept(cursor, '(')) return parseSelect(cursor);
  const query = parseQuery(cursor);
  expect(cursor, ')');
  return { kind: 'query', query, at: position };
}

function parseSelect(cursor: Cursor): Select {
  const position = expect(cursor, 'SELECT').at;
  if (at(cursor, 'WITH')) throw unsupported('SELECT WITH', peek(cursor).at);
  const distinct = accept(cursor, 'DISTINCT');
  if (!distinct) accept(cursor, 'ALL');
  const as = accept(cursor, 'AS', 'STRUCT') ? 'STRUCT' : accept(cursor, 'AS', 'VALUE') ? 'VALUE' : undefined;
  const select: Select = { kind: 'select', distinct, items: parseItems(cursor), windows: [], at: position };
  if (as) select.as = as;
  if (accept(cursor, 'FROM')) select.from = parseFrom(cursor);
  if (accept(cursor, 'WHERE')) select.where = parseExpression(cursor);
  const group = peek(cursor).at;
  if (accept(cursor, 'GROUP', 'BY')) {
    for (const word of ['ROLLUP', 'CUBE', 'GROUPING']) {
      if (at(cursor, word)) throw unsupported(`GROUP BY ${word}`, peek(cursor).at);
    }
    select.groupBy = accept(cursor, 'ALL')
      ? { kind: 'all', at: group }
      : { kind: 'keys', keys: parseList(cursor, parseExpression), at: group };
  }
  if (accept(cursor, 'HAVING')) select.having = parseExpression(cursor);
  if (accept(cursor, 'QUALIFY')) select.qualify = parseExpression(cursor);
  if (accept(cursor, 'WINDOW')) {
    select.windows = parseList(cursor, (inner) => {
      const name = parseName(inner);
      expect(inner, 'AS');
      return { name, specification: parseWindow(inner) };
    });
  }
  return select;
}

/** The select list; a comma may end it. */
function parseItems(cursor: Cursor): SelectItem[] {
  if (at(cursor, 'FROM')) throw syntaxError('SELECT list must not be empty', peek(cursor).at);
  const items = [parseItem(cursor)];
  while (accept(cursor, ',')) {
    if (at(cursor, 'FROM') || at(cursor, ')') || peek(cursor).kind === 'end') break;
    items.push(parseItem(cursor));
  }
  return items;
}

function parseItem(cursor: Cursor): SelectItem {
  const position = peek(cursor).at;
  if (accept(cursor, '*')) return { kind: 'star', ...parseStarModifiers(cursor), at: position };
  const expression = parseExpression(cursor);
  if (accept(cursor, '.')) {
    expect(cursor, '*');
    return { kind: 'star', operand: expression, ...parseStarModifiers(cursor), at: position };
  }
  const alias = parseAlias(cursor);
  return { kind: 'expression', expression, ...(alias && { alias }), at: position };
}

function parseStarModifiers(cursor: Cursor): Pick<SelectItem & { kind: 'star' }, 'except' | 'replace'> {
  let except: Name[] = [];
  if (at(cursor, 'EXCEPT', '(')) {
    cursor.index += 2;
    except = parseList(cursor, parseName);
    expect(cursor, ')');
  }
  if (!accept(cursor, 'REPLACE')) return { except, replace: [] };
  expect(cursor, '(');
  const replace = parseList(cursor, (inner) => {
    const expression = parseExpression(inner);
    expect(inner, 'AS');
    return { expression, name: parseName(inner) };
  });
  expect(cursor, ')');
  return { except, replace };
}
