import type { Slice } from '../../../functions/fold/slices.ts';
import { type AliasRow, type Binding, bind, findConflicts } from '../../reference/bind.ts';
import { createRandom } from '../random.ts';
import { begin, type History, makeHistory, minutes, type Shape, shapes } from './histories.ts';
import { everything, type IdentityWarehouse, startIdentityWarehouse } from './identity-warehouse.ts';

/** How the rows come: all before the one run; or minute by minute in no order, with a run after each few. */
export const arrivals = ['at once', 'in shuffled slices', 'late into old slices'] as const;
export type Arrival = (typeof arrivals)[number];

export interface CaseFigures {
  readonly shape: Shape;
  readonly arrival: Arrival;
  readonly rows: number;
  readonly bindings: number;
  readonly contested: number;
  readonly runs: number;
  /** Of a run: that of the pairs, the two of the plan, and the one that applies it. */
  readonly mostQueriesOfARun: number;
  /** After any run: devices bound otherwise than the reference has it. */
  readonly wrong: number;
  /** Devices that a run changed and its plan did not tell, or the other way round. */
  readonly untold: number;
  /** At the end: pairs that identity_conflicts gives another reason than the reference, leaves out or adds. */
  readonly wrongConflicts: number;
  /** Pairs that differ between the many small runs and one full run. */
  readonly wrongPairs: number;
  readonly seconds: number;
}

export interface IdentityOptions {
  readonly pairs: number;
  readonly seed: number;
  readonly runs: number;
  readonly progress: (line: string) => void;
}

/** The cases of the proof, each shape of history in each way of arriving. */
export const cases = shapes.flatMap((shape) => arrivals.map((arrival) => ({ shape, arrival })));

/** Holds identity_bindings against the reference after every run of a history. */
export async function proveCase(
  { shape, arrival }: (typeof cases)[number],
  { pairs, seed, runs, progress }: IdentityOptions,
): Promise<CaseFigures> {
  const started = performance.now();
  const random = createRandom(seed);
  const history = makeHistory(shape, pairs, random);
  const warehouse = await startIdentityWarehouse();
  const figures = { contested: 0, mostQueriesOfARun: 0, wrong: 0, untold: 0 };
  try {
    const steps = divide(history.rows, arrival, runs, random);
    const arrived: AliasRow[] = [];
    let before: Binding[] = [];
    for (const [index, { rows, slices }] of steps.entries()) {
      await warehouse.load(rows);
      for (const row of rows) arrived.push(row);
      const run = await runOnce(warehouse, history, slices);
      const after = await warehouse.bindings();
      const expected = bind(arrived, history.rulesOf);
      figures.contested = run.contested;
      figures.mostQueriesOfARun = Math.max(figures.mostQueriesOfARun, run.queries);
      figures.wrong += countDifferent(expected, after, wholeBinding);
      figures.untold += countDifferent(changesOf(before, after), run.changes, JSON.stringify);
      before = after;
      progress(`${shape}, ${arrival}: run ${index + 1} of ${steps.length}, ${after.length} bindings`);
    }
    const pairsNow = await warehouse.query('SELECT * FROM identity_pairs');
    const wrongPairs = countDifferent(
      await warehouse.rebuiltPairs(history.policies),
      pairsNow,
      JSON.stringify,
    );
    const conflicts = await warehouse.query(
      'SELECT project, anonymous_id, user_key, user_id, event_id, reason FROM identity_conflicts',
    );
    const wrongConflicts = countDifferent<object>(
      findConflicts(arrived, history.rulesOf),
      conflicts,
      JSON.stringify,
    );
    const seconds = Math.round((performance.now() - started) / 1_000);
    const { length } = history.rows;
    return {
      shape,
      arrival,
      rows: length,
      bindings: before.length,
      runs: steps.length,
      ...figures,
      wrongPairs,
      wrongConflicts,
      seconds,
    };
  } finally {
    await warehouse.close();
  }
}

export const isProved = (it: CaseFigures): boolean =>
  it.wrong + it.untold + it.wrongPairs + it.wrongConflicts === 0 &&
  it.mostQueriesOfARun === 5 &&
  it.bindings > 0;

async function runOnce(warehouse: IdentityWarehouse, { policies }: History, slices: readonly Slice[]) {
  const jobsBefore = warehouse.jobs();
  await warehouse.mergePairs(policies, slices);
  const plan = await warehouse.plan(policies);
  await warehouse.apply(policies, plan);
  const changes = plan.changes.map(({ project, anonymousId, before, after }) => [
    project,
    anonymousId,
    before,
    after,
  ]);
  return { contested: plan.contested, changes, queries: warehouse.jobs() - jobsBefore };
}

interface Step {
  readonly rows: readonly AliasRow[];
  readonly slices: readonly Slice[];
}

/** What arrives before each run, and the minutes in which it was received. */
function divide(rows: readonly AliasRow[], arrival: Arrival, runs: number, random: () => number): Step[] {
  if (arrival === 'at once') return [{ rows, slices: [everything] }];
  const minuteMs = 60_000;
  const minuteOf = (row: AliasRow) => Math.floor((row.received_at / 1_000 - begin) / minuteMs);
  const runOfMinute = Array.from({ length: minutes }, () => Math.floor(random() * runs));
  const byRun = Map.groupBy(rows, (row) =>
    arrival === 'in shuffled slices' ? runOfMinute[minuteOf(row)] : Math.floor(random() * runs),
  );
  return [...byRun.values()].map((some) => ({
    rows: some,
    slices: [...new Set(some.map(minuteOf))].map((minute) => ({
      from: begin + minute * minuteMs,
      to: begin + (minute + 1) * minuteMs,
    })),
  }));
}

const wholeBinding = (it: Binding): string =>
  JSON.stringify([it.project, it.anonymous_id, it.user_key, it.user_id, it.bound_at, it.event_id]);

function changesOf(before: readonly Binding[], after: readonly Binding[]): unknown[] {
  const key = (it: Binding) => JSON.stringify([it.project, it.anonymous_id]);
  const user = (it: Binding | undefined) => it && { userKey: it.user_key, userId: it.user_id };
  const [old, now] = [before, after].map((list) => new Map(list.map((it) => [key(it), it])));
  return [...new Set([...old!.keys(), ...now!.keys()])].flatMap((device) => {
    const [from, to] = [user(old!.get(device)), user(now!.get(device))];
    const isSame = JSON.stringify(from) === JSON.stringify(to);
    return isSame ? [] : [[...(JSON.parse(device) as string[]), from, to]];
  });
}

/** How many are in only one of two lists. */
function countDifferent<T>(left: readonly T[], right: readonly T[], textOf: (one: T) => string): number {
  const [lefts, rights] = [left, right].map((list) => new Set(list.map((one) => textOf(one))));
  const copies = left.length - lefts!.size + (right.length - rights!.size);
  const missing = [...lefts!].filter((text) => !rights!.has(text));
  const extra = [...rights!].filter((text) => !lefts!.has(text));
  return missing.length + extra.length + copies;
}
