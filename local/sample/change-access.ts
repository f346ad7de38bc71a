import type { BigQuery } from '@google-cloud/bigquery';
import { z } from 'zod';
import { DATASET, type LocalCloud } from '../index.ts';
import { formatResult } from '../query.ts';
import type { TableStyle } from '../terminal/format-table.ts';
import { runQuery } from '../terminal/run-query.ts';

export interface ChangeAccessOptions {
  readonly cloud: Pick<LocalCloud, 'urls' | 'token' | 'runJob'>;
  readonly bigquery: BigQuery;
  readonly style: TableStyle;
  readonly write: (text: string) => void;
}

/** On the organisation of local/admin/sample.json: somebody comes, somebody gets less, somebody goes. */
const request = {
  changes: [
    { op: 'grant', user: 'dana@example.com', roles: 'READ_AND_ANALYZE', on: 'accounts/200001/properties/*' },
    { op: 'set', user: 'ben@example.com', roles: 'analyst', on: 'properties/300000001' },
    { op: 'revokeEverywhere', user: 'left@example.com' },
  ],
};

/**
 * Plans and applies a few changes of access, as `npm run access -- apply` does, takes a snapshot, and writes who can see what
 * then. Where the local Admin API has another organisation nothing is changed, and that is said.
 */
export async function changeSampleAccess({
  cloud,
  bigquery,
  style,
  write,
}: ChangeAccessOptions): Promise<void> {
  const url = cloud.urls.permissions;
  const call = async (path: string, body: object) => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${await cloud.token(url)}` },
      body: JSON.stringify(body),
    });
    return { status: response.status, answer: (await response.json()) as unknown };
  };
  const planned = await call('/plan', { request });
  if (planned.status === 400) {
    write('\nNo access is changed: the local Admin API has another organisation than that of the sample.\n');
    return;
  }
  const { planHash, counts } = plan.parse(planned.answer);
  const { kind, writes } = outcome.parse((await call('/apply', { request, planHash })).answer);
  const snapshot = await cloud.runJob('permissions-snapshot');
  if ('error' in snapshot || snapshot.status >= 300) throw new Error('The snapshot of access was not taken.');
  write(
    `\nA request to change access: ${counts.creates} to add, ${counts.updates} to change, ${counts.deletes} to remove; ${kind} in ${writes} calls.\n`,
  );
  const sql = `SELECT resource, display_name, user_email, access, role FROM access_effective
               WHERE account = 'accounts/200001' ORDER BY resource, user_email`;
  const shown = await runQuery(bigquery, { query: sql, defaultDataset: { datasetId: DATASET } });
  const table = formatResult(shown, 'table', style).replace(/^(?=.)/gm, '  ');
  write(`\nAccess (view access_effective: who can see and do what in one account)\n${table}`);
}

const plan = z.object({
  planHash: z.string(),
  counts: z.object({ creates: z.number(), updates: z.number(), deletes: z.number() }),
});
const outcome = z.object({ kind: z.string(), writes: z.number() });
