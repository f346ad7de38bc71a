import { randomUUID } from 'node:crypto';
import { personsRebuild } from './compose-sql.ts';
import { countRows } from './count-rows.ts';
import { planBindings } from './plan-bindings.ts';
import { policyParameters } from './policies.ts';
import { readSql } from './read-sql.ts';
import { rebuildPairs } from './rebind.ts';
import { sliceParameters, windowStart } from './slices.ts';
import { emptyState, type FoldState, type Rebuild, rebuildFor } from './state.ts';
import type { TickContext } from './tick-context.ts';

/**
 * Folds everything anew, or goes on with the rebuild that the state tells of, in nine queries. Each table is replaced in
 * one step, so that readers see it before or after; what came in since the rows were counted is for the next tick.
 *
 * The state tells from the beginning on that a rebuild is under way, and after each step which one is next.
 */
export async function rebuild(before: FoldState, reason: string, context: TickContext): Promise<FoldState> {
  const { options, steps, store, settingsHash } = context;
  // What was done under other rules is done again.
  const goesOn = before.rebuild?.settingsHash === settingsHash;
  let under: Rebuild = (goesOn ? before.rebuild : undefined) ?? { ...rebuildFor(reason), settingsHash };
  const save = async (changed: Partial<Rebuild>): Promise<void> => {
    under = { ...under, ...changed };
    await store.write({ ...before, rebuild: under });
  };
  if (!goesOn) await save({});

  if (under.next === 'count') {
    const beganAt = options.now();
    const { days = {}, ...found } = await steps.begin('count', () =>
      countRows(steps, options.dataset, beganAt, true),
    );
    const id = randomUUID();
    await save({ next: 'operations', id, beganAt, days, ...found });
  }
  if (under.next === 'operations') {
    const { id, beganAt } = under;
    // In this order, so that the one has no row that the other has not.
    await steps.begin('operations', () => replaceFoldedRows(id, beganAt, context));
    await steps.begin('operations', () => replaceOperations(context));
    await save({ next: 'pairs' });
  }
  if (under.next === 'pairs') {
    await steps.begin('pairs', () => replacePairs(context));
    await save({ next: 'bindings' });
  }
  if (under.next === 'bindings') {
    const plan = await steps.begin('plan', () => planBindings(context));
    await steps.begin('bindings', plan.apply);
    steps.done.bindings = plan.changes.length;
    await save({ next: 'persons' });
  }
  steps.done.persons = await steps.begin('persons', () => replacePersons(context));

  const { id: rebuildId, beganAt, minutes, days, watermark } = under;
  const state: FoldState = {
    ...emptyState,
    settingsHash,
    rebuildId,
    minutes,
    days,
    watermark,
    foldedAt: beganAt,
    daysComparedAt: beganAt,
  };
  await store.write(state);
  return state;
}

async function replaceFoldedRows(
  rebuildId: string,
  beganAt: number,
  { options: { dataset }, steps }: TickContext,
): Promise<void> {
  await steps.query({
    query: readSql('rebuild-folded-rows.sql', dataset),
    params: { rebuild_id: rebuildId, from_time: new Date(windowStart(beganAt)) },
    destination: { dataset, table: 'folded_rows' },
  });
}

/** Everything that was ever received. */
const always = sliceParameters([{ from: 0, to: Date.parse('9999-01-01') }]);

async function replaceOperations({ options: { dataset }, steps }: TickContext): Promise<void> {
  await steps.query({
    query: readSql('rebuild-operations.sql', dataset),
    ...always,
    destination: { dataset, table: 'profile_operations' },
  });
}

async function replacePairs({ options: { dataset }, steps, policies }: TickContext): Promise<void> {
  const given = policyParameters(policies);
  await steps.query({
    query: rebuildPairs(dataset),
    ...given,
    destination: { dataset, table: 'identity_pairs' },
  });
}

/** How many there are. */
async function replacePersons({ options: { dataset }, steps }: TickContext): Promise<number> {
  const { totalRows } = await steps.query({
    query: personsRebuild(dataset),
    destination: { dataset, table: 'persons' },
  });
  return totalRows;
}
