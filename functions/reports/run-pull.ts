import { takeLease } from '../../shared/google/lease.ts';
import type { ObjectStore } from '../../shared/google/object-store.ts';
import type { log as writeLog } from '../../shared/host/log.ts';
import type { AppendRows } from './append-rows.ts';
import { type CallLedger, createCallLedger } from './call-ledger.ts';
import { changeGroupState, type GroupState, readGroupState } from './group-state.ts';
import { applyFailures, type Failed, findHold, liftHolds, reportId } from './holds.ts';
import { sliceKey } from './list-due.ts';
import { learn, type Oversize, type Plan, packBatches, planBatch } from './plan.ts';
import { type Answered, type PublishOptions, publishAttempts } from './publish-attempts.ts';
import type { OrderedSlice, PullOrder } from './pull-order.ts';
import type { Attempt, ReportStore } from './report-store.ts';
import type { Failure, PullOutcome, Service, ServiceContext, Slice } from './services/service.ts';
import { addSpentUnits } from './spent-units.ts';

export interface PullOptions {
  readonly services: readonly Service[];
  readonly bucket: ObjectStore;
  readonly store: ReportStore;
  readonly append: AppendRows;
  readonly ladder: readonly number[];
  /** Of each quota, 0 to 1: what is left for others. */
  readonly reserveShare: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: ServiceContext['sleep'];
  /** How long one request to the bucket may take, tries included. */
  readonly callWithinMs: number;
  readonly leaseMs: number;
  /** No batch begins after it. */
  readonly withinMs: number;
  readonly log: typeof writeLog;
  readonly onWrite?: PublishOptions['onWrite'] | undefined;
}

export interface PullResult {
  /**
   * `done`: whatever is left of the order is ordered again by a poll; `busy`: another one pulls of this property or
   * owner; `unfinished`: time was over or something passing failed, and the order must come again.
   */
  readonly kind: 'done' | 'busy' | 'unfinished';
  readonly pulled: number;
  readonly rows: number;
  readonly restated: number;
  /** Slices that another delivery has pulled, or that the configuration has no more. */
  readonly skipped: number;
  /** Slices that are left to a later order: quotas and whatever else is held back. */
  readonly deferred: number;
  readonly failed: number;
}

const nothing = { pulled: 0, rows: 0, restated: 0, skipped: 0, deferred: 0, failed: 0 };

/**
 * Pulls the slices of an order and publishes each. It may be cut off anywhere, delivered twice and side by side: what
 * was pulled already is left out, and of two attempts of a slice one counts. Rejects where Cloud Storage or BigQuery
 * cannot be used.
 */
export async function runPull(order: PullOrder, options: PullOptions): Promise<PullResult> {
  const { source, probeGroup } = order;
  const service = options.services.find((one) => one.source === source);
  const wanted = service === undefined ? [] : resolveSlices(order.slices, service);
  const unknown = order.slices.length - wanted.length;
  if (service === undefined || wanted.length === 0) return { ...nothing, kind: 'done', skipped: unknown };

  const deadline = options.now() + options.withinMs;
  return inTurn(`${source}/${probeGroup}`, async () => {
    const object = `reports/leases/${source}/${encodeURIComponent(probeGroup)}.json`;
    const { bucket, now, callWithinMs } = options;
    const lease = await takeLease({ bucket, object, now, callWithinMs, lastsMs: options.leaseMs });
    if (lease === undefined) return { ...nothing, kind: 'busy' };
    try {
      const result = await pullSlices(order, service, wanted, deadline, options);
      return { ...result, skipped: result.skipped + unknown };
    } finally {
      await lease.release();
    }
  });
}

interface Wanted {
  readonly slice: Slice;
  readonly ordered: OrderedSlice;
}

async function pullSlices(
  order: PullOrder,
  service: Service,
  wanted: readonly Wanted[],
  deadline: number,
  options: PullOptions,
): Promise<PullResult> {
  const { now, store, append } = options;
  const { source, probeGroup } = order;
  const counting = await readCounting(store, source, wanted);
  const orderedOf = new Map(wanted.map(({ ordered, slice }) => [keyOf(slice), ordered]));
  const open = wanted.filter(({ slice, ordered }) => !isCovered(counting.get(keyOf(slice)), ordered));
  let state = await readGroupState(options, source, probeGroup);
  const result = { ...nothing, kind: 'done' as PullResult['kind'], skipped: wanted.length - open.length };
  const ledger = createCallLedger(source, append);
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), Math.max(0, deadline - now()));
  const context: ServiceContext = { ...options, recordCall: ledger.record, signal: over.signal };

  try {
    const batches = packBatches(
      open.map(({ slice }) => slice),
      service,
    );
    const waiting: Deferred[] = [];
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
      const allowed = batch.filter(({ entity, report }) => {
        const asked = { entityId: entity.entityId, report: reportId(report) };
        return findHold(state, now(), asked) === undefined;
      });
      result.deferred += batch.length - allowed.length;
      if (allowed.length === 0) continue;
      if (now() >= deadline) {
        result.kind = 'unfinished';
        break;
      }
      const planOptions = { ...options, estimate: service.estimate, nowMs: now() };
      const plan = planBatch(allowed, state, planOptions);
      if (plan.kind === 'defer') {
        // What is smaller may still fit.
        waiting.push(plan);
        result.deferred += allowed.length;
        continue;
      }
      const rest = allowed.filter((slice) => !plan.slices.includes(slice));
      if (rest.length > 0) batches.unshift(rest);
      const startedMs = now();
      const outcomes = await service.pull(plan.slices, context);
      const answered = outcomes.flatMap((outcome): Answered[] => {
        if (outcome.kind === 'failed') return [];
        const key = keyOf(outcome.slice);
        const ordered = orderedOf.get(key);
        if (ordered === undefined) return [];
        return [{ ...outcome, ordered, previous: counting.get(key), startedMs }];
      });
      const published = await publishAttempts(answered, options);
      result.pulled += answered.length;
      result.rows += published.rows;
      result.restated += published.restated;
      const failures = failuresOf(outcomes, plan.oversize);
      result.failed += failures.length;
      if (failures.some(mayPass)) result.kind = 'unfinished';
      state = await remember(order, answered, failures, ledger, options);
      await addSpentUnits(options, source, ledger.calls);
      await ledger.flush();
    }
    const [soonest] = waiting.sort((one, other) => one.notBefore - other.notBefore);
    if (soonest !== undefined) await holdBack(soonest, order, options);
    if (result.deferred + result.failed > 0) await markDeferred(order, options);
    await ledger.flush();
  } catch (error) {
    // The calls were made; where they cannot be stored either, what failed first is what is told.
    await ledger.flush().catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return result;
}

/** Also of the calls that failed: what is left of quotas, who is held back, and what slices take. */
function remember(
  { source, probeGroup }: PullOrder,
  answered: readonly Answered[],
  failures: readonly Failed[],
  ledger: CallLedger,
  options: PullOptions,
): Promise<GroupState> {
  const { now, log } = options;
  const pulled = answered.map(({ slice, pulled: { cost } }) => ({ report: slice.report, cost }));
  let isLogged = false;
  return changeGroupState(options, source, probeGroup, (before) => {
    let state = learn(before, ledger.calls, pulled, now());
    for (const { slice } of answered) {
      state = liftHolds(state, { entityId: slice.entity.entityId, report: reportId(slice.report) });
    }
    // Where it is written anew, as somebody else was faster, it was logged already.
    const once = isLogged ? () => {} : log;
    isLogged = true;
    return applyFailures(state, failures, { source, probeGroup, nowMs: now(), log: once });
  });
}

type Deferred = Extract<Plan, { kind: 'defer' }>;

/** Nothing of this group is asked for before the quota is full again. */
function holdBack(plan: Deferred, order: PullOrder, options: PullOptions): Promise<GroupState> {
  const failure = {
    kind: 'deferred',
    entityId: null,
    reason: plan.bucket,
    message: `The quota ${plan.bucket} of ${order.probeGroup} is used up to its reserve; pulls wait.`,
    notBefore: new Date(plan.notBefore),
    alert: false,
  } as const;
  return changeGroupState(options, order.source, order.probeGroup, (state) =>
    applyFailures(state, [{ failure }], { ...order, nowMs: options.now(), log: () => {} }),
  );
}

const markDeferred = ({ source, probeGroup }: PullOrder, options: PullOptions): Promise<GroupState> =>
  changeGroupState(options, source, probeGroup, (state) => ({ ...state, deferredAt: options.now() }));

function failuresOf(outcomes: readonly PullOutcome[], oversize: Oversize | undefined): Failed[] {
  return outcomes.flatMap((outcome) => {
    if (outcome.kind !== 'failed') return [];
    const { slice } = outcome;
    const failure = oversize === undefined ? outcome.failure : tellOversize(outcome, oversize);
    const entityId = failure.kind === 'stopped_entity' ? slice.entity.entityId : failure.entityId;
    return [{ failure: { ...failure, entityId }, report: slice.report }];
  });
}

/** A quota that refuses one slice alone, when it is as full as it gets, will do so again: only this report waits for it. */
function tellOversize({ slice, failure }: FailedSlice, { bucket, tokens }: Oversize): Failure {
  if (failure.kind !== 'deferred' || !failure.reason.startsWith('tokens')) return failure;
  const { report, entity } = slice;
  return {
    ...failure,
    kind: 'broken_report',
    entityId: entity.entityId,
    reason: 'quota_too_small',
    message: `The report ${report.key} of ${entity.entityId} takes about ${Math.ceil(tokens)} tokens, more than the quota ${bucket} leaves even when it is full, and was refused alone: ${failure.message} Give it fewer dimensions or a filter.`,
    alert: true,
  };
}

type FailedSlice = Extract<PullOutcome, { kind: 'failed' }>;

const mayPass = ({ failure }: Failed): boolean => failure.kind === 'transient' && failure.notBefore === null;

function resolveSlices(slices: readonly OrderedSlice[], service: Service): Wanted[] {
  const entities = new Map(service.entities.map((entity) => [entity.entityId, entity]));
  const reports = new Map(service.reports.map((report) => [report.key, report]));
  const wanted = new Map<string, Wanted>();
  for (const ordered of slices) {
    const entity = entities.get(ordered.entityId);
    const report = reports.get(ordered.report);
    if (entity === undefined || !report?.entityIds.includes(entity.entityId)) continue;
    const slice = { entity, report, date: ordered.date };
    wanted.set(keyOf(slice), { slice, ordered });
  }
  return [...wanted.values()];
}

async function readCounting(
  store: ReportStore,
  source: string,
  wanted: readonly Wanted[],
): Promise<Map<string, Attempt>> {
  const dates = wanted.map(({ slice }) => slice.date).sort();
  const entityIds = [...new Set(wanted.map(({ slice }) => slice.entity.entityId))];
  const [since = '', until = ''] = [dates[0], dates.at(-1)];
  const attempts = await store.readAttempts({ source, entityIds, since, until });
  return new Map(attempts.map((attempt) => [sliceKey(attempt), attempt]));
}

const keyOf = ({ report, entity, date }: Slice): string =>
  sliceKey({ report: report.key, entityId: entity.entityId, date });

/** An attempt that was made for this step or a later one. */
const isCovered = (attempt: Attempt | undefined, { ladderDay }: OrderedSlice): boolean =>
  attempt !== undefined && attempt.ladderDay >= ladderDay;

const turns = new Map<string, Promise<unknown>>();

/** Of one property or owner one order at a time, so that those of this very process need not come again. */
async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = turns.get(key) ?? Promise.resolve();
  const mine = before.then(work, work);
  const settled = mine.catch(() => undefined);
  turns.set(key, settled);
  try {
    return await mine;
  } finally {
    if (turns.get(key) === settled) turns.delete(key);
  }
}
