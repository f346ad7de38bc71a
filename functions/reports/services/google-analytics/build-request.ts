import type { analyticsdata_v1beta } from '@googleapis/analyticsdata';
import { startOfPeriod } from '../calendar.ts';
import type { Slice } from '../service.ts';
import { type Condition, writeFilter } from './conditions.ts';
import type { AnalyticsReport } from './configuration.ts';

type RunReportRequest = analyticsdata_v1beta.Schema$RunReportRequest;

/** One report request of a slice. A slice has two where values are named: those, and one row for the rest. */
export interface Part {
  readonly slice: Slice;
  readonly report: AnalyticsReport;
  readonly dimensions: readonly string[];
  /** Of the one row for all other values: the dimension and what it is called. */
  readonly rest: { readonly dimension: string; readonly name: string } | null;
  readonly request: RunReportRequest;
}

/**
 * The requests of a slice: one period each, since longer ranges are sampled and rolled up sooner; ordered by all
 * dimensions, so that pages neither overlap nor leave anything out; with the API's own totals.
 */
export function buildParts(slice: Slice, report: AnalyticsReport, rowsPerRequest: number): Part[] {
  const part = (
    dimensions: readonly string[],
    conditions: readonly Condition[],
    rest: Part['rest'],
  ): Part => {
    const filter = writeFilter(conditions);
    const request: RunReportRequest = {
      dateRanges: [{ startDate: startOfPeriod(report.grain, slice.date), endDate: slice.date }],
      dimensions: dimensions.map((name) => ({ name })),
      metrics: report.metrics.map(({ name }) => ({ name })),
      orderBys: dimensions.map((dimensionName) => ({ dimension: { dimensionName } })),
      metricAggregations: ['TOTAL'],
      limit: String(rowsPerRequest),
      offset: '0',
      returnPropertyQuota: true,
      ...(filter !== undefined && { dimensionFilter: filter }),
    };
    return { slice, report, dimensions, rest, request };
  };
  const { asked, filter, named } = report;
  if (named === null) return [part(asked, filter, null)];
  const { dimension, values, rest } = named;
  return [
    part(asked, [...filter, { dimension, in: [...values] }], null),
    part(
      asked.filter((name) => name !== dimension),
      [...filter, { dimension, notIn: [...values] }],
      { dimension, name: rest },
    ),
  ];
}

/** The same part from another row on. */
export function fromRow(part: Part, offset: number): Part {
  return { ...part, request: { ...part.request, offset: String(offset) } };
}
