import { z } from 'zod';

/**
 * RunReportResponse: developers.google.com/analytics/devguides/reporting/data/v1/rest/v1beta/RunReportResponse. JSON
 * leaves out what is empty or zero, and all values are texts.
 */
const values = z.array(z.object({ value: z.string().default('') })).default([]);
const row = z.object({ dimensionValues: values, metricValues: values });
const answerShape = z.object({
  dimensionHeaders: z.array(z.object({ name: z.string() })).default([]),
  metricHeaders: z.array(z.object({ name: z.string(), type: z.string().default('') })).default([]),
  rows: z.array(row).default([]),
  totals: z.array(row).default([]),
  rowCount: z.int().min(0).optional(),
  metadata: z
    .looseObject({
      timeZone: z.string().optional(),
      emptyReason: z.string().optional(),
      dataLossFromOtherRow: z.boolean().default(false),
      subjectToThresholding: z.boolean().default(false),
      samplingMetadatas: z.array(z.unknown()).default([]),
      dataTruncationReasons: z.array(z.unknown()).default([]),
      schemaRestrictionResponse: z
        .object({ activeMetricRestrictions: z.array(z.unknown()).default([]) })
        .default({ activeMetricRestrictions: [] }),
    })
    .prefault({}),
});

export interface AnswerRow {
  readonly dimensions: readonly string[];
  readonly metrics: readonly string[];
}

/** One answer, or one page of it. */
export interface ReadAnswer {
  readonly dimensionNames: readonly string[];
  readonly metricNames: readonly string[];
  readonly metricTypes: readonly string[];
  readonly rows: readonly AnswerRow[];
  /** Metrics of the row of totals; null where it was not asked for or there was nothing to add. */
  readonly totals: readonly string[] | null;
  /** undefined where it was left out, which an empty report does. */
  readonly rowCount: number | undefined;
  readonly metadata: {
    readonly timeZone: string | undefined;
    readonly emptyReason: string | undefined;
    readonly restricted: readonly unknown[];
    /** What it says of its quality. */
    readonly flags: readonly string[];
    readonly verbatim: unknown;
  };
}

/** Reads an answer; throws a ZodError for what the documentation does not allow. */
export function readAnswer(body: unknown): ReadAnswer {
  const { dimensionHeaders, metricHeaders, rows, totals, rowCount, metadata } = answerShape.parse(body);
  const restricted = metadata.schemaRestrictionResponse.activeMetricRestrictions;
  const read = (one: z.output<typeof row>): AnswerRow => ({
    dimensions: one.dimensionValues.map(({ value }) => value),
    metrics: one.metricValues.map(({ value }) => value),
  });
  const [total] = totals.map(read);
  return {
    dimensionNames: dimensionHeaders.map(({ name }) => name),
    metricNames: metricHeaders.map(({ name }) => name),
    metricTypes: metricHeaders.map(({ type }) => type),
    rows: rows.map(read),
    totals: total === undefined || total.metrics.length === 0 ? null : total.metrics,
    rowCount,
    metadata: {
      timeZone: metadata.timeZone,
      emptyReason: metadata.emptyReason,
      restricted,
      flags: [
        ...(metadata.samplingMetadatas.length > 0 ? ['sampled'] : []),
        ...(metadata.subjectToThresholding ? ['thresholded'] : []),
        ...(metadata.dataLossFromOtherRow ? ['other_row'] : []),
        ...(restricted.length > 0 ? ['restricted'] : []),
        ...(metadata.dataTruncationReasons.length > 0 ? ['truncated'] : []),
        ...(metadata.emptyReason === undefined ? [] : ['empty_reason']),
      ],
      verbatim: typeof body === 'object' && body !== null && 'metadata' in body ? body.metadata : {},
    },
  };
}
