import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cases } from './cases.ts';
import { openTestDatabase, plainRows, type TestDatabase } from './test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

async function evaluate(sql: string): Promise<unknown[][]> {
  const { schema } = database.translate(sql);
  return plainRows(await database.query(sql), schema);
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
