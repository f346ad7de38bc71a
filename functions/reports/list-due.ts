import { coveredStep, nextStep } from './ladder.ts';
import type { OrderedSlice } from './pull-order.ts';
import type { Attempt, StoredAvailability } from './report-store.ts';
import { addDays, dayMs, endOfDay, listDays, startOfPeriod } from './services/calendar.ts';
import type { Entity, Report } from './services/service.ts';

export interface DueOptions {
  readonly entities: readonly Entity[];
  readonly reports: readonly Report[];
  readonly verdicts: Verdicts;
  readonly attempts: readonly Attempt[];
  readonly ladder: readonly number[];
  /** First readings of dates before this are left to backfill. */
  readonly firstSince: string;
  /** Epoch milliseconds. */
  readonly nowMs: number;
}

/**
 * The slices to pull now: those whose period is complete and that were never pulled, and those whose next step has come.
 * A week or month is complete with its last day, unless another of its days still waits.
 */
export function listDue(options: DueOptions): OrderedSlice[] {
  const { entities, reports, verdicts, attempts, ladder, firstSince, nowMs } = options;
  const byId = new Map(entities.map((entity) => [entity.entityId, entity]));
  const counting = new Map(attempts.map((attempt) => [sliceKey(attempt), attempt]));
  const due: OrderedSlice[] = [];

  for (const report of reports) {
    for (const entityId of report.entityIds) {
      if (!byId.has(entityId)) continue;
      const days = verdicts.get(gateKey(entityId, report.gate)) ?? noDays;
      for (const date of days.keys()) {
        if (date < firstSince || counting.has(sliceKey({ report: report.key, entityId, date }))) continue;
        const complete = judgePeriod(report, date, days);
        if (complete === undefined) continue;
        const zone = zoneOf(byId.get(entityId), complete.last) ?? 'UTC';
        const ladderDay = coveredStep(ladder, nowMs - endOfDay(date, zone));
        const { rule, flags } = complete;
        due.push({ entityId, report: report.key, date, ladderDay, cause: 'first', rule, flags });
      }
    }
  }

  const reportOf = new Map(reports.map((report) => [report.key, report]));
  for (const attempt of attempts) {
    const { entityId, date, timeZone } = attempt;
    const report = reportOf.get(attempt.report);
    if (!byId.has(entityId) || !report?.entityIds.includes(entityId)) continue;
    const next = nextStep(ladder, attempt.ladderDay, attempt.extraDay);
    const ageMs = nowMs - endOfDay(date, timeZone);
    if (next === null || ageMs < next.step * dayMs) continue;
    const days = verdicts.get(gateKey(entityId, report.gate)) ?? noDays;
    const { rule, flags } = judgePeriod(report, date, days) ?? { rule: attempt.rule, flags: [] };
    due.push({
      entityId,
      report: report.key,
      date,
      // After an outage several steps may have come: one reading covers them.
      ladderDay: Math.max(next.step, coveredStep(ladder, ageMs)),
      cause: next.isExtra ? 'extra' : 'ladder',
      rule,
      flags,
    });
  }
  return due;
}

export const sliceKey = (slice: { report: string; entityId: string; date: string }): string =>
  `${slice.report}|${slice.entityId}|${slice.date}`;

export const gateKey = (entityId: string, gate: string): string => `${entityId}|${gate}`;

/** The last verdict by gate and date. */
export type Verdicts = ReadonlyMap<string, ReadonlyMap<string, StoredAvailability>>;

const noDays: ReadonlyMap<string, StoredAvailability> = new Map();

export function indexVerdicts(
  availability: readonly StoredAvailability[],
): Map<string, Map<string, StoredAvailability>> {
  const index = new Map<string, Map<string, StoredAvailability>>();
  addVerdicts(index, availability);
  return index;
}

export function addVerdicts(
  index: Map<string, Map<string, StoredAvailability>>,
  availability: readonly StoredAvailability[],
): void {
  for (const row of availability) {
    const key = gateKey(row.entityId, row.gate);
    let days = index.get(key);
    if (days === undefined) {
      days = new Map();
      index.set(key, days);
    }
    const known = days.get(row.date);
    if (known === undefined || known.probedAt <= row.probedAt) days.set(row.date, row);
  }
}

export const isSettled = (row: StoredAvailability | undefined): boolean =>
  row?.verdict === 'available' || row?.verdict === 'forced';

function judgePeriod(
  { grain }: Report,
  date: string,
  days: ReadonlyMap<string, StoredAvailability>,
): { rule: string; flags: string[]; last: StoredAvailability } | undefined {
  const last = days.get(date);
  if (last === undefined || !isSettled(last)) return undefined;
  if (grain === 'day') return { rule: last.rule, flags: [...last.flags], last };
  const from = startOfPeriod(grain, date);
  // The next day begins another period only after the last day of this one.
  if (startOfPeriod(grain, addDays(date, 1)) === from) return undefined;
  const rows = listDays(from, date).flatMap((day) => days.get(day) ?? []);
  if (rows.some(({ verdict }) => verdict === 'waiting')) return undefined;
  const flags = [...new Set(rows.flatMap((row) => row.flags))].sort();
  return { rule: last.rule, flags, last };
}

/** The zone that dates are meant in: as configured, or as the API said when the day was judged. */
export function zoneOf(entity: Entity | undefined, row: StoredAvailability | undefined): string | undefined {
  if (entity?.timeZone) return entity.timeZone;
  const zone = row?.proof.timeZone;
  return typeof zone === 'string' ? zone : undefined;
}
