/**
 * JSON as RFC 8259 has it, parsed one character at a time and knowing nothing of the parser it judges: numbers stay
 * as they were written, and an object is a Map whose last member of a name wins.
 */
export type Json = null | boolean | string | Written | Json[] | Map<string, Json>;

/** A number as it stood in the text. */
export interface Written {
  readonly number: string;
}

/** Nested deeper than this reference cares to go. */
export class Bottomless extends Error {}

const deepest = 1500;

/** Throws a SyntaxError for what is no JSON, Bottomless for what is nested too deep to tell. */
export function parseReference(text: string): Json {
  let at = 0;
  const fail = (): never => {
    throw new SyntaxError(`no JSON at ${at}`);
  };
  const space = () => {
    while (at < text.length && ' \t\n\r'.includes(text[at]!)) at++;
  };
  const word = <T>(written: string, value: T): T => {
    if (!text.startsWith(written, at)) fail();
    at += written.length;
    return value;
  };
  const number = (): Written => {
    const pattern = /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
    pattern.lastIndex = at;
    const found = pattern.exec(text) ?? fail();
    at += found[0].length;
    return { number: found[0] };
  };
  const string = (): string => {
    at++;
    let value = '';
    for (;;) {
      const end = at;
      while (at < text.length && text[at] !== '"' && text[at] !== '\\' && text[at]! >= ' ') at++;
      value += text.slice(end, at);
      if (at >= text.length || text[at]! < ' ') fail();
      if (text[at++] === '"') return value;
      const escaped = text[at++] ?? fail();
      if (escaped === 'u') {
        const digits = text.slice(at, at + 4);
        if (!/^[0-9a-fA-F]{4}$/.test(digits)) fail();
        at += 4;
        value += String.fromCharCode(Number.parseInt(digits, 16));
      } else {
        value += escapes.get(escaped) ?? fail();
      }
    }
  };
  const list = (depth: number): Json[] => {
    at++;
    const values: Json[] = [];
    space();
    if (text[at] === ']') return word(']', values);
    for (;;) {
      values.push(value(depth + 1));
      if (text[at] === ']') return word(']', values);
      word(',', undefined);
    }
  };
  const object = (depth: number): Map<string, Json> => {
    at++;
    const members = new Map<string, Json>();
    space();
    if (text[at] === '}') return word('}', members);
    for (;;) {
      space();
      if (text[at] !== '"') fail();
      const key = string();
      space();
      word(':', undefined);
      members.set(key, value(depth + 1));
      if (text[at] === '}') return word('}', members);
      word(',', undefined);
    }
  };
  const value = (depth: number): Json => {
    if (depth > deepest) throw new Bottomless();
    space();
    const first = text[at] ?? fail();
    const found =
      first === '{'
        ? object(depth)
        : first === '['
          ? list(depth)
          : first === '"'
            ? string()
            : first === 't'
              ? word('true', true)
              : first === 'f'
                ? word('false', false)
                : first === 'n'
                  ? word('null', null)
                  : number();
    space();
    return found;
  };
  const whole = value(0);
  if (at < text.length) fail();
  return whole;
}

const escapes = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

export const isWritten = (value: Json | undefined): value is Written =>
  typeof value === 'object' && value !== null && 'number' in value;

/** How many lists and objects stand around the innermost value. */
export function depthOf(value: Json): number {
  if (value === null || typeof value !== 'object' || isWritten(value)) return 0;
  let most = 0;
  for (const member of value.values()) most = Math.max(most, depthOf(member));
  return most + 1;
}

/** Digits and exponent of a decimal, so that two notations of one number are equal. */
export function decimalOf({ number }: Written): string {
  const [mantissa = '', exponent = '0'] = number.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = (whole + fraction).replace(/^0+/, '');
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  const significant = digits.slice(0, end);
  if (significant === '') return '0';
  const power = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${number.startsWith('-') ? '-' : ''}${significant}e${power}`;
}

/**
 * What the warehouse shall hold of a number: the number, where 64 bits or a double hold exactly what was written, and
 * else its text.
 */
export function storedNumber(written: Written): Written | string {
  const decimal = decimalOf(written);
  if (written.number.length <= 20 && /^-?\d+$/.test(written.number)) {
    const whole = BigInt(written.number);
    if (whole >= -(2n ** 63n) && whole < 2n ** 64n) return written;
  }
  const double = Number(written.number);
  if (!Number.isFinite(double)) return written.number;
  return decimalOf({ number: String(double) }) === decimal ? written : written.number;
}

/** What the warehouse shall hold of a string: the Python SDK's cut, and nothing that is no Unicode. */
export const storedString = (text: string): string =>
  (text.length > 8193 ? `${text.slice(0, 8192)}$` : text).toWellFormed();

/** Where the stored value differs from what shall be stored of the sent one; undefined where it does not. */
export function findDifference(sent: Json, stored: Json | undefined, where = ''): string | undefined {
  const differs = (what: string) => `${where || 'the value'}: ${what}`;
  if (stored === undefined) return differs('is absent');
  if (sent === null || typeof sent === 'boolean') return sent === stored ? undefined : differs('is another');
  if (typeof sent === 'string')
    return storedString(sent) === stored ? undefined : differs('is another string');
  if (isWritten(sent)) {
    const expected = storedNumber(sent);
    if (typeof expected === 'string')
      return expected === stored ? undefined : differs(`${sent.number} is no string`);
    const isSame = isWritten(stored) && decimalOf(stored) === decimalOf(expected);
    return isSame ? undefined : differs(`${sent.number} became ${JSON.stringify(stored)}`);
  }
  if (Array.isArray(sent)) {
    if (!Array.isArray(stored) || stored.length !== sent.length) return differs('is another list');
    for (const [place, one] of sent.entries()) {
      const found = findDifference(one, stored[place], `${where}[${place}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!(stored instanceof Map)) return differs('is no object');
  const names = new Set([...sent.keys()].map((key) => key.toWellFormed()));
  // Two names that become one when they are made well-formed: which of the values stays is not said anywhere.
  const collides = names.size < sent.size;
  if (stored.size !== names.size) return differs(`has ${stored.size} members, not ${names.size}`);
  for (const [key, one] of sent) {
    const found = collides
      ? undefined
      : findDifference(one, stored.get(key.toWellFormed()), `${where}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
