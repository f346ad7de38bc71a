import { type CarriedPerson, findCarried } from './carry-persons.ts';
import { readClaimed } from './claimed-bindings.ts';
import { countRows } from './count-rows.ts';
import { type BindingsPlan, planBindings } from './plan-bindings.ts';
import { policyParameters } from './policies.ts';
import { readSql } from './read-sql.ts';
import { mergePairs } from './rebind.ts';
import {
  ageCounts,
  coarsen,
  dayMs,
  findChanged,
  hourMs,
  minuteMs,
  type Slice,
  sliceParameters,
  windowStart,
} from './slices.ts';
import type { FoldState } from './state.ts';
import type { TickContext } from './tick-context.ts';
import {
  type DuringSlices,
  foldPersons,
  readTouched,
  type TouchedPerson,
  textOf,
  uniquePersons,
} from './touched-persons.ts';

export type CaughtUp =
  | { readonly kind: 'unchanged' | 'folded'; readonly state: FoldState }
  /** More than is folded one by one. */
  | { readonly kind: 'too_much'; readonly reason: string; readonly state: FoldState };

/**
 * Folds what came in since the state was written, in at most sixteen queries: one counts, and a second one every hour;
 * where something is new two tell whom it is about and whose rows can be carried on, one copies operations, up to four
 * look at the pairs that came in and one writes them; where these only add to what is bound one more does so, else three
 * decide all bindings anew; one reads whom that touches, and one folds the persons.
 *
 * What the next tick could not find out by itself, should this one die, is written into the state before the step that
 * makes it so: that pairs change, and whose bindings will. Slices count as folded only with the state that is written last.
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

  const during = sliceParameters(slices);
  const tooMany = (): CaughtUp => ({
    kind: 'too_much',
    reason: `more than ${options.mostPersons} persons are touched`,
    state,
  });
  const arrived =
    slices.length === 0 ? [] : await steps.begin('touched', () => readTouched(during, [], context));
  if (arrived === 'too_many') return tooMany();
  const carried =
    arrived.length === 0
      ? new Map<string, CarriedPerson>()
      : await steps.begin('touched', () => findCarried(arrived, during, context));
  const hasOperations =
    slices.length > 0 && (await steps.begin('operations', () => copyOperations(during, context)));
  let mustRebind = state.mustRebind;
  let plan: BindingsPlan | undefined;
  if (hasOperations) {
    const claimed = await steps.begin('pairs', () => readClaimed(during, context));
    if (claimed.kind !== 'nothing' && !mustRebind) await save({ mustRebind: true });
    if (claimed.kind === 'carried_on' && !mustRebind) {
      await steps.begin('pairs', claimed.insertPairs);
      plan = claimed.bindings;
    } else if (claimed.kind !== 'nothing') {
      const changedPairs = await steps.begin('pairs', () => copyPairs(during, context));
      mustRebind ||= changedPairs > 0;
    }
  }
  if (mustRebind) plan = await steps.begin('plan', () => planBindings(context));
  if (plan !== undefined) {
    if (!plan.isComplete) {
      return { kind: 'too_much', reason: `more than ${options.mostPersons} bindings change`, state };
    }
    if (plan.persons.length > 0) await save({ dirty: uniquePersons([...state.dirty, ...plan.persons]) });
    if (mustRebind || plan.devices > 0) await steps.begin('bindings', plan.apply);
    steps.done.bindings = plan.devices;
  }

  // Once more, as their devices are now.
  const changed =
    state.dirty.length === 0
      ? []
      : await steps.begin('touched', () => readTouched(sliceParameters([]), state.dirty, context));
  if (changed === 'too_many') return tooMany();
  const touched = new Map<string, TouchedPerson>(
    [...arrived, ...changed].map((one) => [textOf(one.person), one]),
  );
  if (touched.size > options.mostPersons) return tooMany();
  for (const { person } of changed) carried.delete(textOf(person));
  const refolded = [...touched].flatMap(([text, one]) => (carried.has(text) ? [] : [one]));
  if (touched.size > 0) {
    await steps.begin('persons', () => foldPersons(refolded, [...carried.values()], during, context));
  }
  steps.done.persons = touched.size;
  steps.done.carried = carried.size;
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

/** Whether there are any. */
async function copyOperations(during: DuringSlices, { options, steps }: TickContext): Promise<boolean> {
  const query = readSql('insert-operations.sql', options.dataset);
  const { affectedRows } = await steps.query({ query, ...during });
  return affectedRows > 0;
}

/** How many pairs are new or have another first claim. */
async function copyPairs(during: DuringSlices, { options, steps, policies }: TickContext): Promise<number> {
  const given = policyParameters(policies);
  const { affectedRows } = await steps.query({
    query: mergePairs(options.dataset),
    params: { ...during.params, ...given.params },
    types: { ...during.types, ...given.types },
  });
  return affectedRows;
}
