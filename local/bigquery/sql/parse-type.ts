import type { Name, TypeExpression } from './ast.ts';
import { unsupported } from './errors.ts';
import { accept, at, atName, type Cursor, expect, is, parseList, parseName, peek } from './parse-cursor.ts';

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
