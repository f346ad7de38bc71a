import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, JsonTextError } from './json-text.ts';

const refuses = (text: string) => expect(() => canonicalJson(text), text).toThrow(JsonTextError);

describe('a JSON column', () => {
  test('drops whitespace and orders members by name', () => {
    expect(canonicalJson(' { "b" : [ 1 , 2 ] ,\n"a" : null } ')).toBe('{"a":null,"b":[1,2]}');
    expect(canonicalJson('{"😀":1,"\uffee":2}')).toBe('{"\uffee":2,"😀":1}');
    expect(canonicalJson('{"a!":1,"a":2,"\\u0061 b":3}')).toBe('{"a":2,"a b":3,"a!":1}');
  });

  test('keeps the first of members with one name', () => {
    expect(canonicalJson('{"a":1,"b":2,"a":3,"\\u0061":4}')).toBe('{"a":1,"b":2}');
  });

  test('keeps 64-bit integers exact, signed and unsigned', () => {
    for (const text of ['9007199254740993', '-9223372036854775808', '18446744073709551615']) {
      expect(canonicalJson(text)).toBe(text);
    }
  });

  test('refuses a number that a FLOAT64 would change', () => {
    for (const text of [
      '18446744073709551616',
      '0.1000000000000000055',
      '1e400',
      '-9223372036854775809',
      '1e-400',
    ])
      refuses(text);
    expect(canonicalJson('[0.1,1.50,1e3,18446744073709552000,0.0]')).toBe(
      '[0.1,1.5,1000.0,1.8446744073709552e+19,0.0]',
    );
    expect(canonicalJson('[18446744073709551616]', 'round')).toBe('[1.8446744073709552e+19]');
  });

  test('refuses what is not JSON', () => {
    for (const text of [
      '',
      '{bad',
      'NaN',
      'Infinity',
      '[1,]',
      '{"a":1,}',
      "{'a':1}",
      '01',
      '1 2',
      '"\n"',
      '"\\x"',
      'nul',
      '{"a"}',
      '+1',
      '.5',
    ]) {
      refuses(text);
    }
  });

  test('refuses half a surrogate pair and keeps a whole one', () => {
    refuses('"\\ud83d"');
    refuses('{"\\ude00":1}');
    expect(canonicalJson('"\\ud83d\\ude00\\u0000\\/"')).toBe('"😀\\u0000/"');
  });

  test('refuses more than 500 levels', () => {
    expect(canonicalJson('['.repeat(500) + ']'.repeat(500))).toHaveLength(1000);
    refuses('['.repeat(501) + ']'.repeat(501));
  });

  test('means what JSON.parse means, and is a fixed point', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        if (!JSON.stringify(JSON.parse(text)).isWellFormed() || /\\ud[89a-f]/i.test(text)) return;
        const canonical = canonicalJson(text);
        expect(sortMembers(JSON.parse(canonical))).toEqual(sortMembers(JSON.parse(text)));
        expect(canonicalJson(canonical)).toBe(canonical);
      }),
    );
  });
});

/** `__proto__` and -0 aside, which objects of JavaScript and numbers of JSON see differently. */
function sortMembers(value: unknown): unknown {
  return JSON.stringify(value, (_key, inner) => (Object.is(inner, -0) ? 0 : inner))
    .split('')
    .sort()
    .join('');
}
