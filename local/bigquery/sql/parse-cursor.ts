import type { Name } from './ast.ts';
import { syntaxError } from './errors.ts';
import { describeToken, type Token } from './tokens.ts';

/** The parser's place in a query. */
export interface Cursor {
  tokens: Token[];
  index: number;
  /** How many `?` were met so far. */
  positional: number;
}

export function peek(cursor: Cursor, ahead = 0): Token {
  return cursor.tokens[Math.min(cursor.index + ahead, cursor.tokens.length - 1)]!;
}

export function advance(cursor: Cursor): Token {
  const token = peek(cursor);
  if (token.kind !== 'end') cursor.index++;
  return token;
}

/** Whether the tokens ahead are these words or symbols; words match whether reserved or not, never when quoted. */
export function at(cursor: Cursor, ...words: string[]): boolean {
  return words.every((word, ahead) => is(peek(cursor, ahead), word));
}

export function is(token: Token, word: string): boolean {
  switch (token.kind) {
    case 'keyword':
    case 'symbol':
      return token.text === word;
    case 'name':
      return token.text.toUpperCase() === word;
    default:
      return false;
  }
}

/** Consumes these words if they come next. */
export function accept(cursor: Cursor, ...words: string[]): boolean {
  if (!at(cursor, ...words)) return false;
  cursor.index += words.length;
  return true;
}

export function expect(cursor: Cursor, word: string): Token {
  const token = peek(cursor);
  if (is(token, word)) return advance(cursor);
  const expected = /^\w/.test(word) ? `keyword ${word}` : `"${word}"`;
  throw syntaxError(`Expected ${expected} but got ${describeToken(token)}`, token.at);
}

export function unexpected(cursor: Cursor): Error {
  const token = peek(cursor);
  return syntaxError(`Unexpected ${describeToken(token)}`, token.at);
}

export function atName(cursor: Cursor): boolean {
  const { kind } = peek(cursor);
  return kind === 'name' || kind === 'quoted';
}

export function parseName(cursor: Cursor): Name {
  if (!atName(cursor)) throw unexpected(cursor);
  const token = advance(cursor);
  return { text: token.value, at: token.at };
}

/** `AS alias`, or a bare alias where one may stand. */
export function parseAlias(cursor: Cursor): Name | undefined {
  if (accept(cursor, 'AS')) return parseName(cursor);
  return atName(cursor) ? parseName(cursor) : undefined;
}

export function parseList<T>(cursor: Cursor, parse: (cursor: Cursor) => T): T[] {
  const items = [parse(cursor)];
  while (accept(cursor, ',')) items.push(parse(cursor));
  return items;
}
