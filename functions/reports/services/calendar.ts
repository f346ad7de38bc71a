/*
 * Days as ISO strings in an entity's own zone. Nothing here reads a clock.
 */
import type { Grain } from './service.ts';

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

export function addDays(date: string, days: number): string {
  return writeDay(readDay(date) + days);
}

/** The days from one to another, both included; empty where the second is before the first. */
export function listDays(from: string, to: string): string[] {
  const count = countDays(from, to);
  return Array.from({ length: Math.max(0, count + 1) }, (_, index) => addDays(from, index));
}

/** How many days the second is after the first. */
export function countDays(from: string, to: string): number {
  return readDay(to) - readDay(from);
}

/** 0 is Sunday. */
export function weekday(date: string): number {
  return new Date(`${date}T00:00:00Z`).getUTCDay();
}

/** The day that the zone's calendar shows at an instant. */
export function dayAt(instantMs: number, timeZone: string): string {
  const utcDay = writeDay(Math.floor(instantMs / dayMs));
  // Of the neighbours of UTC's day; their beginnings are remembered, which a question to Intl is not.
  if (instantMs < startOfDay(utcDay, timeZone)) return addDays(utcDay, -1);
  return instantMs < endOfDay(utcDay, timeZone) ? utcDay : addDays(utcDay, 1);
}

/** The instant at which a day begins in the zone: its midnight, or the first instant after one that is left out. */
export function startOfDay(date: string, timeZone: string): number {
  const key = `${timeZone} ${date}`;
  const known = starts.get(key);
  if (known !== undefined) return known;
  // No zone is further from UTC than 14 hours; zones change by quarters of an hour at the least.
  let [before, after] = [
    Date.parse(`${date}T00:00:00Z`) - 15 * hourMs,
    Date.parse(`${date}T00:00:00Z`) + 15 * hourMs,
  ];
  while (after - before > quarterMs) {
    const middle = before + Math.floor((after - before) / 2 / quarterMs) * quarterMs;
    if (readClock(middle, timeZone).day < date) before = middle;
    else after = middle;
  }
  if (starts.size >= mostRemembered) starts.clear();
  starts.set(key, after);
  return after;
}

export function endOfDay(date: string, timeZone: string): number {
  return startOfDay(addDays(date, 1), timeZone);
}

/**
 * The labels 0 to 23 that the hours of a day have: 23 where the clock springs forward by an hour, 24 where it falls back,
 * since the hour that comes twice has one label.
 */
export function hourLabels(date: string, timeZone: string): readonly number[] {
  const [start, end] = [startOfDay(date, timeZone), endOfDay(date, timeZone)];
  // No day on which the clock is changed is as long as the others.
  if (end - start === dayMs) return everyLabel;
  const labels = new Set<number>();
  for (let at = start; at < end; at += quarterMs) labels.add(readClock(at, timeZone).hour);
  return [...labels].sort((one, other) => one - other);
}

/** Whether the tz database has the name. */
export function isTimeZone(name: string): boolean {
  try {
    return formatOf(name) !== undefined;
  } catch {
    return false;
  }
}

/** The first day of the period that ends with `date`; a week is Monday to Sunday. */
export function startOfPeriod(grain: Grain, date: string): string {
  if (grain === 'day') return date;
  return grain === 'week' ? addDays(date, -((weekday(date) + 6) % 7)) : `${date.slice(0, 8)}01`;
}

/** The day that the slice of the period around `date` is dated by: its Sunday, or the last day of its month. */
export function endOfPeriod(grain: Grain, date: string): string {
  if (grain === 'day') return date;
  if (grain === 'week') return addDays(date, (7 - weekday(date)) % 7);
  const [year = 0, month = 0] = date.split('-').map(Number);
  return new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10);
}

/** All periods that ended between two days, both included, by the day that dates them. */
export function listPeriods(grain: Grain, from: string, to: string): string[] {
  return listDays(from, to).filter((date) => endOfPeriod(grain, date) === date);
}

/** When Google's quotas of days begin anew: midnight in Mountain View, 23 to 25 hours after the last. */
export function nextPacificDay(instantMs: number): number {
  return endOfDay(dayAt(instantMs, 'America/Los_Angeles'), 'America/Los_Angeles');
}

const quarterMs = 15 * 60_000;
const everyLabel: readonly number[] = Array.from({ length: 24 }, (_, label) => label);
const mostRemembered = 10_000;
const starts = new Map<string, number>();
const dayNumbers = new Map<string, number>();
const dayTexts = new Map<number, string>();
const formats = new Map<string, Intl.DateTimeFormat>();

/** A day's number since 1970. A poll counts with a few hundred days, some ten thousand times. */
function readDay(date: string): number {
  return remember(dayNumbers, date, () => Math.round(Date.parse(`${date}T00:00:00Z`) / dayMs));
}

function writeDay(number: number): string {
  return remember(dayTexts, number, () => new Date(number * dayMs).toISOString().slice(0, 10));
}

function remember<Key, Value>(known: Map<Key, Value>, key: Key, find: () => Value): Value {
  let value = known.get(key);
  if (value === undefined) {
    value = find();
    if (known.size >= mostRemembered) known.clear();
    known.set(key, value);
  }
  return value;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
    });
    formats.set(timeZone, format);
  }
  return format;
}

function readClock(instantMs: number, timeZone: string): { day: string; hour: number } {
  const parts: Record<string, string> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(instantMs)) parts[type] = value;
  return { day: `${parts.year}-${parts.month}-${parts.day}`, hour: Number(parts.hour) };
}
