import type { GroupState } from './group-state.ts';
import { reportId } from './holds.ts';
import { dayAt } from './services/calendar.ts';
import type { Call, PulledSlice, Report, Service, Slice } from './services/service.ts';

/** Quotas of a day are full again at midnight there: developers.google.com/analytics/devguides/reporting/data/v1/quotas */
const quotaZone = 'America/Los_Angeles';
const hourMs = 3_600_000;

export type Plan =
  | { readonly kind: 'go' }
  /** The bucket that is too empty, and when it is full again; epoch milliseconds. */
  | { readonly kind: 'defer'; readonly bucket: string; readonly notBefore: number };

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
 * Whether a batch fits into what is left of the quotas and leaves the reserve: of each bucket the share of the most that
 * was ever seen left in it. What is not known is not held back; the answer to the first call tells it.
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
  const tokens = batch.reduce(
    (sum, { report, entity }) => sum + tokensOf({ report, entity }, state, estimate),
    0,
  );
  for (const [bucket, { remaining, most, at }] of Object.entries(state.quota)) {
    const refilledAt = refillOf(bucket, at);
    if (refilledAt === undefined || refilledAt <= nowMs) continue;
    const needed = neededOf(bucket, tokens, batch.length);
    if (needed === undefined || remaining - needed >= most * reserveShare) continue;
    return { kind: 'defer', bucket, notBefore: refilledAt };
  }
  return { kind: 'go' };
}

/** Learns from a call what is left, and from slices what they take. */
export function learn(
  state: GroupState,
  calls: readonly Call[],
  pulled: readonly { readonly report: Report; readonly cost: PulledSlice['cost'] }[],
  nowMs: number,
): GroupState {
  const quota = { ...state.quota };
  for (const { quotaRemaining } of calls) {
    for (const [bucket, remaining] of Object.entries(quotaRemaining ?? {})) {
      quota[bucket] = { remaining, most: Math.max(remaining, quota[bucket]?.most ?? 0), at: nowMs };
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
