import type { PropertyTruth } from '../truth/property-slice.ts';
import { daysBetween } from '../truth/zones.ts';
import type { ReportRequest } from './request.ts';
import { type MadeReport, runReport } from './run-report.ts';

type Ran = ReturnType<typeof runReport>;

/**
 * Runs reports as `runReport` does, but remembers the last `most` answers and what of the days' changes had come by then:
 * what is asked again with nothing changed is the same. Zero remembers nothing.
 */
export function createKeptAnswers(
  truth: PropertyTruth,
  most: number,
): (asked: ReportRequest, now: number) => Ran {
  const kept = new Map<string, { state: string; tokens: number; body: string }>();
  return (request, now) => {
    // Relative dates mean another day tomorrow.
    const isAbsolute = request.dateRanges.every(
      ({ startDate, endDate }) => isDay(startDate) && isDay(endDate),
    );
    if (most === 0 || !isAbsolute) return runReport(truth, request, now);
    const key = JSON.stringify(request);
    const state = stateOf(truth, request, now);
    const known = kept.get(key);
    kept.delete(key);
    if (known?.state === state) {
      kept.set(key, known);
      return { value: { body: JSON.parse(known.body) as MadeReport['body'], tokens: known.tokens } };
    }
    const ran = runReport(truth, request, now);
    if ('refused' in ran) return ran;
    kept.set(key, { state, tokens: ran.value.tokens, body: JSON.stringify(ran.value.body) });
    if (kept.size > most) {
      const oldest = kept.keys().next();
      if (!oldest.done) kept.delete(oldest.value);
    }
    return ran;
  };
}

const isDay = (date: string): boolean => /^\d{4}-\d\d-\d\d$/.test(date);

/** How many changes of each day have come, and in which zone the days are meant. */
function stateOf(truth: PropertyTruth, { dateRanges }: ReportRequest, now: number): string {
  const counts = dateRanges.flatMap(({ startDate, endDate }) =>
    daysBetween(startDate, endDate).map((day) => {
      const changes = truth.changesOf(day);
      const last = changes.at(-1);
      return last === undefined || last <= now ? -1 : changes.findIndex((at) => at > now);
    }),
  );
  return `${truth.zoneAt(now).name} ${counts.join()}`;
}
