import { afterAll, beforeAll, expect, test } from 'vitest';
import { DATASET, type LocalClients, startForTest } from './start-for-test.ts';

let local: LocalClients;

beforeAll(async () => {
  local = await startForTest();
});
afterAll(() => local.close());

const ROWS_PER_APPEND = 20;

test('queries over views beside appends and changes of the schema all succeed, each over whole appends', async () => {
  await local.createTable('log', {
    schema: {
      fields: [
        { name: 'id', type: 'STRING' },
        { name: 'moment', type: 'TIMESTAMP' },
        { name: 'properties', type: 'JSON' },
      ],
    },
    timePartitioning: { type: 'DAY', field: 'moment' },
  });
  const dataset = local.bigquery.dataset(DATASET);
  const once = `SELECT * FROM \`${DATASET}.log\`
    WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY moment) = 1`;
  await dataset.createTable('once', { view: { query: once, useLegacySql: false } });
  const priced = `SELECT FLOAT64(properties.price) AS price, COUNT(*) AS n FROM \`${DATASET}.once\` GROUP BY price`;
  await dataset.createTable('priced', { view: { query: priced, useLegacySql: false } });

  let appending = true;
  let appended = 0;
  async function append(writerId: number): Promise<void> {
    const writer = await local.openWriter('log');
    while (appending) {
      const rows = Array.from({ length: ROWS_PER_APPEND }, (_, n) => ({
        id: `${writerId}-${appended}-${n}`,
        moment: new Date(),
        properties: `{"price": ${n}}`,
      }));
      const { error } = await writer.appendRows(rows).getResult();
      if (error) throw new Error(error.message ?? 'the append failed');
      appended += ROWS_PER_APPEND;
    }
  }
  async function alter(): Promise<void> {
    for (let column = 0; column < 5; column += 1) {
      const [{ schema }] = await dataset.table('log').getMetadata();
      schema.fields.push({ name: `added_${column}`, type: 'STRING' });
      await dataset.table('log').setMetadata({ schema });
      await dataset.table(`other_${column}`).create({ schema: 'n:INTEGER' });
      await dataset.table(`other_${column}`).delete();
    }
  }
  async function query(): Promise<void> {
    let before = 0;
    for (let times = 0; times < 5; times += 1) {
      const [rows] = await local.bigquery.query({
        query: 'SELECT SUM(n) AS rows_found, COUNT(DISTINCT n) AS different FROM priced',
        defaultDataset: { datasetId: DATASET },
      });
      const found = Number(rows[0].rows_found);
      expect(found % ROWS_PER_APPEND).toBe(0);
      expect(found).toBeGreaterThanOrEqual(before);
      if (found > 0) expect(rows[0].different).toBe(1);
      before = found;
    }
  }

  const writing = [1, 2, 3].map(append);
  try {
    await Promise.all([alter(), ...Array.from({ length: 20 }, query)]);
  } finally {
    appending = false;
  }
  await Promise.all(writing);
  expect(appended).toBeGreaterThan(0);
});
