import type { Query } from './ast.ts';
import type { Assignment, Dml, DmlTarget, DmlValue, MergeClause, ValueRow } from './ast-dml.ts';
import { invalid, unsupported } from './errors.ts';
import { accept, at, type Cursor, expect, parseAlias, parseList, parseName, peek } from './parse-cursor.ts';
import { atQuery, parseExpression } from './parse-expression.ts';
import { parseFrom, parseFromPrimary, parseTablePath } from './parse-from.ts';
import { endStatement, openStatement, parseQuery, parseQueryStatement } from './parse-query.ts';

/** Parses one whole statement: a query, or one that changes rows. Throws GoogleSqlError. */
export function parseAnyStatement(sql: string): { kind: 'query'; query: Query } | Dml {
  const cursor = openStatement(sql);
  const dml = parseDml(cursor);
  if (dml === undefined) return { kind: 'query', query: parseQueryStatement(cursor) };
  endStatement(cursor);
  return dml;
}

function parseDml(cursor: Cursor): Dml | undefined {
  if (at(cursor, 'INSERT')) return parseInsert(cursor);
  if (at(cursor, 'UPDATE')) return parseUpdate(cursor);
  if (at(cursor, 'DELETE')) return parseDelete(cursor);
  if (at(cursor, 'MERGE')) return parseMerge(cursor);
  return undefined;
}

function parseInsert(cursor: Cursor): Dml {
  const position = expect(cursor, 'INSERT').at;
  accept(cursor, 'INTO');
  const target: DmlTarget = { at: peek(cursor).at, path: parseTablePath(cursor) };
  const columns = at(cursor, '(') && !atQuery(cursor) ? parseColumns(cursor) : undefined;
  const source: (Dml & { kind: 'insert' })['source'] = accept(cursor, 'VALUES')
    ? { kind: 'values', rows: parseList(cursor, parseRow) }
    : { kind: 'query', query: parseQuery(cursor) };
  return { kind: 'insert', target, ...(columns && { columns }), source, at: position };
}

function parseUpdate(cursor: Cursor): Dml {
  const position = expect(cursor, 'UPDATE').at;
  const target = parseTarget(cursor);
  expect(cursor, 'SET');
  const assignments = parseList(cursor, parseAssignment);
  const from = accept(cursor, 'FROM') ? parseFrom(cursor) : undefined;
  if (!accept(cursor, 'WHERE')) throw invalid('UPDATE must have a WHERE clause', position);
  const where = parseExpression(cursor);
  return { kind: 'update', target, assignments, ...(from && { from }), where, at: position };
}

function parseDelete(cursor: Cursor): Dml {
  const position = expect(cursor, 'DELETE').at;
  accept(cursor, 'FROM');
  const target = parseTarget(cursor);
  if (!accept(cursor, 'WHERE')) throw invalid('DELETE must have a WHERE clause', position);
  return { kind: 'delete', target, where: parseExpression(cursor), at: position };
}

function parseMerge(cursor: Cursor): Dml {
  const position = expect(cursor, 'MERGE').at;
  accept(cursor, 'INTO');
  const target = parseTarget(cursor);
  expect(cursor, 'USING');
  const source = parseFromPrimary(cursor);
  if (source.kind === 'join' || source.kind === 'tableFunction') {
    throw unsupported(
      `MERGE whose source is a ${source.kind === 'join' ? 'join' : 'table function'}`,
      source.at,
    );
  }
  expect(cursor, 'ON');
  const on = parseExpression(cursor);
  const clauses = [parseMergeClause(cursor)];
  while (at(cursor, 'WHEN')) clauses.push(parseMergeClause(cursor));
  return { kind: 'merge', target, source, on, clauses, at: position };
}

function parseMergeClause(cursor: Cursor): MergeClause {
  const position = expect(cursor, 'WHEN').at;
  let when: MergeClause['when'] = 'MATCHED';
  if (accept(cursor, 'NOT')) {
    when = 'NOT MATCHED BY TARGET';
    expect(cursor, 'MATCHED');
    if (accept(cursor, 'BY', 'SOURCE')) when = 'NOT MATCHED BY SOURCE';
    else if (accept(cursor, 'BY')) expect(cursor, 'TARGET');
  } else expect(cursor, 'MATCHED');
  const and = accept(cursor, 'AND') ? parseExpression(cursor) : undefined;
  expect(cursor, 'THEN');
  const action = when === 'NOT MATCHED BY TARGET' ? parseMergeInsert(cursor) : parseMergeChange(cursor);
  return { when, ...(and && { and }), action, at: position };
}

function parseMergeInsert(cursor: Cursor): MergeClause['action'] {
  expect(cursor, 'INSERT');
  const columns = at(cursor, '(') ? parseColumns(cursor) : undefined;
  if (accept(cursor, 'ROW')) return { kind: 'insert', ...(columns && { columns }) };
  expect(cursor, 'VALUES');
  return { kind: 'insert', ...(columns && { columns }), values: parseRow(cursor).values };
}

function parseMergeChange(cursor: Cursor): MergeClause['action'] {
  if (accept(cursor, 'DELETE')) return { kind: 'delete' };
  expect(cursor, 'UPDATE');
  expect(cursor, 'SET');
  return { kind: 'update', assignments: parseList(cursor, parseAssignment) };
}

function parseTarget(cursor: Cursor): DmlTarget {
  const position = peek(cursor).at;
  const path = parseTablePath(cursor);
  const alias = parseAlias(cursor);
  return { path, ...(alias && { alias }), at: position };
}

/** `column = value`, where the column may be qualified by the target's name. */
function parseAssignment(cursor: Cursor): Assignment {
  const names = [parseName(cursor)];
  while (accept(cursor, '.')) names.push(parseName(cursor));
  if (names.length > 2) throw unsupported('Assignment to a nested field', names[0]!.at);
  expect(cursor, '=');
  return {
    column: names.at(-1)!,
    ...(names.length === 2 && { qualifier: names[0]! }),
    value: parseValue(cursor),
  };
}

function parseRow(cursor: Cursor): ValueRow {
  const position = expect(cursor, '(').at;
  const values = parseList(cursor, parseValue);
  expect(cursor, ')');
  return { values, at: position };
}

function parseValue(cursor: Cursor): DmlValue {
  const position = peek(cursor).at;
  return accept(cursor, 'DEFAULT') ? { kind: 'default', at: position } : parseExpression(cursor);
}

function parseColumns(cursor: Cursor) {
  expect(cursor, '(');
  const columns = parseList(cursor, parseName);
  expect(cursor, ')');
  return columns;
}
