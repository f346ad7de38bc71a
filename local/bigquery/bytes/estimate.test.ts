import { BigQuery, type Query } from '@google-cloud/bigquery';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DATASET, type LocalClients, startForTest } from '../start-for-test.ts';

let local: LocalClients;
const clock = new Date('2026-01-20T12:00:00Z');

// Ten days with 10 rows each; 8 bytes per time and number, 3 per text.
const ROWS = 100;
const A_DAY = ROWS / 10;

beforeAll(async () => {
  local = await startForTest({ now: () => clock });
  await local.createTable('log', {
    schema: 'happened:TIMESTAMP,day:DATE,kind:STRING,n:INTEGER',
    timePartitioning: { type: 'DAY', field: 'happened' },
  });
  await local.createTable('days', {
    schema: 'happened:TIMESTAMP,day:DATE,kind:STRING,n:INTEGER',
    timePartitioning: { type: 'DAY', field: 'day' },
  });
  await local.createTable('ranged', {
    schema: 'bucket:INTEGER,kind:STRING',
    rangePartitioning: { field: 'bucket', range: { start: '0', end: '100', interval: '10' } },
  });
  await local.createTable('plain', { schema: 'kind:STRING,n:INTEGER' });
  const log = `SELECT TIMESTAMP_ADD(TIMESTAMP '2026-01-11 00:00:00+00', INTERVAL CAST(n * 144 AS INT64) MINUTE) AS happened, n FROM UNNEST(GENERATE_ARRAY(0, ${ROWS - 1})) AS n`;
  for (const table of ['log', 'days']) {
    await local.bigquery.query(
      `INSERT INTO ${DATASET}.${table} (happened, day, kind, n) SELECT happened, DATE(happened), 'k', n FROM (${log})`,
    );
  }
  await local.bigquery.query(
    `INSERT INTO ${DATASET}.ranged (bucket, kind) SELECT n, 'k' FROM UNNEST(GENERATE_ARRAY(0, ${ROWS - 1})) AS n`,
  );
  await local.bigquery.query(
    `INSERT INTO ${DATASET}.plain (kind, n) SELECT 'k', n FROM UNNEST(GENERATE_ARRAY(0, ${ROWS - 1})) AS n`,
  );
  const useLegacySql = false;
  await local.createTable('seen', {
    view: {
      query: `SELECT * EXCEPT (kind) FROM ${DATASET}.log WHERE kind = 'k' QUALIFY ROW_NUMBER() OVER (PARTITION BY happened ORDER BY n) = 1`,
      useLegacySql,
    },
  });
  await local.bigquery.dataset(DATASET).createRoutine('log_between', {
    routineType: 'TABLE_VALUED_FUNCTION',
    language: 'SQL',
    arguments: ['from_time', 'to_time'].map((name) => ({ name, dataType: { typeKind: 'TIMESTAMP' } })),
    definitionBody: `SELECT happened, n FROM ${DATASET}.log WHERE happened >= from_time AND happened < to_time`,
  });
});
afterAll(() => local.close());

async function bytes(query: string, options: Partial<Query> = {}): Promise<number> {
  const [job] = await local.bigquery.createQueryJob({
    query,
    dryRun: true,
    defaultDataset: { datasetId: DATASET },
    ...options,
  });
  return Number(job.metadata.statistics.totalBytesProcessed);
}

describe('the bytes that a query processes', () => {
  test.each<[string, number]>([
    ['SELECT n FROM plain', ROWS * 8],
    ['SELECT * FROM plain', ROWS * 11],
    ["SELECT COUNT(*) FROM plain WHERE kind = 'k'", ROWS * 3],
    ['SELECT COUNT(*) FROM plain', 0],
    ['SELECT 1', 0],
    ['SELECT a.n FROM plain AS a JOIN plain AS b ON a.n = b.n', ROWS * 8],
    ['SELECT n FROM (SELECT *, UPPER(kind) AS loud FROM plain)', ROWS * 8],
    ['WITH w AS (SELECT * FROM plain) SELECT x.n, y.kind FROM w AS x JOIN w AS y USING (n)', ROWS * 11],
  ])('%s: only the columns that are used, each once', async (query, expected) => {
    expect(await bytes(query)).toBe(expected);
  });

  test.each<[string, number]>([
    ["SELECT n FROM log WHERE happened >= '2026-01-19'", 2],
    [
      "SELECT n FROM log WHERE happened > TIMESTAMP '2026-01-12 23:59:59.999999+00' AND happened < '2026-01-14'",
      1,
    ],
    ["SELECT n FROM log WHERE happened BETWEEN '2026-01-12' AND '2026-01-13'", 2],
    [
      "SELECT n FROM log WHERE happened = '2026-01-12 01:00:00' OR happened IN ('2026-01-15', '2026-01-18')",
      3,
    ],
    ['SELECT n FROM log WHERE happened > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 3 DAY)', 4],
    ["SELECT n FROM log WHERE NOT happened < '2026-01-20'", 1],
    ['SELECT n FROM log WHERE happened IS NULL', 0],
    ["SELECT n FROM log WHERE happened >= '2026-01-19' OR kind = 'k'", 10],
    [
      "SELECT n FROM log WHERE (happened >= '2026-01-19' AND n > 5) OR (happened < '2026-01-12' AND n < 5)",
      3,
    ],
    ["SELECT n FROM log WHERE happened >= (SELECT MAX(happened) FROM days WHERE day = '2026-01-19')", 10],
    ["SELECT log.n FROM log JOIN UNNEST([DATE '2026-01-12']) AS d ON DATE(log.happened) = d", 10],
    ["SELECT n, happened FROM seen WHERE happened >= '2026-01-19'", 2],
    ["SELECT n, happened FROM log_between(TIMESTAMP '2026-01-12', TIMESTAMP '2026-01-15')", 3],
    [
      "SELECT n, happened FROM log WHERE happened < '2026-01-12' UNION ALL SELECT n, happened FROM log WHERE happened < '2026-01-13'",
      2,
    ],
  ])('%s: only the days that constants leave', async (query, days) => {
    const read = query.includes('kind') || query.includes('seen') ? 19 : 16;
    const other = query.includes('days') ? A_DAY * 16 : 0;
    expect(await bytes(query)).toBe(days * A_DAY * read + other);
  });

  test.each<[string, number]>([
    ["day = '2026-01-12'", 1],
    ["day IN ('2026-01-12', '2026-01-14')", 2],
    ['day >= DATE_SUB(CURRENT_DATE(), INTERVAL 2 DAY)', 3],
    ['day IN UNNEST(@days)', 2],
    ['day = @day', 1],
  ])('WHERE %s: by days of a DATE', async (where, days) => {
    const params = {
      days: [BigQuery.date('2026-01-13'), BigQuery.date('2026-01-18')],
      day: BigQuery.date('2026-01-12'),
    };
    const types = { days: ['DATE'], day: 'DATE' };
    expect(await bytes(`SELECT day FROM days WHERE ${where}`, { params, types })).toBe(days * A_DAY * 8);
  });

  test.each<[string, number]>([
    ['bucket IN UNNEST(@buckets)', 2],
    ['bucket IN UNNEST(@many)', 5],
    ['bucket BETWEEN 5 AND 29', 3],
    ['bucket > 29 AND bucket < 31', 1],
    ['MOD(bucket, 10) = 3', 10],
    ['bucket IN (SELECT n FROM plain WHERE n = 3)', 20],
  ])('WHERE %s: by ranges of an integer', async (where, ranges) => {
    const params = { buckets: [3, 47], many: Array.from({ length: 500 }, (_, n) => n * 2 + 51) };
    const types = { buckets: ['INT64'], many: ['INT64'] };
    expect(await bytes(`SELECT bucket FROM ranged WHERE ${where}`, { params, types })).toBe(ranges * 10 * 8);
  });

  test('grow with what is written', async () => {
    await local.createTable('growing', { schema: 'n:INTEGER' });
    expect(await bytes('SELECT n FROM growing')).toBe(0);
    const writer = await local.openWriter('growing');
    await writer.appendRows([{ n: 1 }, { n: 2 }]).getResult();
    expect(await bytes('SELECT n FROM growing')).toBe(16);
    await local.bigquery.query(`INSERT INTO ${DATASET}.growing (n) VALUES (3)`);
    expect(await bytes('SELECT n FROM growing')).toBe(24);
    const destination = local.bigquery.dataset(DATASET).table('growing');
    const [job] = await local.bigquery.createQueryJob({
      query: 'SELECT 4 AS n',
      destination,
      writeDisposition: 'WRITE_TRUNCATE_DATA',
    });
    await job.getQueryResults();
    expect(await bytes('SELECT n FROM growing')).toBe(8);
  });
});

describe('the bytes of a statement that changes rows', () => {
  const all = 11;
  test.each<[string, number]>([
    ["INSERT INTO ranged (bucket, kind) SELECT n, 'x' FROM plain", ROWS * 8],
    ["INSERT INTO ranged (bucket, kind) VALUES (1, 'x')", 0],
    ['DELETE FROM ranged WHERE bucket = 15', 10 * (8 + all)],
    ["UPDATE ranged SET kind = 'y' WHERE bucket < 20", 20 * (8 + all)],
    ["UPDATE plain SET kind = 'y' WHERE TRUE", ROWS * (8 + all)],
    [
      'MERGE ranged t USING plain s ON t.bucket = s.n WHEN NOT MATCHED THEN INSERT (bucket) VALUES (s.n)',
      ROWS * 16,
    ],
    [
      'MERGE ranged t USING plain s ON t.bucket = s.n AND t.bucket IN (3, 47) WHEN MATCHED THEN UPDATE SET kind = s.kind',
      ROWS * all + 20 * (8 + all),
    ],
    [
      'MERGE ranged t USING plain s ON FALSE WHEN NOT MATCHED THEN INSERT (bucket) VALUES (s.n) WHEN NOT MATCHED BY SOURCE THEN DELETE',
      ROWS * 8 + ROWS * all,
    ],
  ])('%s', async (query, expected) => {
    expect(await bytes(query)).toBe(expected);
  });
});
