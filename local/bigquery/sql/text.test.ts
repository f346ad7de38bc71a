import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { normaliseJson } from './json-text.ts';
import { openTestDatabase, type TestDatabase } from './test-database.ts';
import { tokenize } from './tokens.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

const wellFormed = fc.string({ unit: 'binary' }).map((text) => text.toWellFormed());

function write(text: string): string {
  const code = (character: string): string => character.codePointAt(0)!.toString(16).padStart(8, '0');
  return `'${Array.from(text, (one) => (/[\w ]/.test(one) ? one : `\\U${code(one)}`)).join('')}'`;
}

describe('string literals', () => {
  it('give back any text that was escaped into them', () => {
    fc.assert(
      fc.property(wellFormed, (text) => {
        const [token] = tokenize(write(text));
        expect(token).toMatchObject({ kind: 'string', value: text });
      }),
    );
  });

  it('arrive in DuckDB as they are', async () => {
    await fc.assert(
      fc.asyncProperty(wellFormed, async (text) => {
        expect(await database.query(`SELECT ${write(text)}`)).toEqual([[text]]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('JSON texts', () => {
  const json = fc.json({ maxDepth: 4 });

  it('mean the same after normalising, and normalise once for all', () => {
    fc.assert(
      fc.property(json, (text) => {
        const once = normaliseJson(text);
        expect(JSON.parse(once!)).toEqual(JSON.parse(text));
        expect(normaliseJson(once!)).toBe(once);
      }),
    );
  });

  it('keep 64-bit integers exactly', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (value) => {
        expect(normaliseJson(`[${value}]`)).toBe(`[${value}]`);
      }),
    );
  });

  it('keep the first of two members of one name', () => {
    expect(normaliseJson('{"b":{"x":1,"x":2},"a":"\\"x\\":","b":3}')).toBe('{"a":"\\"x\\":","b":{"x":1}}');
  });

  it('are refused when they are not JSON or hold a number out of range', () => {
    expect([normaliseJson('{a:1}'), normaliseJson(''), normaliseJson('1e999')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
