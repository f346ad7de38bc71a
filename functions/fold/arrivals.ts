import { randomInt } from 'node:crypto';
import { LeaseLost } from './lease.ts';
import { readSql } from './read-sql.ts';
import { type Slice, sliceParameters } from './slices.ts';
import type { TickContext } from './tick-context.ts';

/** What a tick found new in state_log, as arrived_operations holds it until another tick finds something. */
export interface Arrivals {
  readonly rows: number;
  /** The parameter @run of the queries over them, and its type. Without any these queries find nothing. */
  readonly during: ReturnType<typeof runParameters>;
}

export const nothingArrived: Arrivals = { rows: 0, during: runParameters(0) };

/**
 * Copies into arrived_operations what the slices have beyond what folded_rows says is folded. It finds at least what is
 * not: what is folded already may be there once more, where a tick died that folded it, or where it is older than what
 * the last rebuild put down.
 *
 * Everything after this reads these rows and nothing of state_log, so that it sees the same ones, whatever comes in
 * meanwhile; or none any more, once another tick has taken its place: sayFolded tells.
 */
export async function copyArrivals(
  slices: readonly Slice[],
  rebuildId: string,
  { options: { dataset }, steps }: TickContext,
): Promise<Arrivals> {
  const during = runParameters(randomInt(1, 2 ** 48 - 1));
  const { params, types } = sliceParameters(slices);
  const { totalRows } = await steps.query({
    query: readSql('arrived-operations.sql', dataset),
    params: { ...params, ...during.params, rebuild_id: rebuildId },
    types: { ...types, ...during.types },
    destination: { dataset, table: 'arrived_operations' },
  });
  return { rows: totalRows, during };
}

/** Adds them to profile_operations, where they may be already. */
export async function copyOperations(
  { during }: Arrivals,
  { options: { dataset }, steps }: TickContext,
): Promise<void> {
  await steps.query({ query: readSql('insert-operations.sql', dataset), ...during });
}

/** Says of them that they are folded; rejects with LeaseLost where they were not all there to the end. */
export async function sayFolded(
  { rows, during }: Arrivals,
  { options: { dataset }, steps }: TickContext,
): Promise<void> {
  const { affectedRows } = await steps.query({
    query: readSql('insert-folded-rows.sql', dataset),
    ...during,
  });
  if (affectedRows !== rows) throw new LeaseLost('another tick has replaced what this one was folding');
}

export function runParameters(run: number) {
  return { params: { run }, types: { run: 'INT64' } };
}
