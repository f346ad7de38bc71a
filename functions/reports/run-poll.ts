import { LeaseLost, takeLease } from '../../shared/google/lease.ts';
import type { ObjectStore } from '../../shared/google/object-store.ts';
import { publishAll } from '../../shared/google/publish-all.ts';
import type { Message, SendMessages } from '../../shared/google/pubsub-publisher.ts';
import { describeError, type log as writeLog } from '../../shared/host/log.ts';
import type { AppendRows } from './append-rows.ts';
import { checkReports } from './check-reports.ts';
import type { GroupState } from './group-state.ts';
import { findHold, reportId } from './holds.ts';
import { mostDays } from './ladder.ts';
import { listDue, sliceKey, type Verdicts } from './list-due.ts';
import { probeGroup } from './poll-group.ts';
import { type PollState, readPollState, writePollState } from './poll-state.ts';
import { type OrderedSlice, packOrders } from './pull-order.ts';
import { refreshExtras } from './refresh-extras.ts';
import type { Attempt, ReportStore } from './report-store.ts';
import { addDays, dayAt, hourMs } from './services/calendar.ts';
import type { Service, ServiceContext } from './services/service.ts';

export interface PollOptions {
  readonly services: readonly Service[];
  readonly bucket: ObjectStore;
  readonly store: ReportStore;
  readonly append: AppendRows;
  /** To the topic of orders. */
  readonly send: SendMessages;
  readonly ladder: readonly number[];
  /** How many days back days are looked for that were never pulled. */
  readonly lookbackDays: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: ServiceContext['sleep'];
  /** How long one request to the bucket may take, tries included. */
  readonly callWithinMs: number;
  readonly leaseMs: number;
  /** No group begins after it; the next tick goes on. */
  readonly withinMs: number;
  readonly log: typeof writeLog;
}

export interface PollResult {
  /** `busy`: another tick is at work; `overtaken`: another one took over; `unfinished`: its time was over. */
  readonly kind: 'polled' | 'unfinished' | 'busy' | 'overtaken';
  /** Verdicts that were stored. */
  readonly judged: number;
  /** Those of them that let a day be pulled. */
  readonly settled: number;
  /** Slices that were ordered. */
  readonly ordered: number;
  readonly messages: number;
  /** Properties and owners that failed, for whatever reason; the others went on. */
  readonly failed: number;
}

/**
 * One tick: judges the open days of all properties and owners, and orders what is due on the topic. Ticks may overlap
 * or come twice: one works, and what is ordered is not ordered again before it was pulled or given back. Rejects where
 * BigQuery or Cloud Storage cannot be used.
 */
export async function runPoll(options: PollOptions): Promise<PollResult> {
  const { bucket, now, callWithinMs, leaseMs } = options;
  const result = { judged: 0, settled: 0, ordered: 0, messages: 0, failed: 0 };
  const object = 'reports/leases/poll.json';
  const lease = await takeLease({ bucket, object, now, callWithinMs, lastsMs: leaseMs });
  if (lease === undefined) return { ...result, kind: 'busy' };
  const deadline = now() + options.withinMs;
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), options.withinMs);
  try {
    const { state, generation } = await readPollState(options);
    const checked = { ...state.checked };
    const ordered: PollState['ordered'] = {};
    let isOver = false;
    for (const service of options.services) {
      const polled = await pollService(service, { state, checked, deadline, signal: over.signal }, options);
      result.judged += polled.judged;
      result.settled += polled.settled;
      result.failed += polled.failed;
      isOver ||= polled.isOver;
      Object.assign(ordered, polled.stillOrdered);
      await lease.check();
      await publishAll(options.send, polled.messages, publishWithinMs);
      result.messages += polled.messages.length;
      result.ordered += polled.due.length;
      for (const slice of polled.due) {
        ordered[orderKey(service, slice)] = { at: now(), ladderDay: slice.ladderDay };
      }
    }
    await writePollState(options, { version: 1, checked, ordered }, generation);
    return { ...result, kind: isOver ? 'unfinished' : 'polled' };
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
    return { ...result, kind: 'overtaken' };
  } finally {
    clearTimeout(timer);
    await lease.release();
  }
}

const publishWithinMs = 30_000;

const orderKey = ({ source }: Service, slice: OrderedSlice): string => `${source}|${sliceKey(slice)}`;

interface Tick {
  readonly state: PollState;
  /** Is added to. */
  readonly checked: PollState['checked'];
  readonly deadline: number;
  readonly signal: AbortSignal;
}

async function pollService(service: Service, tick: Tick, options: PollOptions) {
  const { now, store, log } = options;
  const { source } = service;
  const result = { judged: 0, settled: 0, failed: 0, isOver: false };
  const due: OrderedSlice[] = [];
  const messages: Message[] = [];
  const stillOrdered: PollState['ordered'] = {};
  const context = { ...options, signal: tick.signal };
  const checked = await checkReports(service, tick.state.checked[source], context, options);
  if (checked === undefined) {
    return { ...result, failed: 1, due, messages, stillOrdered: tick.state.ordered };
  }
  tick.checked[source] = checked;

  // The days of all zones: where today is tomorrow already, and where it is still yesterday.
  const latest = dayAt(now() + 14 * hourMs, 'UTC');
  const dates = { from: addDays(latest, -options.lookbackDays), to: addDays(latest, -1) };
  const since = addDays(dates.from, -mostDays);
  const [availability, attempts] = await Promise.all([
    store.readAvailability(source, since, dates.from),
    store.readOpenAttempts({ source, since, until: latest, allSince: dates.from, ladder: options.ladder }),
  ]);
  const judgedOf = groupRows(service, availability);
  const attemptsOf = groupRows(service, attempts);
  for (const [index, group] of groupsOf(service).entries()) {
    if (index > 0 && now() >= tick.deadline) {
      result.isOver = true;
      break;
    }
    try {
      const known = judgedOf.get(group) ?? [];
      const probed = await probeGroup(service, group, dates, known, { ...options, context });
      result.judged += probed.judged;
      result.settled += probed.settled;
      result.failed += Math.min(1, probed.failed);
      const listed = listDueOfGroup(service, group, probed, attemptsOf.get(group) ?? [], dates.from, options);
      const wanted: OrderedSlice[] = [];
      for (const slice of listed) {
        const key = orderKey(service, slice);
        const earlier = tick.state.ordered[key];
        if (checked.problems.some((one) => concerns(one, slice))) continue;
        if (earlier !== undefined && isUnderWay(earlier, slice, probed.state, now()))
          stillOrdered[key] = earlier;
        else wanted.push(slice);
      }
      due.push(...wanted);
      messages.push(...packOrders(source, group, wanted));
      await refreshExtras(service, group, probed.state, { ...options, context });
    } catch (error) {
      result.failed++;
      log('ERROR', 'A property or content owner could not be polled; the others go on.', {
        source,
        probe_group: group,
        ...describeError(error),
      });
    }
  }
  return { ...result, due, messages, stillOrdered };
}

const groupsOf = ({ entities }: Service): string[] => [...new Set(entities.map((one) => one.probeGroup))];

/** Rows by the group of their entity. */
function groupRows<Row extends { readonly entityId: string }>(
  { entities }: Service,
  rows: readonly Row[],
): Map<string | undefined, Row[]> {
  const groupOf = new Map(entities.map(({ entityId, probeGroup }) => [entityId, probeGroup]));
  return Map.groupBy(rows, ({ entityId }) => groupOf.get(entityId));
}

function listDueOfGroup(
  service: Service,
  group: string,
  { state, verdicts }: { state: GroupState; verdicts: Verdicts },
  attempts: readonly Attempt[],
  firstSince: string,
  { ladder, now }: PollOptions,
): OrderedSlice[] {
  const entities = service.entities.filter(({ probeGroup: own }) => own === group);
  const { reports } = service;
  const hashes = new Map(reports.map((report) => [report.key, reportId(report)]));
  return listDue({
    entities,
    reports,
    verdicts,
    attempts,
    ladder,
    firstSince,
    nowMs: now(),
  }).filter(({ entityId, report }) => {
    const asked = { entityId, report: hashes.get(report) ?? report };
    return findHold(state, now(), asked) === undefined;
  });
}

/** An order that was not yet given back, for the same step; after some hours it counts as lost. */
function isUnderWay(
  earlier: { readonly at: number; readonly ladderDay: number },
  slice: OrderedSlice,
  { deferredAt }: GroupState,
  nowMs: number,
): boolean {
  const isRecent = earlier.at > deferredAt && earlier.at > nowMs - lostAfterMs;
  return isRecent && earlier.ladderDay >= slice.ladderDay;
}

/** Pub/Sub delivers a failed order again for longer, and a second one costs a query. */
const lostAfterMs = 6 * hourMs;

const concerns = (
  problem: { readonly report: string; readonly entityId: string | null },
  { report, entityId }: OrderedSlice,
): boolean => problem.report === report && (problem.entityId === null || problem.entityId === entityId);
