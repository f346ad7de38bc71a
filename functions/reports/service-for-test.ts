import type { OrderedSlice } from './pull-order.ts';
import { endOfDay, hourMs } from './services/calendar.ts';
import { digestOf } from './services/digest.ts';
import type {
  Availability,
  Entity,
  Failure,
  PulledSlice,
  Report,
  ReportRow,
  Service,
  ServiceContext,
  Slice,
} from './services/service.ts';

export const tinySource = 'tiny';
const timeZone = 'Etc/UTC';

export function tinyEntity(entityId: string, probeGroup = entityId): Entity {
  return {
    source: tinySource,
    entityId,
    key: `site-${entityId}`,
    role: 'primary',
    probeGroup,
    timeZone,
    waitForData: true,
  };
}

export function tinyReport(key: string, entityIds: readonly string[], given: Partial<Report> = {}): Report {
  return {
    source: tinySource,
    key,
    entityIds,
    grain: 'day',
    gate: 'day',
    dimensions: ['country'],
    metrics: [
      { name: 'views', kind: 'additive' },
      { name: 'users', kind: 'estimate' },
    ],
    ratios: [],
    describes: null,
    hash: 'h1',
    ...given,
  };
}

/** A slice of a complete day, ordered for the first time. */
export const orderSlice = (
  given: Pick<OrderedSlice, 'entityId' | 'report' | 'date'> & Partial<OrderedSlice>,
): OrderedSlice => ({
  ladderDay: 1,
  cause: 'first',
  rule: 'R1_full',
  flags: [],
  ...given,
});

/** Of a quota that the API says is used up for an hour. */
export const deferral = (nowMs: number): Failure => ({
  kind: 'deferred',
  entityId: null,
  reason: 'tokens_per_hour',
  message: 'The tokens of the hour are used up.',
  notBefore: new Date(nowMs + hourMs),
  alert: false,
});

/** What the tiny service answers; a test changes it as it goes. */
export interface TinyTruth {
  /** Rows of a slice now. */
  rows: (slice: Slice, nowMs: number) => readonly ReportRow[];
  /** What goes wrong with pulls of a slice, and with probes of a group. */
  failPull: (slice: Slice) => Failure | undefined;
  failProbe: (probeGroup: string) => Failure | undefined;
  /** Which entities of a group are refused, once one of their days is due. */
  failEntity: (entityId: string) => Failure | undefined;
  /** How long after its end a day is complete. */
  lagMs: number;
  quotaRemaining: Record<string, number> | null;
  tokens: number;
}

export function tinyRow(country: string, views: number | bigint, users = 1): ReportRow {
  return { dimensions: { country }, metrics: { views: BigInt(views), users: BigInt(users) }, isOther: false };
}

/** A service of one rule and one call a batch, in this very process. */
export function createTinyService(entities: readonly Entity[], reports: readonly Report[]) {
  const truth: TinyTruth = {
    rows: ({ date }) => [tinyRow('IE', Number(date.slice(-2))), tinyRow('NO', 7)],
    failPull: () => undefined,
    failProbe: () => undefined,
    failEntity: () => undefined,
    lagMs: 6 * hourMs,
    quotaRemaining: null,
    tokens: 10,
  };
  const seen = { probes: 0, probedDays: [] as string[], batches: [] as Slice[][] };

  function record(
    context: ServiceContext,
    method: string,
    probeGroup: string,
    slices: readonly Slice[],
    status: number,
  ) {
    context.recordCall({
      startedAt: new Date(context.now()),
      api: 'tiny',
      method,
      entityId: null,
      probeGroup,
      reports: slices.map(({ report }) => report.key),
      status,
      reason: status === 200 ? null : 'failed',
      attempt: 1,
      milliseconds: 1.5,
      bytes: 100,
      tokens: truth.tokens * Math.max(1, slices.length),
      units: null,
      quotaRemaining: truth.quotaRemaining && { ...truth.quotaRemaining },
    });
  }

  const pulledOf = (slice: Slice, context: ServiceContext): PulledSlice => {
    const rows = truth.rows(slice, context.now());
    const views = rows.reduce((sum, { metrics }) => sum + BigInt(metrics.views ?? 0), 0n);
    return {
      rows,
      totals: { views },
      apiTotals: { views, users: 3n },
      reconciled: true,
      flags: [],
      timeZone,
      metadata: { kind: 'tiny' },
      digest: digestOf(rows),
      cost: { calls: 0.5, requests: 1, tokens: truth.tokens, units: 0 },
    };
  };

  const service: Service = {
    source: tinySource,
    entities,
    reports,
    mostPerBatch: 5,
    batchKey: ({ entity }) => entity.entityId,
    estimate: () => ({ calls: 0.2, requests: 1, tokens: 10, units: 0 }),
    checkReports: async () => [],
    async probe({ probeGroup, open }, context) {
      seen.probes++;
      const failure = truth.failProbe(probeGroup);
      record(context, 'probe', probeGroup, [], failure === undefined ? 200 : 403);
      if (failure !== undefined) return { availability: [], failures: [failure] };
      const availability = open.flatMap(({ entity, gate, dates }) =>
        dates.map((date) => {
          seen.probedDays.push(`${entity.entityId} ${date}`);
          const readyAt = endOfDay(date, timeZone) + truth.lagMs;
          const isReady = context.now() >= readyAt;
          return {
            entityId: entity.entityId,
            gate,
            date,
            verdict: isReady ? ('available' as const) : ('waiting' as const),
            rule: isReady ? 'R1_full' : 'R0_too_early',
            proof: { timeZone, readyAt },
            flags: [],
            notBefore: isReady ? null : new Date(readyAt),
          };
        }),
      );
      const late = new Set(
        availability.filter(({ rule }) => rule === 'R1_full').map(({ entityId }) => entityId),
      );
      const failures = [...late].flatMap((entityId) => truth.failEntity(entityId) ?? []);
      const failed = new Set(failures.map(({ entityId }) => entityId));
      const isTold = ({ entityId, rule }: Availability) => !failed.has(entityId) || rule === 'R0_too_early';
      return { availability: availability.filter(isTold), failures };
    },
    async pull(slices, context) {
      seen.batches.push([...slices]);
      const [first] = slices;
      const failures = slices.map((slice) => truth.failPull(slice));
      const status = failures.some((one) => one !== undefined) ? 403 : 200;
      record(context, 'pull', first?.entity.probeGroup ?? '', slices, status);
      return slices.map((slice, index) => {
        const failure = failures[index];
        return failure === undefined
          ? { kind: 'pulled', slice, pulled: pulledOf(slice, context) }
          : { kind: 'failed', slice, failure };
      });
    },
  };
  return { service, truth, seen };
}
