import { randomUUID } from 'node:crypto';
import { createDecisionAppender } from '../../../functions/fold/append-decisions.ts';
import { runParameters } from '../../../functions/fold/arrivals.ts';
import { type ProjectPolicy, policyParameters } from '../../../functions/fold/policies.ts';
import { readSql } from '../../../functions/fold/read-sql.ts';
import {
  applyRebind,
  mergePairs,
  planRebind,
  type RebindPlan,
  rebuildPairs,
} from '../../../functions/fold/rebind.ts';
import { type Slice, sliceParameters } from '../../../functions/fold/slices.ts';
import { startBigQuery } from '../../../local/bigquery/index.ts';
import { createWarehouse } from '../../../local/warehouse.ts';
import { createBigQuery } from '../../../shared/google/bigquery.ts';
import { runQuery } from '../../../shared/google/run-query.ts';
import { createStorageWriteClient } from '../../../shared/google/storage-write.ts';
import { encodeRow } from '../../../shared/warehouse/encode-row.ts';
import { createRowBuffer } from '../../../shared/warehouse/row-buffer.ts';
import { currentSchemaVersion } from '../../../shared/warehouse/schema-versions.ts';
import { eventLog } from '../../../shared/warehouse/tables/index.ts';
import { createWriter } from '../../../shared/warehouse/writer.ts';
import type { AliasRow, Binding } from '../../reference/bind.ts';

export const everything: Slice = { from: Date.UTC(2000), to: Date.UTC(2100) };

export type IdentityWarehouse = Awaited<ReturnType<typeof startIdentityWarehouse>>;

/** A started local BigQuery with the warehouse's tables, rows of state_log written as load does, and fold's steps of identity. */
export async function startIdentityWarehouse() {
  process.env.METADATA_SERVER_DETECTION = 'none';
  const server = await startBigQuery({ restPort: 0, grpcPort: 0, file: ':memory:' });
  const environment: NodeJS.ProcessEnv = {
    LOCAL_BIGQUERY: `127.0.0.1:${server.restPort}`,
    LOCAL_BIGQUERY_STORAGE: `127.0.0.1:${server.grpcPort}`,
  };
  const bigquery = createBigQuery('local', environment);
  await createWarehouse(bigquery, 'tributary');
  const storageWrite = createStorageWriteClient(environment);
  const writer = createWriter({ client: storageWrite, project: 'local', dataset: 'tributary' });
  const appendDecisions = createDecisionAppender(writer, 30_000);
  let jobs = 0;
  bigquery.interceptors.push({
    request(options) {
      if (options.method === 'POST') jobs++;
      return { ...options, uri: 'uri' in options ? String(options.uri) : '' };
    },
  });
  const shared = { bigquery, dataset: 'tributary', timeoutMs: 120_000 };

  let runs = 0;
  /** Puts aside what the slices have, as a tick does to which all of it is new. */
  const arrive = async (slices: readonly Slice[]) => {
    const during = runParameters(++runs);
    const { params, types } = sliceParameters(slices);
    await runQuery(bigquery, {
      query: readSql('arrived-operations.sql', 'tributary'),
      params: { ...params, ...during.params, rebuild_id: '' },
      types: { ...types, ...during.types },
      destination: { dataset: 'tributary', table: 'arrived_operations' },
      timeoutMs: 120_000,
    });
    return during;
  };
  const rebuildCall = (policies: readonly ProjectPolicy[]) => ({
    ...policyParameters(policies),
    query: rebuildPairs('tributary'),
    timeoutMs: 120_000,
  });

  const query = async (sql: string): Promise<Record<string, unknown>[]> => {
    const [rows] = await bigquery.query({ query: sql, defaultDataset: { datasetId: 'tributary' } });
    return rows;
  };

  return {
    query,
    /** The requests that began a job. */
    jobs: () => jobs,
    async load(rows: readonly AliasRow[]): Promise<void> {
      const buffer = createRowBuffer();
      const encoded = rows.map((row) => {
        buffer.reset();
        encodeRow(buffer, eventLog, { request_hash: '0', time_source: 'sender', ...row });
        return Buffer.from(buffer.bytes(0, buffer.length));
      });
      for (let start = 0; start < encoded.length; start += 10_000) {
        const some = encoded.slice(start, start + 10_000);
        const outcome = await writer.append('state_log', currentSchemaVersion, some, Date.now() + 60_000);
        if (outcome.kind !== 'appended' || outcome.refused.length > 0)
          throw new Error(JSON.stringify(outcome).slice(0, 500));
      }
    },
    async mergePairs(policies: readonly ProjectPolicy[], slices: readonly Slice[]): Promise<number> {
      const [during, given] = [await arrive(slices), policyParameters(policies)];
      const { affectedRows } = await runQuery(bigquery, {
        query: mergePairs('tributary'),
        params: { ...given.params, ...during.params },
        types: { ...given.types, ...during.types },
        timeoutMs: 120_000,
      });
      return affectedRows;
    },
    plan: (policies: readonly ProjectPolicy[], mostChanges = 1_000_000): Promise<RebindPlan> =>
      planRebind({ ...shared, policies, appendDecisions, runId: randomUUID(), now: Date.now, mostChanges }),
    apply: (policies: readonly ProjectPolicy[], plan: RebindPlan) =>
      applyRebind({ ...shared, policies }, plan),
    /** What a full run would put into identity_pairs. */
    async rebuiltPairs(policies: readonly ProjectPolicy[]) {
      return (await runQuery(bigquery, rebuildCall(policies))).rows;
    },
    async replacePairs(policies: readonly ProjectPolicy[]): Promise<void> {
      const destination = { dataset: 'tributary', table: 'identity_pairs' };
      await runQuery(bigquery, { ...rebuildCall(policies), destination });
    },
    /** As the reference has them. */
    async bindings(): Promise<Binding[]> {
      const rows = await query(
        `SELECT project, anonymous_id, user_key, user_id, UNIX_MICROS(bound_at) AS bound_at, event_id
         FROM identity_bindings ORDER BY project, anonymous_id`,
      );
      return rows as unknown as Binding[];
    },
    async close(): Promise<void> {
      await writer.close();
      await storageWrite.close();
      await server.close();
    },
  };
}
