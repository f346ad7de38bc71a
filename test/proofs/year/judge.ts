import { hash } from 'node:crypto';
import type { ReportsApis } from '../../../local/reports/index.ts';
import { addDays, daysBetween, startOfDay, zoneOf } from '../../../local/reports/truth/zones.ts';
import { expectSlice, type Lines, linesOf, readConfigurationFile, startOfSlice } from './expect-slice.ts';
import type { Publication } from './memory-warehouse.ts';

/** The first attempt of a slice, and how it stood to what the API shows in the end. */
export interface FirstPull {
  source: string;
  report: string;
  grain: string;
  entityId: string;
  date: string;
  at: number;
  /** Hours from the end of the day, in its own zone. */
  delayHours: number;
  rule: string;
  flags: string[];
  isFinal: boolean;
}

export interface Judge {
  published(publication: Publication, now: number): void;
  describe(): string;
  /** Slices whose last attempt is not the final truth: what changed after it, as after the last step of the ladder. */
  countUnseen(): number;
  firsts: Map<string, FirstPull>;
  /** What is not as it must be, in words. */
  wrong: { total: number; told: string[] };
  attempts: { total: number; restated: number; unrecorded: number; overRecorded: number };
}

/** Tells nothing of a slice that is in its API's own words bent, as by a list of the top ones only. */
const PLAIN_FLAGS = new Set(['top_n']);
/** When all has been restated that will be: the last change of a day comes 41 days after it. */
const FINAL_DAYS = 60;
const DAY_MS = 86_400_000;
/** Of what is known to be unchanged one in so many is made anew all the same. */
const CHECKED_ANYWAY = 50;

/** What an attempt showed and what it should have, by slice, for as long as it may be read again. */
interface Known {
  rowsHash: string;
  shown: string;
  /** What of the truth had come by then, and what the slice must hold by it. */
  version: string;
  expected: string;
  final: string;
}

/** Holds each attempt, in the moment it is published, against the truth as of that moment and against the final one. */
export function createJudge(given: {
  apis: ReportsApis;
  from: string;
  to: string;
  /** Told of each first attempt while its day is still at hand. */
  onFirst?: (first: FirstPull) => void;
}): Judge {
  const { apis, from, to } = given;
  const file = readConfigurationFile();
  const reports = new Map(file.reports.map((report) => [report.key, report]));
  const firsts = new Map<string, FirstPull>();
  const wrong: Judge['wrong'] = { total: 0, told: [] };
  const attempts = { total: 0, restated: 0, unrecorded: 0, overRecorded: 0 };
  const known = new Map<string, Known>();
  const tell = (line: string) => {
    wrong.total++;
    if (wrong.told.length < 20) wrong.told.push(line);
  };

  return {
    firsts,
    wrong,
    attempts,
    describe: () =>
      `${attempts.total} attempts, ${firsts.size} slices, ${wrong.total} wrong, ${attempts.restated} restated`,
    countUnseen: () => known.values().reduce((sum, it) => sum + (it.shown === it.final ? 0 : 1), 0),
    published(publication, now) {
      const { pull, rowsHash, isRestated } = publication;
      if (pull.date < from || pull.date > to) return;
      const report = reports.get(pull.report);
      if (report === undefined) throw new Error(`${pull.report} is no shipped report.`);
      const key = `${pull.source}|${pull.report}|${pull.entity_id}|${pull.date}`;
      const slice = { entityId: pull.entity_id, date: pull.date };
      const days = daysBetween(startOfSlice(report, pull.date), pull.date);
      const changesOf = pull.source === 'youtube' ? apis.channelChangesOf : apis.changesOf;
      const versionAt = (at: number) =>
        versionOf(
          days.map((day) => changesOf(pull.entity_id, day)),
          at,
        );
      const expectAt = (at: number) => expectSlice(apis, file, report, slice, new Date(at));
      attempts.total++;
      const before = known.get(key);
      const version = versionAt(now);
      const isUnchanged =
        before !== undefined && before.version === version && attempts.total % CHECKED_ANYWAY !== 0;
      const isSame = before?.rowsHash === rowsHash;
      let shownLines: Lines | undefined;
      const readShown = () => {
        shownLines ??= linesOf(publication.rows);
        return shownLines;
      };
      const shown = isSame ? before.shown : digest(readShown());
      const expected = isUnchanged ? before.expected : digest(expectAt(now));
      if (pull.row_count !== publication.rows.length)
        tell(`${key}: ${pull.row_count} rows are said, ${publication.rows.length} are there`);
      if (shown !== expected)
        tell(`${key} at ${new Date(now).toISOString()}: ${differenceOf(readShown(), expectAt(now))}`);
      if (before !== undefined) {
        const changed = before.shown !== shown;
        if (changed) attempts.restated++;
        if (changed && !isRestated) attempts.unrecorded++;
        if (!changed && isRestated) attempts.overRecorded++;
        if (changed !== isRestated)
          tell(`${key}: ${changed ? 'a change' : 'no change'} and ${isRestated ? 'a' : 'no'} restatement`);
      }
      if (before !== undefined) {
        known.set(key, { rowsHash, shown, version, expected, final: before.final });
        return;
      }
      const end = startOfDay(zoneOf(pull.time_zone), addDays(pull.date, 1));
      const lastly = end + FINAL_DAYS * DAY_MS;
      const isFinalNow = version === versionAt(lastly);
      const final = isFinalNow ? expected : digest(expectAt(lastly));
      known.set(key, { rowsHash, shown, version, expected, final });
      const first: FirstPull = {
        source: pull.source,
        report: pull.report,
        grain: pull.grain,
        entityId: pull.entity_id,
        date: pull.date,
        at: now,
        delayHours: (now - end) / 3_600_000,
        rule: pull.rule,
        flags: (pull.flags ?? []).filter((flag) => !PLAIN_FLAGS.has(flag)),
        isFinal: shown === final,
      };
      firsts.set(key, first);
      given.onFirst?.(first);
    },
  };
}

/** How many of the changes of each day have come: with the same ones the same is shown. */
function versionOf(days: readonly (readonly number[])[], at: number): string {
  let version = '';
  for (const changes of days) {
    const last = changes.at(-1);
    const isOver = last === undefined || last <= at;
    version += `${isOver ? -1 : changes.findIndex((instant) => instant > at)},`;
  }
  return version;
}

const digest = (lines: Lines): string => hash('sha1', lines.join('\n'));

function differenceOf(shown: Lines, expected: Lines): string {
  const [have, want] = [new Set(shown), new Set(expected)];
  const lacks = expected.find((line) => !have.has(line));
  const more = shown.find((line) => !want.has(line));
  const readable = (line: string | undefined) =>
    (line ?? 'nothing').replaceAll('\u0001', ' ').replaceAll('\u0002', ' | ');
  return `${shown.length} rows, not ${expected.length}; it lacks ${readable(lacks)}; it has ${readable(more)}`;
}
