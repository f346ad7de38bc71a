import { randomUUID } from 'node:crypto';
import type { GaPropertiesRow } from '../../shared/warehouse/generated/row-types.ts';
import { type AdminApi, listBindings, listOrganisation } from './admin-api.ts';
import type { AppendRows } from './append-rows.ts';
import { OutOfTime } from './limiter.ts';
import { type AccountName, type Organisation, type ParentName, propertiesOf } from './live-state.ts';
import { listAccounts, listProperties, listStreams } from './read-inventory.ts';
import { mapSome } from './read-live.ts';
import { mainOf, rankOf, toApi } from './roles.ts';

export interface SnapshotContext {
  readonly api: AdminApi;
  readonly append: AppendRows;
  readonly now: () => number;
  readonly until: number;
}

export interface Snapshot {
  readonly snapshotId: string;
  /** Accounts that are whole in the warehouse. */
  readonly accounts: number;
  readonly properties: number;
  readonly bindings: number;
  /** Accounts that there was no time for; the next snapshot has them. */
  readonly left: number;
}

/**
 * Writes who has access to what, and the accounts and properties with their data streams, to the warehouse: account by
 * account, its row in ga_accounts last, so that a reader sees whole accounts alone.
 */
export async function takeSnapshot(context: SnapshotContext): Promise<Snapshot> {
  const { api, until } = context;
  const snapshot = { snapshotId: randomUUID().replaceAll('-', ''), takenAt: context.now() * 1_000 };
  const organisation = await listOrganisation(api, until);
  const details = await listAccounts(api, until);
  const done = { accounts: 0, properties: 0, bindings: 0, left: 0 };
  await mapSome([...details.keys()], accountsAtOnce, async (account) => {
    try {
      const counts = await snapAccount(account, organisation, context, snapshot, details);
      done.accounts += 1;
      done.properties += counts.properties;
      done.bindings += counts.bindings;
    } catch (error) {
      if (!(error instanceof OutOfTime)) throw error;
      done.left += 1;
    }
  });
  return { snapshotId: snapshot.snapshotId, ...done };
}

const accountsAtOnce = 2;

async function snapAccount(
  account: AccountName,
  organisation: Organisation,
  { api, append, until }: SnapshotContext,
  { snapshotId, takenAt }: { snapshotId: string; takenAt: number },
  details: Awaited<ReturnType<typeof listAccounts>>,
): Promise<{ properties: number; bindings: number }> {
  const common = { snapshot_id: snapshotId, taken_at: takenAt, account };
  const isSeen = organisation.accounts.has(account);
  const parents: ParentName[] = isSeen ? [account, ...propertiesOf(account, organisation)] : [];
  const listed = await mapSome(parents, readsAtOnce, async (parent) =>
    [...(await listBindings(api, parent, until))].map(([user, { name, roles }]) => ({
      ...common,
      resource: parent,
      binding: name,
      user_email: user,
      roles: toApi(roles),
      role: mainOf(roles),
      role_rank: rankOf(roles),
      no_cost_data: roles.includes('no-cost-data'),
      no_revenue_data: roles.includes('no-revenue-data'),
    })),
  );
  const bindings = listed.flat();
  const properties = isSeen ? await listProperties(api, account, until) : [];
  const rows = await mapSome(properties, readsAtOnce, async (property): Promise<GaPropertiesRow> => {
    const streams =
      property.delete_time === undefined ? await listStreams(api, property.property, until) : [];
    return { ...common, ...property, streams: streams.length, data_streams: JSON.stringify(streams) };
  });
  await append('access_bindings', bindings);
  await append('ga_properties', rows);
  const own = details.get(account);
  await append('ga_accounts', [
    { ...common, deleted: false, ...own, properties: rows.length, bindings: bindings.length },
  ]);
  return { properties: rows.length, bindings: bindings.length };
}

const readsAtOnce = 4;
