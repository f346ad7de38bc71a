import type { ReportsApis } from '../../../local/reports/index.ts';
import { addDays, startOfDay, zoneOf } from '../../../local/reports/truth/zones.ts';
import { expectSlice, type Lines, linesOf, readConfigurationFile } from './expect-slice.ts';
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

/** Holds each attempt, in the moment it is published, against the truth as of that moment and against the final one. */
export function createJudge(given: { apis: ReportsApis; from: string; to: string }): Judge {
  const { apis, from, to } = given;
  const file = readConfigurationFile();
  const reports = new Map(file.reports.map((report) => [report.key, report]));
  const firsts = new Map<string, FirstPull>();
  const wrong: Judge['wrong'] = { total: 0, told: [] };
  const attempts = { total: 0, restated: 0, unrecorded: 0, overRecorded: 0 };
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
    published({ pull, rows, before, isRestated }, now) {
      if (pull.date < from || pull.date > to) return;
      const report = reports.get(pull.report);
      if (report === undefined) throw new Error(`${pull.report} is no shipped report.`);
      const key = `${pull.source}|${pull.report}|${pull.entity_id}|${pull.date}`;
      const slice = { entityId: pull.entity_id, date: pull.date };
      attempts.total++;
      const shown = linesOf(rows);
      if (pull.row_count !== rows.length)
        tell(`${key}: ${pull.row_count} rows are said, ${rows.length} are there`);
      const expected = expectSlice(apis, file, report, slice, new Date(now));
      const difference = differenceOf(shown, expected);
      if (difference !== undefined) tell(`${key} at ${new Date(now).toISOString()}: ${difference}`);
      if (before !== undefined) {
        const changed = differenceOf(shown, linesOf(before)) !== undefined;
        if (changed) attempts.restated++;
        if (changed && !isRestated) attempts.unrecorded++;
        if (!changed && isRestated) attempts.overRecorded++;
        if (changed !== isRestated)
          tell(`${key}: ${changed ? 'a change' : 'no change'} and ${isRestated ? 'a' : 'no'} restatement`);
      }
      if (firsts.has(key)) return;
      const end = startOfDay(zoneOf(pull.time_zone), addDays(pull.date, 1));
      const final = expectSlice(apis, file, report, slice, new Date(end + FINAL_DAYS * DAY_MS));
      firsts.set(key, {
        source: pull.source,
        report: pull.report,
        grain: pull.grain,
        entityId: pull.entity_id,
        date: pull.date,
        at: now,
        delayHours: (now - end) / 3_600_000,
        rule: pull.rule,
        flags: (pull.flags ?? []).filter((flag) => !PLAIN_FLAGS.has(flag)),
        isFinal: differenceOf(shown, final) === undefined,
      });
    },
  };
}

function differenceOf(shown: Lines, expected: Lines): string | undefined {
  if (shown.length === expected.length && shown.every((line, index) => line === expected[index]))
    return undefined;
  const [have, want] = [new Set(shown), new Set(expected)];
  const lacks = expected.find((line) => !have.has(line));
  const more = shown.find((line) => !want.has(line));
  const readable = (line: string | undefined) =>
    (line ?? 'nothing').replaceAll('\u0001', ' ').replaceAll('\u0002', ' | ');
  return `${shown.length} rows, not ${expected.length}; it lacks ${readable(lacks)}; it has ${readable(more)}`;
}
