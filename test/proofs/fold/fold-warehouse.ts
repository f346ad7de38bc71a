import { type Arrivals, runParameters } from '../../../functions/fold/arrivals.ts';
import { bucketOf } from '../../../functions/fold/bucket.ts';
import { personsMerge, personsRebuild } from '../../../functions/fold/compose-sql.ts';
import { readSql } from '../../../functions/fold/read-sql.ts';
import { sliceParameters } from '../../../functions/fold/slices.ts';
import { mergeParameters } from '../../../functions/fold/touched-persons.ts';
import { startBigQuery } from '../../../local/bigquery/index.ts';
import { connectClients } from '../../../local/bigquery/start-for-test.ts';
import { createWarehouse } from '../../../local/warehouse.ts';
import { createBigQuery } from '../../../shared/google/bigquery.ts';
import { runQuery } from '../../../shared/google/run-query.ts';
import { createStorageWriteClient } from '../../../shared/google/storage-write.ts';
import { encodeRow } from '../../../shared/warehouse/encode-row.ts';
import { createRowBuffer } from '../../../shared/warehouse/row-buffer.ts';
import { currentSchemaVersion } from '../../../shared/warehouse/schema-versions.ts';
import { eventLog } from '../../../shared/warehouse/tables/index.ts';
import { createWriter } from '../../../shared/warehouse/writer.ts';
import type { Bound, Folded, StateRow } from '../../reference/fold.ts';
import { bytewise, type Json, readJson, writeJson } from '../../reference/json-numbers.ts';

const timeoutMs = 120_000;
const everything = sliceParameters([{ from: 0, to: Date.UTC(2100) }]);
/** All of it. */
const arrive = ({ during }: Pick<Arrivals, 'during'>) => ({
  query: readSql('arrived-operations.sql', 'tributary'),
  params: { ...everything.params, ...during.params, rebuild_id: '' },
  types: { ...everything.types, ...during.types },
  destination: { dataset: 'tributary', table: 'arrived_operations' },
  timeoutMs,
});
const insertOperations = readSql('insert-operations.sql', 'tributary');

export type FoldWarehouse = Awaited<ReturnType<typeof startFoldWarehouse>>;

/** A started local BigQuery with the warehouse's tables and views; rows of state_log are written as load does. */
export async function startFoldWarehouse() {
  process.env.METADATA_SERVER_DETECTION = 'none';
  const server = await startBigQuery({ restPort: 0, grpcPort: 0, file: ':memory:' });
  const environment: NodeJS.ProcessEnv = {
    LOCAL_BIGQUERY: `127.0.0.1:${server.restPort}`,
    LOCAL_BIGQUERY_STORAGE: `127.0.0.1:${server.grpcPort}`,
  };
  const bigquery = createBigQuery('local', environment);
  await createWarehouse(bigquery, 'tributary');
  const clients = connectClients(server);
  const storageWrite = createStorageWriteClient(environment);
  const writer = createWriter({ client: storageWrite, project: 'local', dataset: 'tributary' });

  const read = async (query: string): Promise<Folded[]> => {
    const [rows] = await bigquery.query({ query, defaultDataset: { datasetId: 'tributary' } });
    return rows.map(({ subject, properties, first_seen_at, updated_at }) => ({
      subject: JSON.parse(subject),
      properties: readJson(properties) as Record<string, Json>,
      first_seen_at,
      updated_at,
    }));
  };
  const times = 'UNIX_MICROS(first_seen_at) AS first_seen_at, UNIX_MICROS(updated_at) AS updated_at';
  const readPersons = (from: string) =>
    read(
      `SELECT TO_JSON_STRING([project, user_key, user_id, anonymous_id]) AS subject, TO_JSON_STRING(properties) AS properties, ${times} FROM ${from}`,
    );

  return {
    bigquery,
    async load(rows: readonly StateRow[]): Promise<void> {
      const buffer = createRowBuffer();
      const encoded = rows.map((row) => {
        buffer.reset();
        const keys = Object.keys(row.properties).sort(bytewise);
        const properties = keys.length === 0 ? undefined : writeJson(row.properties);
        encodeRow(buffer, eventLog, { request_hash: '0', ...row, keys, properties });
        return Buffer.from(buffer.bytes(0, buffer.length));
      });
      for (let start = 0; start < encoded.length; start += 10_000) {
        const some = encoded.slice(start, start + 10_000);
        const outcome = await writer.append('state_log', currentSchemaVersion, some, Date.now() + 60_000);
        if (outcome.kind !== 'appended' || outcome.refused.length > 0)
          throw new Error(JSON.stringify(outcome).slice(0, 500));
      }
    },
    async bind(bindings: readonly Bound[]): Promise<void> {
      const bindingsWriter = await clients.openWriter('identity_bindings');
      const rows = bindings.map((bound) => ({ ...bound, bound_at: 0, event_id: '0' }));
      if (rows.length > 0) await bindingsWriter.appendRows(rows).getResult();
    },
    /** Does to `persons` what a tick does of which everything received is new. */
    async mergePersons(
      persons: readonly (readonly (string | null)[])[],
      buckets: readonly number[],
    ): Promise<void> {
      const touched = persons.map(([project, userKey, userId, anonymousId]) => ({
        person: { project: project!, userKey: userKey!, userId: userId!, anonymousId: anonymousId! },
        bucket: bucketOf(project!, (userId ?? anonymousId)!),
        buckets,
        arrived: undefined,
      }));
      const arrivals = { rows: 0, during: runParameters(1) };
      await runQuery(bigquery, arrive(arrivals));
      await runQuery(bigquery, { query: insertOperations, ...arrivals.during, timeoutMs });
      await runQuery(bigquery, {
        query: personsMerge('tributary'),
        ...mergeParameters({ refolded: touched, carried: [] }, arrivals),
        timeoutMs,
      });
    },
    rebuiltPersons: () => readPersons(`(${personsRebuild('tributary')})`),
    profiles: () => readPersons('profiles'),
    persons: () => readPersons('persons'),
    items: () =>
      read(
        `SELECT TO_JSON_STRING([project, item_key, item_id]) AS subject, TO_JSON_STRING(properties) AS properties, ${times} FROM items`,
      ),
    async close(): Promise<void> {
      await writer.close();
      await storageWrite.close();
      await clients.close();
    },
  };
}
