import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cases } from './cases.ts';
import { openTestDatabase, type TestDatabase } from './test-database.ts';
import type { Field } from './types.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

/** A value as DuckDB gives it in JSON, written as `cases.ts` writes it. */
function plain(value: unknown, field: Field): unknown {
  if (value === null || value === undefined) return null;
  if (field.mode === 'REPEATED' && Array.isArray(value)) {
    return value.map((element) => plain(element, { ...field, mode: 'NULLABLE' }));
  }
  if (field.fields && typeof value === 'object') {
    const members = Object.values(value);
    return field.fields.map((member, index) => plain(members[index], member));
  }
  if (field.type === 'FLOAT' && typeof value === 'number') return Number(value.toPrecision(15));
  if (field.type === 'BYTES' && typeof value === 'string') {
    const bytes = value.replaceAll(
      /\\x([0-9A-F]{2})|[\s\S]/g,
      (one, hex) => hex ?? one.charCodeAt(0).toString(16),
    );
    return `bytes:${bytes.toLowerCase()}`;
  }
  return value;
}

async function evaluate(sql: string): Promise<unknown[][]> {
  const { schema } = database.translate(sql);
  const rows = await database.query(sql);
  return rows.map((row) => row.map((value, index) => plain(value, schema[index]!)));
}

const expected = (rows: readonly (readonly unknown[])[]): unknown[][] =>
  rows.map((row) => row.map((value) => (typeof value === 'number' ? Number(value.toPrecision(15)) : value)));

for (const [family, list] of Map.groupBy(cases, (one) => one.family)) {
  describe(`GoogleSQL's own answers: ${family}`, () => {
    it.each(list)('$sql', async (one) => {
      if ('error' in one) await expect(evaluate(one.sql)).rejects.toThrow(one.error);
      else if ('refusedAs' in one) await expect(evaluate(one.sql)).rejects.toThrow();
      else expect(await evaluate(one.sql)).toEqual(expected(one.rows));
    });
  });
}
