import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DATASET, type LocalClients, PROJECT, rejection, startForTest } from '../bigquery/start-for-test.ts';
import { queryParameters, runQuery } from './run-query.ts';

let local: LocalClients;
const NUMBERS = `\`${PROJECT}.${DATASET}.numbers\``;
const endless = `SELECT COUNT(*) AS n FROM ${Array.from({ length: 6 }, (_, n) => `${NUMBERS} AS t${n}`).join(
  ' CROSS JOIN ',
)} WHERE t0.n + t1.n + t2.n + t3.n + t4.n + t5.n = 1`;

beforeAll(async () => {
  local = await startForTest();
  await local.createTable('numbers', { schema: 'n:INTEGER' });
  const writer = await local.openWriter('numbers');
  await writer.appendRows(Array.from({ length: 100 }, (_, n) => ({ n }))).getResult();
});
afterAll(() => local.close());

describe('npm run query', () => {
  test('is asked for again until it is there: no result is taken for an empty one', async () => {
    const query = { query: `SELECT n FROM ${NUMBERS} ORDER BY n LIMIT 2` };
    const [job] = await local.bigquery.createQueryJob(query);
    const incomplete = { jobComplete: false, jobReference: { jobId: job.id } };
    const real = job.getQueryResults.bind(job);
    let asked = 0;
    const slow = Object.assign(Object.create(job), {
      getQueryResults: (options: object) =>
        ++asked < 3 ? Promise.resolve([[], options, incomplete]) : real(options),
    });
    const { fields, rows } = await runQuery(
      Object.assign(Object.create(local.bigquery), { createQueryJob: async () => [slow] }),
      query,
    );
    expect(fields.map(({ name }) => name)).toEqual(['n']);
    expect(rows).toHaveLength(2);
    expect(asked).toBe(3);
  });

  test('is cancelled when its time is over, and says so', async () => {
    const error = await rejection(runQuery(local.bigquery, { query: endless, jobId: 'overdue' }, 100));
    expect(error.message).toBe('The query was not answered within 0.1 s and has been cancelled.');
    const job = local.bigquery.job('overdue');
    expect((await rejection(job.getQueryResults())).errors?.[0]?.reason).toBe('stopped');
  });

  test('takes each parameter as of its type', async () => {
    const { parameters, expected } = {
      parameters: [
        ['s', 'STRING', 'x'],
        ['i', 'INT64', '9007199254740993'],
        ['f', 'FLOAT64', '1.5'],
        ['b', 'BOOL', 'true'],
        ['t', 'TIMESTAMP', '2026-01-01T00:00:00.000001Z'],
        ['d', 'DATE', '2026-01-01'],
        ['dt', 'DATETIME', '2026-01-01T01:02:03'],
        ['tm', 'TIME', '01:02:03'],
        ['j', 'JSON', '{"a":9007199254740993}'],
        ['n', 'NUMERIC', '1.10'],
      ] as const,
      expected:
        'x|9007199254740993|1.5|true|2026-01-01T00:00:00.000001000Z|2026-01-01|2026-01-01T01:02:03|01:02:03|{"a":9007199254740993}|1.1',
    };
    const { rows } = await runQuery(local.bigquery, {
      query: `SELECT ${parameters.map(([name]) => `@${name} AS ${name}`).join(', ')}`,
      ...queryParameters(parameters.map(([name, type, value]) => ({ name, type, value }))),
    });
    const texts = Object.values(rows[0] ?? {}).map((value) =>
      String(typeof value === 'object' && value !== null && 'value' in value ? value.value : value),
    );
    expect(texts.join('|')).toBe(expected);
  });
});
