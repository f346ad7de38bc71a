import type { Row, Warehouse } from '../../warehouse-of.ts';
import { isKept, isOwnAnswer } from './answers.ts';
import type { Expected, FuzzCase } from './cases.ts';
import type { Played } from './play.ts';
import type { Item, ReferenceEvent } from './reference-decoder.ts';
import { findDifference, type Json, parseReference } from './reference-json.ts';

/** A case that was played, without the bytes that were sent. */
export interface PlayedCase extends Omit<FuzzCase, 'steps'> {
  readonly number: number;
  readonly played: Played;
}

/** What is in the warehouse of one request. */
export interface StoredRows {
  readonly events: Row[];
  readonly quarantine: Row[];
}

/** The project of the client beside the fuzz, whose rows are counted elsewhere. */
export const goodProject = 'good-client';

/** Reads what was received since, by the hash of its request; through the views that analysts read. */
export async function readStored(warehouse: Warehouse, sinceMs: number): Promise<Map<string, StoredRows>> {
  const since = `received_at >= TIMESTAMP '${new Date(sinceMs).toISOString()}'`;
  const columns =
    'request_hash, batch_id, batch_index, event_id, project, kind, name, anonymous_id, user_id, occurred_at, debug, properties, context';
  const others = `${since} AND project != '${goodProject}'`;
  const tracks = await warehouse.query(`SELECT ${columns} FROM events WHERE ${others}`);
  const shown = await warehouse.query(
    `SELECT ${columns} FROM events_debug WHERE ${others} AND kind = 'track' AND debug = 1`,
  );
  const state = await warehouse.query(
    // Aliases that are derived from other events are there alone, and are no event that was sent.
    `SELECT ${columns} FROM state_log WHERE ${others} AND event_id IN (SELECT event_id FROM event_log WHERE ${since}) QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY received_at, batch_id, batch_index) = 1`,
  );
  const quarantine = await warehouse.query(
    `SELECT request_hash, batch_id, place, unit, body_bytes, reason, field, detail, replayable, headers FROM quarantine_open WHERE ${since}`,
  );
  const byHash = new Map<string, StoredRows>();
  const of = (row: Row): StoredRows => {
    const hash = String(row.request_hash);
    const found = byHash.get(hash) ?? { events: [], quarantine: [] };
    byHash.set(hash, found);
    return found;
  };
  for (const row of [...tracks, ...shown, ...state]) of(row).events.push(row);
  for (const row of quarantine) of(row).quarantine.push(row);
  return byHash;
}

/** An event, or without a place a whole request. */
export interface Absent {
  readonly hashes: readonly string[];
  readonly place: number | undefined;
}

export interface Verdict {
  readonly problems: readonly string[];
  /** Places of events that no view shows: lost, or copies of events of other requests. */
  readonly absent: readonly Absent[];
}

/** Judges answers and rows of one case; takes the rows that it has judged out of `stored`. */
export function judgeCase(one: PlayedCase, stored: Map<string, StoredRows>): Verdict {
  const problems = judgeAnswers(one);
  const absent: Absent[] = [];
  if (one.isWild === true) return { problems, absent };
  for (const [place, expected] of one.expected.entries()) {
    const rows: StoredRows = { events: [], quarantine: [] };
    for (const hash of hashesOf(expected)) {
      rows.events.push(...(stored.get(hash)?.events ?? []));
      rows.quarantine.push(...(stored.get(hash)?.quarantine ?? []));
      stored.delete(hash);
    }
    const isAnswered = isKept(one.dialect, one.played.answers[place]);
    problems.push(...judgeRows(expected, rows, isAnswered, absent));
  }
  return { problems, absent };
}

const hashesOf = ({ hash, otherHashes = [] }: Expected): readonly string[] => [
  ...new Set([hash, ...otherHashes]),
];

function judgeAnswers({ dialect, expected, played, isWild }: PlayedCase): string[] {
  const problems: string[] = [];
  const seen = `${played.answers.map(({ status, body }) => `${status} ${body.slice(0, 60).trim()}`).join(' | ')} (${played.end})`;
  if (played.answers.some(({ status }) => status >= 500)) problems.push(`answered ${seen}`);
  if (isWild === true) return problems;
  const isHung = played.end === 'silence';
  for (const [place, { answer, outcome }] of expected.entries()) {
    const got = played.answers[place];
    const isSuccess = got !== undefined && isOwnAnswer(dialect, got, outcome);
    const isRefused = got === undefined ? !isHung : got.status >= 400 && got.status < 500;
    const isRight =
      answer === 'success'
        ? isSuccess
        : answer === 'no_key'
          ? got?.status === 401
          : answer === 'too_large'
            ? got?.status === 413 || (got === undefined && !isHung)
            : answer === 'refused'
              ? isRefused
              : answer === 'none'
                ? isRefused
                : !isHung;
    if (!isRight) problems.push(`should be answered ${answer}; was answered ${seen}`);
  }
  return problems;
}

function judgeRows(
  expected: Expected,
  { events, quarantine }: StoredRows,
  isAnswered: boolean,
  absent: Absent[],
): string[] {
  const { outcome, mayBeAbsent } = expected;
  const hashes = hashesOf(expected);
  const problems: string[] = [];
  const count = events.length + quarantine.length;
  const batches = new Set([...events, ...quarantine].map(({ batch_id }) => batch_id));
  if (batches.size > 1) problems.push(`was accepted ${batches.size} times`);
  if (outcome.kind === 'nothing') {
    return count === 0 ? problems : [...problems, `${count} rows of what never was a request`];
  }
  if (mayBeAbsent && !isAnswered && count === 0) return problems;
  problems.push(...quarantine.flatMap(judgeRefusal));
  if (outcome.kind === 'unsure') {
    if (count === 0 && isAnswered) absent.push({ hashes, place: undefined });
    return problems;
  }
  if (outcome.kind === 'undecodable') {
    const isRight = events.length === 0 && quarantine.length === 1 && quarantine[0]!.place === null;
    if (!isRight) {
      problems.push(
        `should be whole in quarantine; has ${events.length} events and ${quarantine.length} rows of quarantine`,
      );
    }
    return problems;
  }
  problems.push(
    ...judgeItems(outcome.items, { events, quarantine }, (place) => absent.push({ hashes, place })),
  );
  return problems;
}

function judgeItems(items: readonly Item[], rows: StoredRows, onAbsent: (place: number) => void): string[] {
  const problems: string[] = [];
  const atPlace = (list: Row[], column: string, place: number) =>
    list.filter((row) => row[column] !== null && Number(row[column]) === place);
  const isWholeKept = rows.quarantine.some(({ place }) => place === null);
  for (const [place, item] of items.entries()) {
    const stored =
      items.length > 100 ? sample(rows.events, place) : atPlace(rows.events, 'batch_index', place);
    const kept = items.length > 100 ? [] : atPlace(rows.quarantine, 'place', place);
    if (stored.length > 1) problems.push(`event ${place} is there ${stored.length} times`);
    if (kept.length > 1) problems.push(`event ${place} is in quarantine ${kept.length} times`);
    const [row] = stored;
    if (item.kind === 'event' && row === undefined) {
      if (kept.length > 0)
        problems.push(`event ${place} is in quarantine: ${kept[0]!.reason}, ${kept[0]!.detail}`);
      else onAbsent(place);
    }
    if (item.kind === 'event' && row !== undefined) problems.push(...compareEvent(place, item.event, row));
    if (item.kind === 'refused' && row !== undefined)
      problems.push(`event ${place} should be refused and is stored`);
    if (item.kind !== 'event' && row === undefined && kept.length === 0 && !isWholeKept) {
      problems.push(`event ${place} is nowhere`);
    }
    if (row !== undefined && kept.length > 0) problems.push(`event ${place} is stored and in quarantine`);
  }
  const beyond = rows.events.filter(({ batch_index }) => Number(batch_index) >= items.length);
  if (beyond.length > 0) problems.push(`${beyond.length} events more than were sent`);
  return problems;
}

let sorted: { list: Row[]; byPlace: Map<number, Row[]> } | undefined;

/** The rows of a place, found once for all places of a request of many. */
function sample(list: Row[], place: number): Row[] {
  if (sorted?.list !== list) {
    sorted = { list, byPlace: Map.groupBy(list, ({ batch_index }) => Number(batch_index)) };
  }
  return sorted.byPlace.get(place) ?? [];
}

function compareEvent(place: number, event: ReferenceEvent, row: Row): string[] {
  const problems: string[] = [];
  const differs = (column: string, expected: string | number | null) => {
    const found = row[column] ?? null;
    if (found !== expected && !(typeof expected === 'number' && Number(found) === expected)) {
      problems.push(`event ${place}: ${column} is ${show(found)}, not ${show(expected)}`);
    }
  };
  differs('project', event.project);
  differs('kind', event.kind);
  differs('name', event.name ?? null);
  differs('anonymous_id', event.anonymousId ?? null);
  differs('user_id', event.userId ?? null);
  differs('debug', event.debug);
  const occurredAt = Date.parse(textOf(row.occurred_at));
  if (event.occurredAtMs !== undefined && occurredAt !== event.occurredAtMs) {
    problems.push(`event ${place}: occurred_at is ${textOf(row.occurred_at)}, not ${event.occurredAtMs}`);
  }
  for (const column of ['properties', 'context'] as const) {
    const sent = event[column];
    if (sent === undefined) continue;
    const found = findDifference(new Map(sent), parseStored(textOf(row[column])), column);
    if (found !== undefined) problems.push(`event ${place}: ${found}`.slice(0, 300));
  }
  return problems;
}

const show = (value: unknown): string => JSON.stringify(value)?.slice(0, 80) ?? 'nothing';

const textOf = (cell: Row[string] | undefined): string =>
  typeof cell === 'object' && cell !== null && 'value' in cell ? cell.value : String(cell);

function parseStored(text: string): Json | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

/** Whether a person would understand why: one word to group by, and a sentence without a program's debris. */
function judgeRefusal(row: Row): string[] {
  const problems: string[] = [];
  if (!/^[a-z][a-z0-9_]{3,}$/.test(String(row.reason)))
    problems.push(`reason ${show(row.reason)} is no word`);
  const detail = String(row.detail ?? '');
  const isSentence = detail.length >= 15 && detail.split(' ').length >= 3;
  if (!isSentence || / is undefined$|\[object |\bat .*:\d+:\d+|ERR_/.test(detail)) {
    problems.push(`detail ${show(detail)} of ${row.reason} tells a person nothing`);
  }
  if (/sekret/.test(String(row.headers))) problems.push('credentials are kept in quarantine');
  return problems;
}
