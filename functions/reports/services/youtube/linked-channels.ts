import type { Failure, ServiceContext } from '../service.ts';
import { listChannels } from './channels.ts';
import type { ExecuteQuery } from './execute-query.ts';
import { queryRows, type Rows, type RowsQuery } from './query-rows.ts';

export interface LinkedRows {
  readonly rows: Rows;
  /** One for each channel that is not the owner's (any more). */
  readonly unlinked: readonly Failure[];
}

/**
 * Asks for the rows of several channels. One that was unlinked makes YouTube refuse all of them: then the channels of
 * the owner are listed, and the others asked for without it.
 */
export async function queryLinked(
  query: RowsQuery,
  rowsPerRequest: number,
  executeQuery: ExecuteQuery,
  context: ServiceContext,
): Promise<LinkedRows> {
  const rows = await queryRows(query, rowsPerRequest, executeQuery, context);
  const isRefused = rows.kind === 'failed' && rows.failure.reason === 'forbidden';
  if (!isRefused || query.owner.id === undefined || query.channels.length < 2) return { rows, unlinked: [] };
  const listed = await listChannels(query.owner, query.probeGroup, executeQuery, context);
  if ('failure' in listed) return { rows: { kind: 'failed', failure: listed.failure }, unlinked: [] };
  const own = new Set(listed.channels.map(({ id }) => id));
  const unlinked = query.channels
    .filter((id) => !own.has(id))
    .map(
      (id): Failure => ({
        kind: 'stopped_entity',
        entityId: id,
        reason: 'unlinked',
        message: `Channel ${id} is no channel of ${query.owner.key} (any more). Link it again, or take it out of the configuration.`,
        notBefore: null,
        alert: true,
      }),
    );
  const channels = query.channels.filter((id) => own.has(id));
  // Where all are linked it is not the channels that are refused.
  if (unlinked.length === 0) return { rows, unlinked };
  if (channels.length === 0) {
    const nothing = { calls: 0, requests: 0, tokens: 0, units: 0 };
    return { rows: { kind: 'rows', rows: [], cost: nothing, metadata: {} }, unlinked };
  }
  return { rows: await queryRows({ ...query, channels }, rowsPerRequest, executeQuery, context), unlinked };
}
