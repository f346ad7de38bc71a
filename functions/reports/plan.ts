import type { GroupState } from './group-state.ts';
import { reportId } from './holds.ts';
import { dayAt } from './services/calendar.ts';
import type { Call, PulledSlice, Report, Service, Slice } from './services/service.ts';

/** Quotas of a day are full again at midnight there: developers.google.com/analytics/devguides/reporting/data/v1/quotas */
const quotaZone = 'America/Los_Angeles';
const hourMs = 3_600_000;

export type Plan =
  /** Asked for now: all, those that fit, or one alone that no reserve leaves room for. */
  | {
      readonly kind: 'go';
      readonly slices: readonly Slice[];
      readonly oversize?: Oversize;
    }
  /** None now: the bucket that is too empty, and when it is full again; epoch milliseconds. */
  | { readonly kind: 'defer'; readonly bucket: string; readonly notBefore: number };

/** A slice that costs more than the reserve of a bucket ever leaves. */
export interface Oversize {
  readonly bucket: string;
  readonly tokens: number;
}

/** The slices in the fewest calls: those of one batch key together, in the order given. */
export function packBatches(
  slices: readonly Slice[],
  service: Pick<Service, 'batchKey' | 'mostPerBatch' | 'weigh'>,
): Slice[][] {
  const batches: { readonly key: string; weight: number; readonly slices: Slice[] }[] = [];
  for (const slice of slices) {
    const key = service.batchKey(slice);
    const weight = service.weigh?.(slice) ?? 1;
    // One that fits no more is passed by, so that a small one may still fill it.
    const batch = batches.find(
      (one) => one.key === key && one.weight + weight <= service.mostPerBatch + slack,
    );
    if (batch === undefined) batches.push({ key, weight, slices: [slice] });
    else {
      batch.slices.push(slice);
      batch.weight += weight;
    }
  }
  return batches.map((batch) => batch.slices);
}

/** Weights may be thirds. */
const slack = 1e-9;

/**
 * Which slices of a batch fit into what is left of the quotas and leave the reserve: of each bucket the share of the most
 * that was seen left in it. What is not known is not held back; the answer to the first call tells it. A slice that would
 * not even leave the reserve of a bucket that is as full as it gets goes alone: the API takes tokens only after it has
 * answered, and to wait longer would be to wait for ever.
 */
export function planBatch(
  batch: readonly Slice[],
  state: Pick<GroupState, 'quota' | 'learned'>,
  options: {
    readonly estimate: Service['estimate'];
    /** 0 to 1. */
    readonly reserveShare: number;
    readonly nowMs: number;
  },
): Plan {
  const { estimate, reserveShare, nowMs } = options;
  const buckets = Object.entries(state.quota).flatMap(([name, { remaining, most, at }]): Bucket[] => {
    const refilledAt = refillOf(name, at);
    if (refilledAt === undefined || refilledAt <= nowMs) return [];
    return [{ name, remaining, most, refilledAt, reserve: most * reserveShare }];
  });
  const tokens = (slices: readonly Slice[]) =>
    slices.reduce((sum, slice) => sum + tokensOf(slice, state, estimate), 0);
  const listShort = (slices: readonly Slice[]) =>
    buckets.filter(({ name, remaining, reserve }) => {
      const needed = neededOf(name, tokens(slices), slices.length);
      return needed !== undefined && remaining - needed < reserve;
    });

  const fitting: Slice[] = [];
  for (const slice of batch) if (listShort([...fitting, slice]).length === 0) fitting.push(slice);
  if (fitting.length > 0) return { kind: 'go', slices: fitting };

  let blocking: Bucket | undefined;
  for (const slice of batch) {
    const short = listShort([slice]);
    const blocked = short.find((bucket) => !isNearlyFull(bucket));
    const [bucket] = short;
    if (blocked === undefined && bucket !== undefined) {
      return { kind: 'go', slices: [slice], oversize: { bucket: bucket.name, tokens: tokens([slice]) } };
    }
    blocking ??= blocked;
  }
  if (blocking === undefined) return { kind: 'go', slices: batch };
  return { kind: 'defer', bucket: blocking.name, notBefore: blocking.refilledAt };
}

interface Bucket {
  readonly name: string;
  readonly remaining: number;
  readonly most: number;
  readonly refilledAt: number;
  readonly reserve: number;
}

/** As full as it gets: probes, and others, have taken of it since it was full. */
const isNearlyFull = ({ remaining, most }: Bucket): boolean => remaining > 0 && remaining >= most * 0.9;

/** Learns from a call what is left, and from slices what they take. */
export function learn(
  state: GroupState,
  calls: readonly Pick<Call, 'quotaRemaining' | 'tokens'>[],
  pulled: readonly { readonly report: Report; readonly cost: PulledSlice['cost'] }[],
  nowMs: number,
): GroupState {
  const quota = { ...state.quota };
  for (const { quotaRemaining, tokens } of calls) {
    for (const [bucket, remaining] of Object.entries(quotaRemaining ?? {})) {
      const known = quota[bucket];
      // Of an empty one nobody knows how much more the call took.
      const taken = remaining > 0 && bucket.startsWith('tokens') ? (tokens ?? 0) : 0;
      const refilledAt = known === undefined ? undefined : refillOf(bucket, known.at);
      // What a bucket no longer fills up to, as after Analytics 360, is forgotten; else nothing would ever fit again.
      const kept = (known?.most ?? 0) * (refilledAt !== undefined && refilledAt <= nowMs ? 0.9 : 1);
      quota[bucket] = { remaining, most: Math.max(remaining + taken, kept), at: nowMs };
    }
  }
  const learned = { ...state.learned };
  for (const { report, cost } of pulled) {
    const id = reportId(report);
    // A day with few rows takes few tokens: the estimate sinks slowly and rises at once.
    learned[id] = Math.max(cost.tokens, (learned[id] ?? 0) * 0.9);
  }
  return { ...state, quota, learned };
}

const tokensOf = (
  { report, entity }: Pick<Slice, 'report' | 'entity'>,
  { learned }: Pick<GroupState, 'learned'>,
  estimate: Service['estimate'],
): number => learned[reportId(report)] ?? estimate(report, entity).tokens;

/** When a bucket that was read at `at` is full again, in epoch milliseconds; undefined for what is no matter of time. */
export function refillOf(bucket: string, at: number): number | undefined {
  if (/PerHour$/.test(bucket)) return at + hourMs;
  if (!/PerDay$/.test(bucket)) return undefined;
  const today = dayAt(at, quotaZone);
  let next = at - (at % hourMs) + hourMs;
  while (dayAt(next, quotaZone) === today) next += hourMs;
  return next;
}

/** What a batch takes of a bucket; undefined where that is not known before. */
function neededOf(bucket: string, tokens: number, requests: number): number | undefined {
  if (bucket.startsWith('tokens')) return tokens;
  if (bucket.startsWith('potentiallyThresholded')) return requests;
  // Each error takes one, so that a call needs none; the reserve keeps the last ones.
  return bucket.startsWith('serverErrors') ? 0 : undefined;
}
