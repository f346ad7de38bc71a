import type { JsonObject, JsonValue } from './parse-json.ts';

/**
 * Whether a key of the text holds an escape. V8 13.6 compares a key with the one that it expects after those before it as
 * it is written, not as it reads: once some text had the key `\u`, a key that is written `\u57ce\u5e02` may be taken for
 * it. Keys without an escape are not mistaken.
 */
export function hasEscapedKey(text: string): boolean {
  if (!text.includes('\\')) return false;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at)) {
    const end = endOfString(text, at);
    if (text.charCodeAt(skipSpace(text, end)) === colon && text.slice(at, end).includes('\\')) return true;
    at = end;
  }
  return false;
}

/**
 * Parses what JSON.parse takes, as it does but for the keys: `parseScalar` is given the text of each string, number, boolean
 * and null. Only for text that is known to be JSON. Throws a RangeError where it is nested deeper than the stack.
 */
export function parseEscapedKeys(text: string, parseScalar: (scalar: string) => JsonValue): JsonValue {
  let at = 0;

  const value = (): JsonValue => {
    at = skipSpace(text, at);
    const code = text.charCodeAt(at);
    if (code === openBrace) return object();
    if (code === openBracket) return list();
    const start = at;
    at = code === quote ? endOfString(text, at) : endOfWord(text, at);
    return parseScalar(text.slice(start, at));
  };

  const list = (): JsonValue[] => {
    const values: JsonValue[] = [];
    at = skipSpace(text, at + 1);
    while (text.charCodeAt(at) !== closeBracket) {
      values.push(value());
      toNext();
    }
    at++;
    return values;
  };

  const object = (): JsonObject => {
    const members: JsonObject = {};
    at = skipSpace(text, at + 1);
    while (text.charCodeAt(at) !== closeBrace) {
      const end = endOfString(text, at);
      // A lone string has no key before it that V8 could expect it after.
      const key = JSON.parse(text.slice(at, end)) as string;
      at = skipSpace(text, end) + 1;
      // An assignment would set the prototype where the key is `__proto__`.
      Object.defineProperty(members, key, {
        value: value(),
        writable: true,
        enumerable: true,
        configurable: true,
      });
      toNext();
    }
    at++;
    return members;
  };

  const toNext = () => {
    at = skipSpace(text, at);
    if (text.charCodeAt(at) === comma) at = skipSpace(text, at + 1);
  };

  return value();
}

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** The place after the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1;
  return at + 1;
}

function endOfWord(text: string, start: number): number {
  let at = start;
  for (let code = text.charCodeAt(at); at < text.length && !endsWord(code); code = text.charCodeAt(at)) at++;
  return at;
}

const endsWord = (code: number): boolean =>
  code === comma || code === closeBracket || code === closeBrace || isSpace(code);

function skipSpace(text: string, start: number): number {
  let at = start;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
