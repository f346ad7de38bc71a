/** Rows by the minute (`2026-03-01T12:34`) or day (`2026-03-01`) in which they were received, in UTC. */
export type Counts = Readonly<Record<string, number>>;

/** A span of received_at, in milliseconds since 1970; its end is not part of it. */
export interface Slice {
  readonly from: number;
  readonly to: number;
}

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** Pub/Sub keeps a message for seven days, and what waits there comes in late; before that only replays do. */
const windowDays = 8;

/** Slices that are handed to a query at most: more are made fewer and longer. */
export const mostSlices = 500;

/** Where minutes are counted and not days: the beginning of a day. */
export const windowStart = (now: number): number => floor(now - windowDays * dayMs, dayMs);

/**
 * The spans whose rows are more than those that are folded. Rows are only ever added to state_log, so that a count which
 * stays is a span that stays. Neighbours are joined; where there are too many, spans are widened to whole hours and then
 * days, which folds rows again and never leaves one out.
 */
export function findChanged(folded: Counts, found: Counts, spanMs: number): Slice[] {
  const starts = Object.entries(found)
    .filter(([key, rows]) => rows !== (folded[key] ?? 0))
    .map(([key]) => startOf(key))
    .sort((left, right) => left - right);
  return starts.map((from) => ({ from, to: from + spanMs })).reduce(join, []);
}

/** Few enough slices for a query. */
export function coarsen(slices: readonly Slice[]): Slice[] {
  const sorted = slices.toSorted((left, right) => left.from - right.from).reduce(join, []);
  if (sorted.length <= mostSlices) return sorted;
  const hours = sorted.map(widen(hourMs)).reduce(join, []);
  if (hours.length <= mostSlices) return hours;
  const days = hours.map(widen(dayMs)).reduce(join, []);
  const [first, last] = [days[0], days.at(-1)];
  if (days.length <= mostSlices || first === undefined || last === undefined) return days;
  return [{ from: first.from, to: last.to }];
}

/** What is folded of minutes that left the window goes on as days. */
export function ageCounts(minutes: Counts, days: Counts, start: number): { minutes: Counts; days: Counts } {
  const recent: Record<string, number> = {};
  const older: Record<string, number> = { ...days };
  for (const [minute, rows] of Object.entries(minutes)) {
    if (startOf(minute) >= start) recent[minute] = rows;
    else older[minute.slice(0, 10)] = (older[minute.slice(0, 10)] ?? 0) + rows;
  }
  return { minutes: recent, days: older };
}

/** The parameters of a query over slices, and their types. Over none it finds nothing. */
export function sliceParameters(slices: readonly Slice[]) {
  const timestamp = (ms: number) => new Date(ms);
  return {
    params: {
      from_time: timestamp(slices.reduce((least, { from }) => Math.min(least, from), slices[0]?.from ?? 0)),
      to_time: timestamp(slices.reduce((greatest, { to }) => Math.max(greatest, to), 0)),
      slices: slices.map(({ from, to }) => ({ from_time: timestamp(from), to_time: timestamp(to) })),
    },
    types: {
      from_time: 'TIMESTAMP',
      to_time: 'TIMESTAMP',
      slices: [{ from_time: 'TIMESTAMP', to_time: 'TIMESTAMP' }],
    },
  };
}

const floor = (ms: number, spanMs: number): number => Math.floor(ms / spanMs) * spanMs;
const startOf = (key: string): number => Date.parse(key.length === 10 ? key : `${key}Z`);
const widen =
  (spanMs: number) =>
  ({ from, to }: Slice): Slice => ({ from: floor(from, spanMs), to: floor(to - 1, spanMs) + spanMs });

/** For reduce: adds a slice to those before it, which it may touch. */
function join(joined: Slice[], next: Slice): Slice[] {
  const last = joined.at(-1);
  if (last !== undefined && next.from <= last.to) {
    joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, next.to) };
  } else joined.push(next);
  return joined;
}
