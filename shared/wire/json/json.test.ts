import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TooDeep, writeObject } from './canonical-json.ts';
import { type JsonObject, type JsonValue, parseJson, writeJson } from './parse-json.ts';
import { maximumWarnings, type ValueRules, type Warnings, warn } from './value-rules.ts';

const bounds = { values: 1_000_000, depth: 1_000 };
const rules: ValueRules = {
  warnStringAbove: 255,
  warnListAbove: 100,
  warnNullAndNested: false,
  cut: { above: 8193, to: 8192, mark: '$' },
};

function parse(text: string): JsonValue {
  const parsed = parseJson(Buffer.from(text), bounds);
  if (!parsed.ok) throw new Error(`${parsed.reason}: ${parsed.detail}`);
  return parsed.value;
}

function canonical(text: string): { json: string; warnings: readonly string[] } {
  const warnings: Warnings = { list: undefined };
  const json = Buffer.from(writeObject(parse(text) as JsonObject, rules, warnings)).toString();
  return { json, warnings: warnings.list ?? [] };
}

describe('numbers', () => {
  test.each([
    ['9007199254740993', '9007199254740993'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['18446744073709551615', '18446744073709551615'],
    ['1234567890123456', '1234567890123456'],
    ['10000000000000000000000', '1e+22'],
    ['0.1', '0.1'],
    ['1.50', '1.5'],
    ['1e5', '100000'],
    ['1e100', '1e+100'],
    ['-0', '0'],
  ])('%s is kept exactly, without a warning', (written, expected) => {
    expect(canonical(`{"n":${written}}`)).toEqual({ json: `{"n":${expected}}`, warnings: [] });
  });

  test.each([
    '123456789012345678901234',
    '18446744073709551616',
    '0.12345678901234567890',
    '1e400',
    '-1E+999',
    '1e-400',
  ])('%s, which no number holds, becomes a string with a warning', (written) => {
    expect(canonical(`{"n":${written}}`)).toEqual({
      json: `{"n":"${written}"}`,
      warnings: ['inexact_number: n'],
    });
  });

  test('any 64-bit integer and any double come back as they were sent', () => {
    const number = fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).map(String),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
      fc.integer().map(String),
    );
    fc.assert(
      fc.property(fc.array(number), (numbers) => {
        const { json, warnings } = canonical(`{"n":[${numbers.join(', ')}]}`);
        const back = json.slice('{"n":['.length, -2);
        expect(back === '' ? [] : back.split(',')).toEqual(numbers.map((one) => normal(one)));
        expect(warnings.filter((warning) => !warning.startsWith('list_too_long'))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('prices, and whole numbers of any size, are written as JavaScript writes them', () => {
    const cents = fc.integer().map((value) => value / 100);
    const near = fc.constantFrom(2 ** 31, -(2 ** 31), 21474836.47, 0.1 + 0.2, 1.005, -0.07, 99.999);
    const any = fc.oneof(cents, near, fc.integer(), fc.maxSafeInteger(), fc.float({ noNaN: true }));
    fc.assert(
      fc.property(
        any.filter((value) => Number.isFinite(value)),
        (value) => {
          expect(canonical(`{"n":${JSON.stringify(value)}}`).json).toBe(`{"n":${value}}`);
        },
      ),
      { numRuns: 1000 },
    );
  });

  // A few hundred bytes of gzip hold so many digits; what takes the square of their number would block an instance for hours.
  test.each([
    ['zeros before the last digit', `1.${'0'.repeat(2_000_000)}1`],
    ['zeros within a whole number', `1${'0'.repeat(2_000_000)}1.5`],
    ['a whole number', '9'.repeat(2_000_000)],
    ['a fraction', `0.${'3'.repeat(2_000_000)}`],
    ['an exponent', `1e${'9'.repeat(2_000_000)}`],
  ])('a number of millions of digits is read as fast as other text: %s', (_, written) => {
    expect(canonical(`{"n":${written}}`).json === `{"n":"${written}"}`).toBe(true);
  });

  test('what is written again for quarantine loses no digit either', () => {
    const text = '[123456789012345678901234,9007199254740993,1e400,{"a":[0.12345678901234567890]}]';
    expect(writeJson(parse(text))).toBe(text);
  });
});

/** Integers stand as they are, doubles as JavaScript writes them. */
const normal = (text: string): string =>
  /^-?\d+$/.test(text) && text !== '-0' ? text : String(Number(text));

describe('text', () => {
  test('keys are sorted on every level, lists keep their order', () => {
    expect(canonical('{"b":{"z":1,"a":[3,1,2]},"a":true}').json).toBe('{"a":true,"b":{"a":[3,1,2],"z":1}}');
  });

  test('the order in which members come changes nothing', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(object, fc.infiniteStream(fc.nat()), (value, order) => {
        const entries = Object.entries(value);
        const shuffled = entries
          .map((entry) => ({ entry, at: order.next().value as number }))
          .sort((left, right) => left.at - right.at)
          .map(({ entry }) => entry);
        const text = (members: [string, unknown][]) =>
          `{${members.map(([key, one]) => `${JSON.stringify(key)}:${JSON.stringify(one)}`).join(',')}}`;
        expect(canonical(text(shuffled)).json).toBe(canonical(text(entries)).json);
        expect(JSON.parse(canonical(text(entries)).json)).toEqual(JSON.parse(text(entries)));
      }),
      { numRuns: 300 },
    );
  });

  test('of any plane, with anything that must be escaped, is written as JSON.stringify writes it', () => {
    const unit = fc.oneof(
      fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code).toWellFormed()),
      fc.constantFrom(
        '"',
        '\\',
        '\n',
        '\u007f',
        '\u0080',
        '\u07ff',
        '\u0800',
        '\u2028',
        '\ufeff',
        '\uffff',
        '步',
        'é',
      ),
      fc.string({ minLength: 1, maxLength: 1 }),
    );
    fc.assert(
      fc.property(fc.string({ unit }), (value) => {
        const json = JSON.stringify({ [value]: value, list: [value] });
        expect(JSON.parse(canonical(json).json)).toEqual(JSON.parse(json));
        expect(canonical(JSON.stringify({ s: value })).json).toBe(JSON.stringify({ s: value }));
      }),
      { numRuns: 1000 },
    );
  });

  test('a lone surrogate becomes the replacement character, with a warning that names the key', () => {
    expect(canonical('{"emoji":"\\ud83d","ok":"\\ud83d\\ude00"}')).toEqual({
      json: '{"emoji":"\ufffd","ok":"😀"}',
      warnings: ['lone_surrogate: emoji'],
    });
  });

  test('only a string over 8,193 characters is cut', () => {
    const whole = 'x'.repeat(8193);
    expect(JSON.parse(canonical(`{"s":"${whole}"}`).json).s).toBe(whole);
    const { json, warnings } = canonical(`{"s":"${whole}y"}`);
    expect(JSON.parse(json).s).toBe(`${'x'.repeat(8192)}$`);
    expect(warnings).toEqual(['string_too_long: s', 'string_cut: s']);
  });

  test('a key named __proto__ is a key like any other', () => {
    expect(canonical('{"__proto__":{"polluted":1}}').json).toBe('{"__proto__":{"polluted":1}}');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test('nesting beyond 100 levels is refused before it exhausts the stack', () => {
    const nested = (levels: number) => `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    expect(canonical(nested(99)).json).toBe(nested(99));
    expect(() => canonical(nested(20_000))).toThrow(TooDeep);
  });

  test('warnings are bounded, and the last one says that there were more', () => {
    const warnings: Warnings = { list: undefined };
    for (let count = 0; count < 1000; count++) warn(warnings, 'rule', `${count}`);
    expect(warnings.list).toHaveLength(maximumWarnings);
    expect(warnings.list?.at(-1)).toMatch(/^more:/);
  });
});

describe('bounds', () => {
  test.each([
    ['NaN', '[{"a":NaN}]', 'invalid_json'],
    ['a truncated body', '[{"a":1', 'invalid_json'],
    ['nesting that could exhaust memory', '['.repeat(100_000), 'too_deep'],
    ['millions of values', `[${'0,'.repeat(1_200_000)}0]`, 'too_many_values'],
  ])('%s is refused with a reason', (_, text, reason) => {
    expect(parseJson(Buffer.from(text), bounds)).toMatchObject({ ok: false, reason });
  });

  test('brackets and commas within strings count for nothing', () => {
    const text = JSON.stringify(['[{,'.repeat(40_000), 'a"\\"[', '\\']);
    expect(parseJson(Buffer.from(text), { values: 10, depth: 2 })).toMatchObject({ ok: true });
  });

  test('text that is not UTF-8 is refused rather than altered', () => {
    expect(parseJson(Buffer.from('{"a":"\xff"}', 'latin1'), bounds)).toMatchObject({
      ok: false,
      reason: 'invalid_utf8',
    });
    expect(parseJson(Buffer.from('{"a":"\ufffd"}'), bounds)).toMatchObject({ ok: true });
  });
});
