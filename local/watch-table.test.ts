import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startForTest } from './bigquery/start-for-test.ts';
import { watchTable } from './watch-table.ts';

test('a table is looked at, and what is to be done is done once rows came, again after it failed, and not without rows', async () => {
  const local = await startForTest();
  await local.createTable('rows', { schema: { fields: [{ name: 'n', type: 'INT64' }] } });
  const insert = () => local.bigquery.query('INSERT INTO `tributary.rows` (n) VALUES (1)');
  let runs = 0;
  let done = 0;
  let fails = true;
  const watch = watchTable({
    table: local.bigquery.dataset('tributary').table('rows'),
    everyMs: 20,
    async onRows() {
      runs++;
      if (fails) throw new Error('not yet');
      done++;
    },
  });
  await wait(200);
  expect(runs).toBe(0);
  await insert();
  await expect.poll(() => runs).toBeGreaterThan(1);
  fails = false;
  await expect.poll(() => done).toBe(1);
  const settled = runs;
  await wait(200);
  expect(runs).toBe(settled);
  await insert();
  await expect.poll(() => runs).toBe(settled + 1);
  watch.close();
  await insert();
  await wait(100);
  expect(runs).toBe(settled + 1);
  await local.close();
});
