import { formatNumber } from './terminal.ts';

/*
 * A proof of report_availability in words: what was seen of a day, and what the rule compared. functions/reports/services
 * writes them; a field that is new there is told by its name.
 */

type Fields = Readonly<Record<string, unknown>>;
type Say = (value: unknown, proof: Fields) => string | undefined;

/** The sentences of a proof, without full stops: what was seen first, then what it was judged by. */
export function describeProof(proof: Fields): { readonly seen: string[]; readonly because: string[] } {
  const { because, ...seen } = proof;
  return { seen: sayAll(seen, proof), because: sayAll(isFields(because) ? because : {}, proof) };
}

function sayAll(fields: Fields, proof: Fields): string[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    if (value === null || value === undefined) return [];
    const say = words[name];
    const said = say === undefined ? sayPlainly(name, value) : say(value, proof);
    return said === undefined ? [] : [said];
  });
}

const words: Readonly<Record<string, Say>> = {
  timeZone: (zone) => `the day is one of ${zone}`,
  labels: (labels) => `it has ${labels} hours`,
  hours: (hours, { labels }) => describeHours(hours, labels),
  // The hours say the same, and more of it.
  hoursMask: () => undefined,
  lastHour: (hour) => `the last hour with data is ${writeHour(hour)}`,
  events: (events) => `${count(events)} events`,
  views: (views) => `${count(views)} views`,
  responseHash: (hash) => `hash ${String(hash).slice(0, 12)} of what was seen`,
  watermarkHours: (hours) => `${count(hours)} hours after the day have data`,
  zoneChanged: (zones) =>
    isFields(zones) ? `the property's zone was ${zones.from} before, and is ${zones.to} now` : undefined,
  watermark: (day) => `the owner's days reach ${day}`,
  metrics: (metrics) => (isList(metrics) ? `asked for ${metrics.join(', ')}` : undefined),
  ageHours: (hours) => `${round(hours)} hours after the day's end`,
  dayEnds: (instant) => `the day ends at ${writeInstant(instant)}`,
  minLagHours: (hours) => `no day is looked at sooner than ${hours} hours after its end`,
  deadlineHours: (hours) => `the deadline is ${hours} hours after the day's end`,
  missing: (hours) =>
    isList(hours)
      ? hours.length === 0
        ? 'no hour is without data'
        : `without data: ${writeHours(hours)}`
      : undefined,
  trailing: (hours) => (hours === 0 ? undefined : `${count(hours)} of them are the last of the day`),
  expectedMissing: (visits) => `by earlier weeks ${round(visits)} visits are to be expected in them`,
  mostExpected: (visits) => `empty hours are believed up to ${round(visits)} expected visits`,
  unchangedSince: (instant) => `nothing of the day has changed since ${writeInstant(instant)}`,
  weekEvents: (events) => `the seven days up to it have ${count(events)} events`,
  emptyReason: (reason) => `Google says why it is empty: ${reason}`,
  hasRow: (hasRow) =>
    hasRow === true ? 'the channel has a row of the day' : 'the channel has no row of the day',
  otherRows: (rows, { because }) =>
    isFields(because) ? `it has rows of ${count(rows)} of the ${because.otherDays} days before` : undefined,
  // Told with otherRows.
  otherDays: () => undefined,
};

/** Each hour is [label, events, views, visits, users, seconds of engagement]. */
function describeHours(hours: unknown, labels: unknown): string | undefined {
  if (!isList(hours)) return undefined;
  const rows = hours.filter(isList);
  if (rows.length === 0) return 'no hour has data';
  const sum = (column: number) => rows.reduce((total, row) => total + Number(row[column] ?? 0), 0);
  const of = typeof labels === 'number' ? ` of ${labels}` : '';
  return `${rows.length}${of} hours have data, with ${count(sum(3))} visits and ${count(sum(4))} users by the hour: ${writeHours(rows.map(([label]) => label))}`;
}

/** Runs of hours as 00-06, 08. */
function writeHours(hours: readonly unknown[]): string {
  const runs: [number, number][] = [];
  for (const hour of hours.map(Number).sort((one, other) => one - other)) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === hour - 1) last[1] = hour;
    else runs.push([hour, hour]);
  }
  return runs
    .map(([from, to]) => (from === to ? writeHour(from) : `${writeHour(from)}-${writeHour(to)}`))
    .join(', ');
}

const writeHour = (hour: unknown): string => String(hour).padStart(2, '0');
const count = (value: unknown): string => (typeof value === 'number' ? formatNumber(value) : String(value));
const round = (value: unknown): string =>
  typeof value === 'number' ? formatNumber(Math.round(value * 10) / 10) : String(value);
const writeInstant = (value: unknown): string =>
  String(value)
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC');

/** `minEvents` becomes `min events`; what is nested follows in brackets. */
function sayPlainly(name: string, value: unknown): string {
  const spelled = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return `${spelled} ${writeValue(value)}`;
}

function writeValue(value: unknown): string {
  if (isList(value)) return value.length === 0 ? 'none' : value.map(writeValue).join(' ');
  if (!isFields(value)) return count(value);
  const parts = Object.entries(value).filter(([, one]) => one !== null && one !== undefined);
  return `(${parts.map(([name, one]) => sayPlainly(name, one)).join(', ')})`;
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
