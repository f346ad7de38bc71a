import { type Arrivals, copyArrivals, copyOperations, nothingArrived, sayFolded } from './arrivals.ts';
import { effectsOf } from './binding-effects.ts';
import { findWays } from './carry-persons.ts';
import { readClaimed } from './claimed-bindings.ts';
import { countRows } from './count-rows.ts';
import { type BindingsPlan, personsOf, planBindings } from './plan-bindings.ts';
import { policyParameters } from './policies.ts';
import { mergePairs } from './rebind.ts';
import {
  ageCounts,
  coarsen,
  dayMs,
  findChanged,
  hourMs,
  minuteMs,
  type Slice,
  windowStart,
} from './slices.ts';
import type { FoldState } from './state.ts';
import type { TickContext } from './tick-context.ts';
import { foldPersons, readTouched, uniquePersons } from './touched-persons.ts';

export type CaughtUp =
  | { readonly kind: 'unchanged' | 'folded'; readonly state: FoldState }
  /** More than is folded one by one. */
  | { readonly kind: 'too_much'; readonly reason: string; readonly state: FoldState };

/**
 * Folds what came in since the state was written, in at most sixteen queries: one counts, and a second one every hour; one
 * puts aside what is new; up to four look at the pairs that came in and one writes them; where these only add to what is
 * bound one more does so, else three decide all bindings anew; one reads whom all that touches, and one whose rows can be
 * carried on; one copies operations, one folds the persons, and one says that it is done.
 *
 * What the next tick could not find out by itself, should this one die, is written into the state before the step that
 * makes it so: that pairs change, and whose bindings will. What was new is so for the next tick too, until the last query;
 * and slices count as folded only with the state that is written last.
 */
export async function catchUp(before: FoldState, context: TickContext): Promise<CaughtUp> {
  const { options, steps, store } = context;
  const beganAt = options.now();
  let state = before;
  const save = async (changed: Partial<FoldState>) => {
    state = { ...state, ...changed };
    await store.write(state);
  };

  const { slices, counts } = await steps.begin('count', () => findSlices(before, beganAt, context));
  steps.done.slices = slices.length;
  const finished = { ...counts, foldedAt: beganAt, mustRebind: false, dirty: [] };
  if (slices.length === 0 && !state.mustRebind && state.dirty.length === 0) {
    await save(finished);
    return { kind: 'unchanged', state };
  }

  const tooMany = (): CaughtUp => ({
    kind: 'too_much',
    reason: `more than ${options.mostPersons} persons are touched`,
    state,
  });
  const arrivals =
    slices.length === 0
      ? nothingArrived
      : await steps.begin('arrivals', () => copyArrivals(slices, state.rebuildId, context));

  let mustRebind = state.mustRebind;
  let plan: BindingsPlan | undefined;
  if (arrivals.rows > 0) {
    const claimed = await steps.begin('pairs', () => readClaimed(arrivals, context));
    if (claimed.kind !== 'nothing' && !mustRebind) await save({ mustRebind: true });
    if (claimed.kind === 'carried_on' && !mustRebind) {
      await steps.begin('pairs', claimed.insertPairs);
      plan = claimed.bindings;
    } else if (claimed.kind !== 'nothing') {
      const changedPairs = await steps.begin('pairs', () => copyPairs(arrivals, context));
      mustRebind ||= changedPairs > 0;
    }
  }
  if (mustRebind) plan = await steps.begin('plan', () => planBindings(context));
  const left = state.dirty;
  if (plan !== undefined) {
    if (!plan.isComplete) {
      return { kind: 'too_much', reason: `more than ${options.mostPersons} bindings change`, state };
    }
    const { apply, changes, rows } = plan;
    if (changes.length > 0) await save({ dirty: uniquePersons([...left, ...changes.flatMap(personsOf)]) });
    if (mustRebind || rows > 0) await steps.begin('bindings', apply);
    steps.done.bindings = changes.length;
  }

  if (arrivals.rows > 0 || state.dirty.length > 0) {
    const touched = await steps.begin('touched', () => readTouched(arrivals, state.dirty, context));
    if (touched === 'too_many') return tooMany();
    const effects = effectsOf(left, plan?.changes ?? []);
    const ways = await steps.begin('touched', () => findWays(touched, effects, arrivals, context));
    if (arrivals.rows > 0) await steps.begin('operations', () => copyOperations(arrivals, context));
    steps.done.carried = ways.carried.length;
    steps.done.persons = ways.carried.length + ways.refolded.length;
    if (steps.done.persons > 0) {
      await steps.begin('persons', () => foldPersons(ways, arrivals, context));
    }
    if (arrivals.rows > 0) await steps.begin('rows', () => sayFolded(arrivals, context));
  }
  await save(finished);
  return { kind: 'folded', state };
}

/** The days before the window need not be counted as often: only replays bring rows there. */
const compareDaysEveryMs = hourMs;

/** Where something came in, and what the state will say once that is folded. */
async function findSlices(state: FoldState, now: number, { options, steps }: TickContext) {
  const withDays = now - state.daysComparedAt >= compareDaysEveryMs;
  const found = await countRows(steps, options.dataset, now, withDays);
  const folded = ageCounts(state.minutes, state.days, windowStart(now));
  const slices: Slice[] = coarsen([
    ...findChanged(folded.minutes, found.minutes, minuteMs),
    ...(found.days === undefined ? [] : findChanged(folded.days, found.days, dayMs)),
  ]);
  const counts = {
    minutes: found.minutes,
    days: found.days ?? folded.days,
    daysComparedAt: withDays ? now : state.daysComparedAt,
    watermark:
      found.watermark === null
        ? state.watermark
        : Math.max(state.watermark ?? found.watermark, found.watermark),
  };
  return { slices, counts };
}

/** How many pairs are new or have another first claim. */
async function copyPairs({ during }: Arrivals, { options, steps, policies }: TickContext): Promise<number> {
  const given = policyParameters(policies);
  const { affectedRows } = await steps.query({
    query: mergePairs(options.dataset),
    params: { ...during.params, ...given.params },
    types: { ...during.types, ...given.types },
  });
  return affectedRows;
}
