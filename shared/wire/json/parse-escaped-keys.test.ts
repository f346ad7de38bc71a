import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseEscapedKeys } from './parse-escaped-keys.ts';
import { parseJson } from './parse-json.ts';

const bounds = { values: 1_000_000, depth: 500 };
const parse = (text: string) => parseJson(Buffer.from(text), bounds);

test('a key that is written with an escape is what it reads, whatever keys another sender has used before', () => {
  for (const [earlier, written, key] of [
    ['\\\\', '\\u0013', '\u0013'],
    ['\\\\u', '\\u57ce\\u5e02', '城市'],
    ['\\\\\\\\n', '\\\\n\\n', '\\n\n'],
  ] as const) {
    parse(`{"first":1,"${earlier}":2}`);
    expect(parse(`{"first":1,"${written}":2}`)).toEqual({ ok: true, value: { first: 1, [key]: 2 } });
    expect(
      parse(` [ {"first":1 , "${written}" : {"first":[1,{}],"${written}":9007199254740993} } ] `),
    ).toEqual({
      ok: true,
      value: [{ first: 1, [key]: { first: [1, {}], [key]: 9007199254740993n } }],
    });
  }
});

test('a key `__proto__` that is written with an escape is a key like others', () => {
  const parsed = parse('{"\\u005f_proto__":{"polluted":1}}');
  expect(parsed.ok && Object.keys(parsed.value as object)).toEqual(['__proto__']);
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

test('the last of equal keys counts, at the place of the first, as JSON.parse has it', () => {
  const text = '{"\\u0061":1,"b":2,"a":3}';
  expect(JSON.stringify(parseEscapedKeys(text, JSON.parse))).toBe(JSON.stringify(JSON.parse(text)));
});

test('reads whatever JSON.stringify writes, with every key escaped, to the same value', () => {
  const escaped = (text: string) =>
    `"${[...Array(text.length).keys()].map((at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`;
  const write = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(write).join(' ,\n')}]`;
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    return `{ ${Object.entries(value).map(([key, member]) => `${escaped(key)}\t: ${write(member)}`)} }`;
  };
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const plain = JSON.parse(JSON.stringify(value));
      expect(parseEscapedKeys(write(plain), JSON.parse)).toEqual(plain);
    }),
  );
});
