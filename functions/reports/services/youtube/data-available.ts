import { addDays } from '../calendar.ts';
import { type Judgement, judgeTooEarly } from '../judge-too-early.ts';
import type {
  Availability,
  Entity,
  Failure,
  ProbeOutcome,
  ProbeRequest,
  ServiceContext,
} from '../service.ts';
import { timeZone, type YouTubeConfiguration } from './configuration.ts';
import type { ExecuteQuery } from './execute-query.ts';
import { queryLinked } from './linked-channels.ts';
import type { YouTubeRow } from './query-rows.ts';
import { judgeDay } from './rules.ts';

/**
 * Judges the open days of all channels of one content owner: for each gate one query by channel and day, for the union
 * of the metrics that will be pulled, since an answer ends with the last day that has all of them. Where a gate with fewer
 * metrics has just shown that no open day is there yet, those with more are not asked for: they cannot be further.
 */
export async function dataAvailable(
  { probeGroup, open }: ProbeRequest,
  configuration: YouTubeConfiguration,
  executeQuery: ExecuteQuery,
  context: ServiceContext,
): Promise<ProbeOutcome> {
  const outcome = { availability: [] as Availability[], failures: [] as Failure[] };
  const gates = [...Map.groupBy(open, (it) => it.gate)]
    .map(([gate, asked]) => ({ gate, asked, metrics: metricsOf(gate, configuration) }))
    .sort((one, other) => one.metrics.length - other.metrics.length);
  const reached: Reached[] = [];
  for (const { gate, asked, metrics } of gates) {
    const due: Asked[] = [];
    for (const { entity, dates } of asked) {
      const settled = dates.flatMap((date) => {
        const judged = judgeWithoutCall(entity, date, configuration, context.now());
        return judged === undefined ? [] : [describe(entity.entityId, gate, date, judged)];
      });
      outcome.availability.push(...settled);
      const rest = dates.filter((date) => !settled.some((it) => it.date === date));
      if (rest.length > 0) due.push({ entity, dates: rest });
    }
    if (due.length === 0) continue;
    const waiting = judgeBehind({ gate, metrics, due }, reached, configuration, context.now());
    if (waiting !== undefined) {
      outcome.availability.push(...waiting);
      continue;
    }
    const judged = await judgeGate(
      { probeGroup, gate, metrics, due },
      reached,
      configuration,
      executeQuery,
      context,
    );
    outcome.availability.push(...judged.availability);
    outcome.failures.push(...judged.failures);
    // The other gates would meet the same.
    if (judged.failures.some(({ entityId }) => entityId === null)) break;
  }
  return outcome;
}

/** The union of the metrics that are pulled once a gate is open. */
function metricsOf(gate: string, { reports }: YouTubeConfiguration): string[] {
  const own = reports.filter((report) => report.gate === gate);
  return [...new Set(own.flatMap((report) => report.metrics.map(({ name }) => name)))].sort();
}

/** How far an owner's days have come, as a query for these metrics has just shown for these channels and days. */
interface Reached {
  readonly metrics: readonly string[];
  readonly entityIds: ReadonlySet<string>;
  readonly from: string;
  readonly to: string;
  readonly watermark: string | null;
}

/** The verdicts of days that lie after what a query for fewer metrics has shown; undefined where one may not just wait. */
function judgeBehind(
  { gate, metrics, due }: { gate: string; metrics: readonly string[]; due: readonly Asked[] },
  reached: readonly Reached[],
  { settings }: YouTubeConfiguration,
  now: number,
): Availability[] | undefined {
  const days = due.flatMap(({ dates }) => dates);
  const shown = reached.find(
    (it) =>
      it.metrics.every((name) => metrics.includes(name)) &&
      due.every(({ entity }) => it.entityIds.has(entity.entityId)) &&
      days.every((date) => date >= it.from && date <= it.to && date > (it.watermark ?? '')),
  );
  if (shown === undefined) return undefined;
  const { watermark } = shown;
  const judged = due.flatMap(({ entity, dates }) =>
    dates.map((date) => {
      const evidence = { date, now, timeZone, watermark, hasRow: false, otherRows: 0, otherDays: 0 };
      const seen = { watermark, metrics: shown.metrics };
      return describe(entity.entityId, gate, date, judgeDay(evidence, settings), seen);
    }),
  );
  return judged.every(({ verdict }) => verdict === 'waiting') ? judged : undefined;
}

interface Asked {
  readonly entity: Entity;
  readonly dates: readonly string[];
}

function judgeWithoutCall(
  { waitForData }: Entity,
  date: string,
  { settings }: YouTubeConfiguration,
  now: number,
): Judgement | undefined {
  const early = judgeTooEarly(date, timeZone, now, settings);
  if (early !== undefined || waitForData) return early;
  return { verdict: 'available', rule: 'no_wait', because: {}, notBefore: null };
}

async function judgeGate(
  {
    probeGroup,
    gate,
    metrics,
    due,
  }: { probeGroup: string; gate: string; metrics: readonly string[]; due: readonly Asked[] },
  reached: Reached[],
  { ownerOf, settings }: YouTubeConfiguration,
  executeQuery: ExecuteQuery,
  context: ServiceContext,
): Promise<ProbeOutcome> {
  const days = due.flatMap(({ dates }) => dates).sort();
  const owner = ownerOf(probeGroup);
  const { rows: came, unlinked } = await queryLinked(
    {
      owner,
      probeGroup,
      channels: due.map(({ entity }) => entity.entityId),
      reports: [],
      from: addDays(days[0] ?? '', -daysBefore),
      to: days.at(-1) ?? '',
      dimensions: owner.id === undefined ? ['day'] : ['channel', 'day'],
      metrics,
      filters: null,
    },
    settings.rowsPerRequest,
    executeQuery,
    context,
  );
  if (came.kind === 'failed') return { availability: [], failures: [...unlinked, came.failure] };
  const daysOf = groupDays(came.rows, due);
  const watermark =
    [...daysOf.values()]
      .flatMap((own) => [...own])
      .sort()
      .at(-1) ?? null;
  const linked = due.filter(({ entity }) => !unlinked.some(({ entityId }) => entityId === entity.entityId));
  reached.push({
    metrics,
    entityIds: new Set(linked.map(({ entity }) => entity.entityId)),
    from: days[0] ?? '',
    to: days.at(-1) ?? '',
    watermark,
  });
  const now = context.now();
  const availability = due.flatMap(({ entity: { entityId }, dates }) => {
    if (unlinked.some((failure) => failure.entityId === entityId)) return [];
    const own = daysOf.get(entityId) ?? new Set<string>();
    return dates.map((date) => {
      const others = Array.from({ length: daysBefore }, (_, index) => addDays(date, -1 - index));
      const judged = judgeDay(
        {
          date,
          now,
          timeZone,
          watermark,
          hasRow: own.has(date),
          otherRows: others.filter((day) => own.has(day)).length,
          otherDays: others.filter((day) => watermark !== null && day <= watermark).length,
        },
        settings,
      );
      return describe(entityId, gate, date, judged, { watermark, metrics });
    });
  });
  return { availability, failures: unlinked };
}

const daysBefore = 6;

/** The days of which each channel has a row. */
function groupDays(rows: readonly YouTubeRow[], due: readonly Asked[]): Map<string, Set<string>> {
  const days = new Map<string, Set<string>>();
  for (const { dimensions } of rows) {
    const channel = dimensions.channel ?? due[0]?.entity.entityId ?? '';
    const own = days.get(channel) ?? new Set<string>();
    days.set(channel, own.add(dimensions.day ?? ''));
  }
  return days;
}

function describe(
  entityId: string,
  gate: string,
  date: string,
  { verdict, rule, because, notBefore }: Judgement,
  seen: Readonly<Record<string, unknown>> = {},
): Availability {
  return {
    entityId,
    gate,
    date,
    verdict,
    rule,
    proof: { timeZone, ...seen, because },
    flags: verdict === 'forced' ? ['forced'] : [],
    notBefore: notBefore === null ? null : new Date(notBefore),
  };
}
