import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectClients, type LocalClients } from '../../local/bigquery/start-for-test.ts';
import { startWarehouse } from '../../local/warehouse-template.ts';
import { createStorageWriteClient } from '../../shared/google/storage-write.ts';
import type { IdentityDecisionsRow } from '../../shared/warehouse/generated/row-types.ts';
import { createWriter } from '../../shared/warehouse/writer.ts';
import { createDecisionAppender } from './append-decisions.ts';

let local: LocalClients;
beforeAll(async () => {
  local = connectClients(await startWarehouse());
});
afterAll(() => local.close());

const decision: IdentityDecisionsRow = {
  run_id: 'r',
  decided_at: Date.UTC(2026, 4, 1) * 1_000,
  project: '店',
  anonymous_id: 'd',
  user_id: 'u',
  bound_at: Date.UTC(2026, 3, 1) * 1_000 + 1,
  event_id: 'e',
};

/** Appends to identity_decisions of a data set, which need not exist. */
async function append(
  rows: readonly IdentityDecisionsRow[],
  { dataset = 'tributary', isClosed = false } = {},
) {
  const client = createStorageWriteClient({ LOCAL_BIGQUERY_STORAGE: `127.0.0.1:${local.server.grpcPort}` });
  const writer = createWriter({ client, project: 'local', dataset });
  try {
    if (isClosed) await writer.close();
    await createDecisionAppender(writer, 5_000)(rows);
  } finally {
    await writer.close();
    await client.close();
  }
}

describe('appending decisions', () => {
  test('stores them as they are, NULL kinds of login ids and microseconds included', async () => {
    await append([decision, { ...decision, anonymous_id: 'd2', user_key: 'email' }]);
    const [rows] = await local.bigquery.query(
      `SELECT project, anonymous_id, user_key, UNIX_MICROS(bound_at) AS bound_at
       FROM tributary.identity_decisions ORDER BY anonymous_id`,
    );
    expect(rows).toEqual([
      { project: '店', anonymous_id: 'd', user_key: null, bound_at: decision.bound_at },
      { project: '店', anonymous_id: 'd2', user_key: 'email', bound_at: decision.bound_at },
    ]);
  });

  test('fails where BigQuery refuses a row, cannot store any, or the writer takes none', async () => {
    const beyondTime = { ...decision, decided_at: Number.MAX_SAFE_INTEGER };
    await expect(append([decision, beyondTime])).rejects.toThrow('1 rows were refused');
    await expect(append([decision], { dataset: 'elsewhere' })).rejects.toThrow(
      'Decisions could not be appended to identity_decisions',
    );
    await expect(append([decision], { isClosed: true })).rejects.toThrow('full');
  });
});
