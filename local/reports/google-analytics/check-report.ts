import { type Answer, refuse } from '../answer.ts';
import { dimensions } from '../truth/dimensions.ts';
import { metrics } from '../truth/metrics.ts';
import { addDays, dayAt, utcMidnight, type Zone } from '../truth/zones.ts';
import { ITEM_DIMENSIONS, ITEM_METRICS, incompatible } from './fields.ts';
import { fieldsOf } from './filter.ts';
import type { FilterExpression, ReportRequest } from './request.ts';

const MOST_DIMENSIONS = 9;
const MOST_METRICS = 10;
const MOST_RANGES = 4;
/** Rows of one answer at most (data/v1/rest/v1beta/properties/runReport, limit). */
export const MOST_ROWS = 250_000;
const DEFAULT_ROWS = 10_000;
const SCHEMA_HELP =
  'For a list of valid dimensions and metrics, see https://developers.google.com/analytics/devguides/reporting/data/v1/api-schema';

export interface CheckedReport {
  ranges: { name: string; from: string; to: string }[];
  limit: number;
  offset: number;
}

/** Holds a report against the API's limits and names; the first broken one is refused as Google words it. */
export function checkReport(
  request: ReportRequest,
  zone: Zone,
  now: number,
): { value: CheckedReport } | { refused: Answer } {
  const names = request.dimensions.map(({ name }) => name);
  const wanted = request.metrics.map(({ name }) => name);
  const limited = (count: number, most: number, what: string) =>
    `Requests are limited to ${most} ${what} within a nested request. This request is for ${count} ${what}.`;
  const bad = (message: string) => ({ refused: refuse(400, message) });
  if (names.length > MOST_DIMENSIONS) return bad(limited(names.length, MOST_DIMENSIONS, 'dimensions'));
  if (wanted.length > MOST_METRICS) return bad(limited(wanted.length, MOST_METRICS, 'metrics'));
  if (request.dateRanges.length > MOST_RANGES) {
    return bad(limited(request.dateRanges.length, MOST_RANGES, 'date ranges'));
  }
  if (request.dateRanges.length === 0) return bad('A dateRange or cohort is required.');
  if (names.length === 0 && wanted.length === 0) {
    return bad('At least one dimension or metric is required.');
  }
  const usedInFilter = request.dimensionFilter === undefined ? [] : fieldsOf(request.dimensionFilter);
  for (const name of [...names, ...usedInFilter]) {
    if (name === 'dateRange') continue;
    if (!dimensions.has(name) && !ITEM_DIMENSIONS.has(name)) {
      return bad(`Field ${name} is not a valid dimension. ${SCHEMA_HELP}`);
    }
  }
  for (const name of wanted) {
    if (!metrics.has(name) && !ITEM_METRICS.has(name)) {
      return bad(`Field ${name} is not a valid metric. ${SCHEMA_HELP}`);
    }
  }
  for (const list of [names, wanted]) {
    const twice = list.find((name, index) => list.indexOf(name) !== index);
    if (twice !== undefined) return bad(`Duplicate field ${twice} in the request.`);
  }
  const clash = incompatible([...names, ...usedInFilter], wanted);
  if (clash !== undefined) {
    return bad(
      `Please remove ${clash} to make the request compatible. The request's dimensions & metrics are incompatible. To learn more, see https://ga-dev-tools.google/ga4/dimensions-metrics-explorer/`,
    );
  }
  for (const filter of [request.dimensionFilter, request.metricFilter]) {
    const problem = filter === undefined ? undefined : problemOf(filter);
    if (problem !== undefined) return bad(problem);
  }
  const inMetricFilter = request.metricFilter === undefined ? [] : fieldsOf(request.metricFilter);
  const unknown = inMetricFilter.find((name) => !wanted.includes(name));
  if (unknown !== undefined) return bad(`Field ${unknown} in the metric filter is not in the request.`);
  for (const { dimension, metric } of request.orderBys) {
    const by = dimension?.dimensionName ?? metric?.metricName ?? '';
    if (!names.includes(by) && !wanted.includes(by)) {
      return bad(`Field ${by} exists in OrderBy but is not defined in input Dimensions/Metrics list.`);
    }
  }
  const limit = request.limit ?? 0;
  const offset = request.offset ?? 0;
  if (limit < 0) return bad('The limit must be positive.');
  if (offset < 0) return bad('The offset must be positive or zero.');
  const ranges: CheckedReport['ranges'] = [];
  for (const [index, { startDate, endDate, name }] of request.dateRanges.entries()) {
    const from = readDay(startDate, zone, now);
    const to = readDay(endDate, zone, now);
    if (from === undefined || to === undefined) {
      return bad(
        `Invalid date: ${from === undefined ? startDate : endDate}. Dates must be in the format YYYY-MM-DD, NdaysAgo, yesterday or today.`,
      );
    }
    if (from > to) return bad(`Invalid date range: startDate ${startDate} is after endDate ${endDate}.`);
    if (name !== undefined && /^(date_range_|RESERVED_)/.test(name)) {
      return bad(`The date range name ${name} is reserved.`);
    }
    ranges.push({ name: name ?? `date_range_${index}`, from, to });
  }
  return {
    value: { ranges, limit: Math.min(limit === 0 ? DEFAULT_ROWS : limit, MOST_ROWS), offset },
  };
}

function readDay(text: string, zone: Zone, now: number): string | undefined {
  const today = dayAt(zone, now);
  if (text === 'today') return today;
  if (text === 'yesterday') return addDays(today, -1);
  const ago = /^(\d{1,4})daysAgo$/.exec(text);
  if (ago !== null) return addDays(today, -Number(ago[1]));
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const at = utcMidnight(text);
  // A day that the month does not have is none.
  return Number.isNaN(at) || addDays(text, 0) !== text ? undefined : text;
}

function problemOf(expression: FilterExpression): string | undefined {
  const { filter, notExpression, andGroup, orGroup } = expression;
  if (filter !== undefined) {
    if (filter.fieldName === '') return 'The filter must have a fieldName.';
    if (filter.inListFilter?.values.length === 0) return 'InListFilter values must be non-empty.';
    const { stringFilter } = filter;
    if (stringFilter !== undefined && /REGEXP/.test(stringFilter.matchType)) {
      try {
        new RegExp(stringFilter.value, 'u');
      } catch {
        return `Invalid regular expression: ${stringFilter.value}`;
      }
    }
  }
  const inner = [...(andGroup?.expressions ?? []), ...(orGroup?.expressions ?? [])];
  if (notExpression !== undefined) inner.push(notExpression);
  for (const it of inner) {
    const problem = problemOf(it);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
