import { type GroupState, readGroupState } from './group-state.ts';
import { sliceKey } from './list-due.ts';
import { refillOf } from './plan.ts';
import type { ReportStore } from './report-store.ts';
import type { PollOptions } from './run-poll.ts';
import { listDays, listPeriods } from './services/calendar.ts';

export interface StatusCall {
  readonly from: string;
  readonly to: string;
  /** Keys of sites and channels; all where it is not given. */
  readonly keys?: readonly string[] | undefined;
  /** With every time that a day was judged, and its proof. */
  readonly proofs: boolean;
}

/** What is known of every entity and day of a range, for people to read. */
export async function readStatus(
  call: StatusCall,
  options: Pick<PollOptions, 'services' | 'store' | 'bucket' | 'callWithinMs' | 'now'>,
) {
  const entities = [];
  for (const service of options.services) {
    const own = service.entities.filter(({ key }) => call.keys?.includes(key) ?? true);
    if (own.length === 0) continue;
    const entityIds = own.map(({ entityId }) => entityId);
    const known = await readKnown(options.store, service.source, entityIds, call);
    for (const entity of own) {
      const { entityId, key, probeGroup, source } = entity;
      const state = await readGroupState(options, source, probeGroup);
      const reports = service.reports.filter(({ entityIds }) => entityIds.includes(entityId));
      const days = listDays(call.from, call.to).map((date) => {
        const judged = known.availability.filter((row) => row.entityId === entityId && row.date === date);
        const wanted = reports.filter(({ grain }) => listPeriods(grain, date, date).length > 0);
        const pulled = wanted.flatMap((report) => {
          const slice = sliceKey({ report: report.key, entityId, date });
          const attempt = known.attempts.get(slice);
          return attempt === undefined ? [] : [{ ...attempt, restated: known.changes.get(slice) ?? 0 }];
        });
        return {
          date,
          judged: (call.proofs ? judged : lastOfGates(judged)).map((row) => ({
            gate: row.gate,
            verdict: row.verdict,
            rule: row.rule,
            flags: row.flags,
            probedAt: row.probedAt.toISOString(),
            notBefore: row.notBefore?.toISOString() ?? null,
            ...(call.proofs ? { proof: row.proof } : {}),
          })),
          wanted: wanted.map((report) => report.key),
          pulled: pulled.map((attempt) => ({
            report: attempt.report,
            attempts: attempt.seq,
            ladderDay: attempt.ladderDay,
            rows: attempt.rowCount,
            rule: attempt.rule,
            flags: attempt.flags,
            restated: attempt.restated,
          })),
        };
      });
      const held = state.holds
        .filter((hold) => hold.entityId === null || hold.entityId === entityId)
        // What is over is forgotten only with the next answer.
        .filter(({ until }) => until === null || until > options.now())
        .map(({ scope, kind, report, reason, message, until, since }) => ({
          scope,
          kind,
          report: report?.split('@', 1)[0] ?? null,
          reason,
          message,
          since: new Date(since).toISOString(),
          until: until === null ? null : new Date(until).toISOString(),
        }));
      const quota = listQuota(state, options.now());
      entities.push({ source, key, entityId, probeGroup, held, quota, days });
    }
  }
  return { entities };
}

/** What is left of each bucket, as the API last said: of one that is full again since, nobody knows. */
function listQuota({ quota }: GroupState, nowMs: number) {
  return Object.entries(quota)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([bucket, { remaining, most, at }]) => {
      const fullAt = refillOf(bucket, at);
      if (fullAt === undefined || fullAt <= nowMs) return [];
      const readAt = new Date(at).toISOString();
      return [{ bucket, remaining, most, readAt, fullAt: new Date(fullAt).toISOString() }];
    });
}

async function readKnown(
  store: ReportStore,
  source: string,
  entityIds: readonly string[],
  { from, to }: StatusCall,
) {
  const [availability, attempts, changes] = await Promise.all([
    store.readAvailability(source, from, from),
    store.readAttempts({ source, entityIds, since: from, until: to }),
    store.readChanges(source, from, to),
  ]);
  return {
    availability,
    attempts: new Map(attempts.map((attempt) => [sliceKey(attempt), attempt])),
    changes: new Map(changes.map((change) => [sliceKey(change), change.attempts])),
  };
}

/** Rows come in the order in which they were judged. */
const lastOfGates = <Row extends { readonly gate: string }>(rows: readonly Row[]): Row[] => [
  ...new Map(rows.map((row) => [row.gate, row])).values(),
];
