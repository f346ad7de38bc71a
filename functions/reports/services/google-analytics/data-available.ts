import { z } from 'zod';
import { addDays, dayAt, endOfDay, hourLabels, hourMs, listDays } from '../calendar.ts';
import { digestOf } from '../digest.ts';
import { type Judgement, judgeTooEarly } from '../judge-too-early.ts';
import type {
  Availability,
  EarlierAvailability,
  Entity,
  Failure,
  ProbeOutcome,
  ProbeRequest,
  ServiceContext,
} from '../service.ts';
import type { Settings } from './configuration.ts';
import type { ExecuteQuery } from './execute-query.ts';
import { readAnswer } from './read-answer.ts';
import { expectHours, type HourCounts, judgeDay, type Sighting, sameWeekdays } from './rules.ts';

/**
 * Judges the open days of one property: one request by hour answers for all of them and for what came after, a second
 * by day only where a day shows nothing. Days that cannot be complete yet cost no call.
 */
export async function dataAvailable(
  { open, history }: ProbeRequest,
  executeQuery: ExecuteQuery,
  settings: Settings,
  context: ServiceContext,
): Promise<ProbeOutcome> {
  const outcome = { availability: [] as Availability[], failures: [] as Failure[] };
  for (const { entity, gate, dates } of open) {
    const judged = await judgeEntity(entity, [...dates].sort(), history, executeQuery, settings, context);
    if ('failure' in judged) outcome.failures.push(judged.failure);
    else {
      outcome.availability.push(...judged.days.map((day) => ({ ...day, entityId: entity.entityId, gate })));
    }
  }
  return outcome;
}

type Day = Omit<Availability, 'entityId' | 'gate'>;
type Judged = { days: Day[] } | { failure: Failure };

async function judgeEntity(
  entity: Entity,
  dates: readonly string[],
  history: readonly EarlierAvailability[],
  executeQuery: ExecuteQuery,
  settings: Settings,
  context: ServiceContext,
): Promise<Judged> {
  const known = readHistory(
    history.filter(({ entityId }) => entityId === entity.entityId),
    dates,
  );
  const now = context.now();
  const timeZone = known.timeZone ?? entity.timeZone;
  // Where the zone is not known a day may have ended as soon as it has in the first of all zones.
  const early = dates.flatMap((date) => {
    const judged = judgeTooEarly(date, timeZone ?? firstZone, now, settings);
    return judged === undefined ? [] : [describe(date, judged, { timeZone })];
  });
  const rest = dates.filter((date) => !early.some((it) => it.date === date));
  if (rest.length === 0) return { days: early };
  if (!entity.waitForData && timeZone !== null) {
    return { days: [...early, ...rest.map((date) => describe(date, noWait, { timeZone }))] };
  }
  const probed = await probeHours(entity, rest, executeQuery, context);
  if ('failure' in probed) return probed;
  const empty = rest.filter(
    (date) =>
      !probed.days.has(date) && now >= endOfDay(date, probed.timeZone) + settings.settleHours * hourMs,
  );
  const weeks = await probeWeeks(entity, entity.waitForData ? empty : [], executeQuery, context);
  if ('failure' in weeks) return weeks;
  const labelsAfter = (date: string) =>
    [...probed.days].reduce((sum, [day, hours]) => sum + (day > date ? hours.size : 0), 0);
  const days = rest.map((date) => {
    const sighting: Sighting = {
      at: now,
      timeZone: probed.timeZone,
      hours: probed.days.get(date) ?? new Map(),
    };
    const judged = entity.waitForData
      ? judgeDay(
          {
            date,
            now,
            sighting,
            watermarkHours: labelsAfter(date),
            earlier: known.sightings.get(date) ?? [],
            expected: expectHours(date, known.complete),
            emptyReason: probed.emptyReason,
            isRestricted: probed.isRestricted,
            weekEvents: weeks.events.get(date) ?? null,
          },
          settings,
        )
      : (judgeTooEarly(date, probed.timeZone, now, settings) ?? noWait);
    const isMoved = timeZone !== null && timeZone !== probed.timeZone;
    const proof = {
      ...writeSighting(date, sighting),
      watermarkHours: labelsAfter(date),
      ...(isMoved && { zoneChanged: { from: timeZone, to: probed.timeZone } }),
    };
    return describe(date, judged, proof, isMoved ? ['zone_changed'] : []);
  });
  return { days: [...early, ...days] };
}

/** Its days begin before those of all others. */
const firstZone = 'Pacific/Kiritimati';
const noWait: Judgement = { verdict: 'available', rule: 'no_wait', because: {}, notBefore: null };

function describe(
  date: string,
  { verdict, rule, because, notBefore }: Judgement,
  seen: Readonly<Record<string, unknown>>,
  flags: readonly string[] = [],
): Day {
  return {
    date,
    verdict,
    rule,
    proof: { ...seen, because },
    flags: verdict === 'forced' ? [...flags, 'forced'] : flags,
    notBefore: notBefore === null ? null : new Date(notBefore),
  };
}

const hourMetrics = ['eventCount', 'screenPageViews', 'sessions', 'totalUsers', 'userEngagementDuration'];

interface Probed {
  readonly timeZone: string;
  readonly days: ReadonlyMap<string, ReadonlyMap<number, HourCounts>>;
  readonly emptyReason: string | null;
  readonly isRestricted: boolean;
}

/** Absolute dates always: `today` would be taken in the property's zone. */
async function probeHours(
  { entityId }: Entity,
  dates: readonly string[],
  executeQuery: ExecuteQuery,
  context: ServiceContext,
): Promise<Probed | { failure: Failure }> {
  const from = dates[0] ?? '';
  const last = dates.at(-1) ?? '';
  // Days after the last tell what is younger than it; there may be none of them yet.
  const today = dayAt(context.now(), firstZone);
  const to = later(last, earlier(addDays(last, daysAfter), today));
  const answered = await executeQuery(
    {
      method: 'runReport',
      propertyId: entityId,
      reports: [],
      requestBody: {
        dateRanges: [{ startDate: from, endDate: to }],
        dimensions: [{ name: 'dateHour' }],
        metrics: hourMetrics.map((name) => ({ name })),
        orderBys: [{ dimension: { dimensionName: 'dateHour' } }],
        limit: String(24 * (listDays(from, to).length + 1) + 1),
        returnPropertyQuota: true,
      },
    },
    context,
  );
  if (answered.kind === 'failed') return { failure: answered.failure };
  const { rows, rowCount, metadata } = readAnswer(answered.body);
  if (rowCount !== undefined && rowCount !== rows.length) return { failure: shortAnswer(entityId) };
  const days = new Map<string, Map<number, HourCounts>>();
  for (const { dimensions, metrics } of rows) {
    const [, year, month, day, hour] = /^(\d{4})(\d\d)(\d\d)(\d\d)$/.exec(dimensions[0] ?? '') ?? [];
    // `(other)` stands here at times, and tells nothing of an hour.
    if (hour === undefined) continue;
    const [events = 0, views = 0, sessions = 0, users = 0, engagementSeconds = 0] = metrics.map(Number);
    if (events === 0 && views === 0) continue;
    const date = `${year}-${month}-${day}`;
    const hours = days.get(date) ?? new Map<number, HourCounts>();
    days.set(date, hours.set(Number(hour), { events, views, sessions, users, engagementSeconds }));
  }
  return {
    timeZone: metadata.timeZone ?? 'UTC',
    days,
    emptyReason: metadata.emptyReason ?? null,
    isRestricted: metadata.restricted.length > 0,
  };
}

/** Rows that did not come look like hours that are late. */
const shortAnswer = (entityId: string): Failure => ({
  kind: 'transient',
  entityId,
  reason: 'short_page',
  message: `Property ${entityId} answered a probe with other rows than it counted.`,
  notBefore: null,
  alert: false,
});

const daysAfter = 2;
const earlier = (one: string, other: string) => [one, other].sort()[0] ?? one;
const later = (one: string, other: string) => [one, other].sort()[1] ?? one;

/** Events of the seven days up to each of the empty ones: whether the API answers for the property at all. */
async function probeWeeks(
  { entityId }: Entity,
  empty: readonly string[],
  executeQuery: ExecuteQuery,
  context: ServiceContext,
): Promise<{ events: Map<string, number> } | { failure: Failure }> {
  const events = new Map<string, number>();
  const [from] = empty;
  if (from === undefined) return { events };
  const answered = await executeQuery(
    {
      method: 'runReport',
      propertyId: entityId,
      reports: [],
      requestBody: {
        dateRanges: [{ startDate: addDays(from, -6), endDate: empty.at(-1) ?? from }],
        dimensions: [{ name: 'date' }],
        metrics: [{ name: 'eventCount' }],
        orderBys: [{ dimension: { dimensionName: 'date' } }],
        limit: '10000',
        returnPropertyQuota: true,
      },
    },
    context,
  );
  if (answered.kind === 'failed') return { failure: answered.failure };
  const { rows, metadata } = readAnswer(answered.body);
  if (metadata.emptyReason !== undefined || metadata.restricted.length > 0) return { events };
  for (const date of empty) {
    const since = addDays(date, -6).replaceAll('-', '');
    const inWeek = rows.filter(
      ({ dimensions: [day = ''] }) => day >= since && day <= date.replaceAll('-', ''),
    );
    events.set(
      date,
      inWeek.reduce((sum, { metrics }) => sum + Number(metrics[0]), 0),
    );
  }
  return { events };
}

/** The mask has a bit for each label that showed events. Hours are [label, events, views, sessions, users, seconds]. */
function writeSighting(date: string, { timeZone, hours }: Sighting) {
  const rows = [...hours].sort(([one], [other]) => one - other);
  return {
    timeZone,
    labels: hourLabels(date, timeZone).length,
    hoursMask: rows.reduce((mask, [label]) => mask | (1 << label), 0),
    hours: rows.map(([label, it]) => [
      label,
      it.events,
      it.views,
      it.sessions,
      it.users,
      it.engagementSeconds,
    ]),
    events: rows.reduce((sum, [, it]) => sum + it.events, 0),
    views: rows.reduce((sum, [, it]) => sum + it.views, 0),
    lastHour: rows.at(-1)?.[0] ?? null,
    responseHash: digestOf(rows),
  };
}

const sightingShape = z.looseObject({
  timeZone: z.string(),
  hours: z.array(z.tuple([z.number(), z.number(), z.number(), z.number(), z.number(), z.number()])),
});

/**
 * What earlier proofs tell: the zone last seen, sightings by day (newest first), and complete days, of what these dates are
 * compared with only.
 */
function readHistory(rows: readonly EarlierAvailability[], dates: readonly string[]) {
  const compared = new Set(dates.flatMap((date) => [date, ...sameWeekdays(date)]));
  const sightings = new Map<string, Sighting[]>();
  const complete = new Map<string, Sighting>();
  let timeZone: string | null = null;
  for (const row of [...rows].sort((one, other) => other.probedAt.getTime() - one.probedAt.getTime())) {
    if (timeZone !== null && !compared.has(row.date)) continue;
    const parsed = sightingShape.safeParse(row.proof);
    if (!parsed.success) continue;
    timeZone ??= parsed.data.timeZone;
    const hours = new Map(
      parsed.data.hours.map(([label, events, views, sessions, users, engagementSeconds]) => [
        label,
        { events, views, sessions, users, engagementSeconds },
      ]),
    );
    const sighting = { at: row.probedAt.getTime(), timeZone: parsed.data.timeZone, hours };
    sightings.set(row.date, [...(sightings.get(row.date) ?? []), sighting]);
    if (row.verdict === 'available' && !complete.has(row.date)) complete.set(row.date, sighting);
  }
  return { timeZone, sightings, complete };
}
