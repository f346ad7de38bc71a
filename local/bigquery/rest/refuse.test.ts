import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DATASET, type LocalClients, PROJECT, rejection, startForTest } from '../start-for-test.ts';

let local: LocalClients;

beforeAll(async () => {
  local = await startForTest();
  await local.createTable('t', { schema: 'a:STRING' });
});
afterAll(() => local.close());

async function call(method: string, path: string, body?: unknown) {
  const response = await fetch(`http://127.0.0.1:${local.server.restPort}${path}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const answer = (await response.json()) as {
    error: { code: number; message: string; status: string; errors: { reason: string; domain: string }[] };
  };
  expect(answer.error.code).toBe(response.status);
  expect(answer.error.errors[0]?.domain).toBe('global');
  return { status: response.status, reason: answer.error.errors[0]?.reason, message: answer.error.message };
}

describe('what the local BigQuery does not do', () => {
  test('is refused with 501 notImplemented and its name', async () => {
    const tablePath = `/bigquery/v2/projects/${PROJECT}/datasets/${DATASET}/tables/t`;
    const jobs = `/bigquery/v2/projects/${PROJECT}/jobs`;
    const refusals: [string, string, unknown, string][] = [
      ['POST', `${tablePath}/insertAll`, { rows: [] }, 'tabledata.insertAll'],
      ['POST', jobs, { configuration: { load: {} } }, 'A job of kind load'],
      ['POST', jobs, { configuration: { extract: {} } }, 'A job of kind extract'],
      ['POST', jobs, { configuration: { copy: {} } }, 'A job of kind copy'],
      ['GET', `/bigquery/v2/projects/${PROJECT}/datasets/${DATASET}/models`, undefined, 'A model'],
      ['GET', `${tablePath}/rowAccessPolicies`, undefined, 'A row access policy'],
      ['POST', `${tablePath}:getIamPolicy`, {}, 'IAM'],
      ['POST', `/upload${jobs}`, {}, 'Media upload'],
    ];
    for (const [method, path, body, what] of refusals) {
      const refusal = await call(method, path, body);
      expect(refusal, path).toMatchObject({ status: 501, reason: 'notImplemented' });
      expect(refusal.message).toContain(what);
    }
  });

  test('reaches the clients as an error, insertAll included', async () => {
    const error = await rejection(
      local.bigquery
        .dataset(DATASET)
        .table('t')
        .insert([{ a: 'x' }]),
    );
    expect(error.message).toContain('tabledata.insertAll');
    expect(await local.readTable('t')).toEqual([]);
  });

  test('is a 404 when BigQuery has no such path either', async () => {
    expect(await call('GET', '/bigquery/v2/nowhere')).toMatchObject({ status: 404, reason: 'notFound' });
    expect(await call('GET', '/')).toMatchObject({ status: 404 });
    expect(await call('PATCH', `/bigquery/v2/projects/${PROJECT}/jobs`)).toMatchObject({ status: 404 });
  });

  test('names an unknown property instead of dropping it', async () => {
    const refusal = await call('POST', `/bigquery/v2/projects/${PROJECT}/queries`, {
      query: 'SELECT 1',
      useLegacySql: false,
      destinationTable: {},
    });
    expect(refusal).toMatchObject({ status: 400, reason: 'invalid' });
    expect(refusal.message).toContain("'destinationTable'");
  });

  test('refuses legacy SQL, which is what REST means when nothing is said', async () => {
    const refusal = await call('POST', `/bigquery/v2/projects/${PROJECT}/queries`, { query: 'SELECT 1' });
    expect(refusal).toMatchObject({ status: 400, reason: 'invalidQuery' });
    expect(refusal.message).toContain('Legacy SQL');
  });

  test('refuses bodies that are no JSON object, and bodies over the limit', async () => {
    const path = `/bigquery/v2/projects/${PROJECT}/datasets`;
    expect(await call('POST', path, '{bad')).toMatchObject({ status: 400, reason: 'parseError' });
    expect(await call('POST', path, '[]')).toMatchObject({ status: 400, reason: 'invalid' });
    const large = await call('POST', path, JSON.stringify({ description: 'x'.repeat(11 * 1024 * 1024) }));
    expect(large).toMatchObject({ status: 413, reason: 'requestTooLarge' });
  });

  test('refuses statements that make, change or empty tables', async () => {
    const table = `\`${PROJECT}.${DATASET}.t\``;
    for (const statement of [
      `TRUNCATE TABLE ${table}`,
      `ALTER TABLE ${table} ADD COLUMN b STRING`,
      `CREATE TABLE ${DATASET}.u (a STRING)`,
      `DROP TABLE ${table}`,
    ]) {
      const error = await rejection(local.bigquery.query(statement));
      expect(error.code, statement).toBe(400);
      expect(error.errors?.[0]?.reason).toBe('invalidQuery');
    }
    expect((await local.bigquery.dataset(DATASET).table('t').exists())[0]).toBe(true);
  });
});
