import { z } from 'zod';
import { type Answer, refuse } from '../answer.ts';

const int64 = z.union([z.string().regex(/^-?\d+$/), z.int()]).transform(Number);
const numericValue = z.strictObject({ int64Value: int64.optional(), doubleValue: z.number().optional() });

const filterSchema = z.strictObject({
  fieldName: z.string().default(''),
  stringFilter: z
    .strictObject({
      matchType: z
        .enum([
          'MATCH_TYPE_UNSPECIFIED',
          'EXACT',
          'BEGINS_WITH',
          'ENDS_WITH',
          'CONTAINS',
          'FULL_REGEXP',
          'PARTIAL_REGEXP',
        ])
        .default('EXACT'),
      value: z.string().default(''),
      caseSensitive: z.boolean().default(false),
    })
    .optional(),
  inListFilter: z
    .strictObject({ values: z.array(z.string()).default([]), caseSensitive: z.boolean().default(false) })
    .optional(),
  numericFilter: z
    .strictObject({
      operation: z
        .enum([
          'OPERATION_UNSPECIFIED',
          'EQUAL',
          'LESS_THAN',
          'LESS_THAN_OR_EQUAL',
          'GREATER_THAN',
          'GREATER_THAN_OR_EQUAL',
        ])
        .default('EQUAL'),
      value: numericValue,
    })
    .optional(),
  betweenFilter: z.strictObject({ fromValue: numericValue, toValue: numericValue }).optional(),
  emptyFilter: z.strictObject({}).optional(),
});

export type Filter = z.output<typeof filterSchema>;

export interface FilterExpression {
  andGroup?: { expressions: FilterExpression[] } | undefined;
  orGroup?: { expressions: FilterExpression[] } | undefined;
  notExpression?: FilterExpression | undefined;
  filter?: Filter | undefined;
}

export const expressionSchema: z.ZodType<FilterExpression> = z.lazy(() =>
  z.strictObject({
    andGroup: z.strictObject({ expressions: z.array(expressionSchema) }).optional(),
    orGroup: z.strictObject({ expressions: z.array(expressionSchema) }).optional(),
    notExpression: expressionSchema.optional(),
    filter: filterSchema.optional(),
  }),
);

const reportSchema = z.strictObject({
  property: z.string().optional(),
  dateRanges: z
    .array(z.strictObject({ startDate: z.string(), endDate: z.string(), name: z.string().optional() }))
    .default([]),
  dimensions: z.array(z.strictObject({ name: z.string().default('') })).default([]),
  metrics: z
    .array(z.strictObject({ name: z.string().default(''), invisible: z.boolean().optional() }))
    .default([]),
  limit: int64.optional(),
  offset: int64.optional(),
  orderBys: z
    .array(
      z.strictObject({
        desc: z.boolean().default(false),
        dimension: z
          .strictObject({
            dimensionName: z.string(),
            orderType: z
              .enum(['ORDER_TYPE_UNSPECIFIED', 'ALPHANUMERIC', 'CASE_INSENSITIVE_ALPHANUMERIC', 'NUMERIC'])
              .default('ALPHANUMERIC'),
          })
          .optional(),
        metric: z.strictObject({ metricName: z.string() }).optional(),
      }),
    )
    .default([]),
  dimensionFilter: expressionSchema.optional(),
  metricFilter: expressionSchema.optional(),
  metricAggregations: z
    .array(z.enum(['METRIC_AGGREGATION_UNSPECIFIED', 'TOTAL', 'MINIMUM', 'MAXIMUM', 'COUNT']))
    .default([]),
  keepEmptyRows: z.boolean().default(false),
  returnPropertyQuota: z.boolean().default(false),
  currencyCode: z.string().optional(),
});

/** A report's request, checked in form alone. */
export type ReportRequest = z.output<typeof reportSchema>;

const batchSchema = z.strictObject({
  requests: z.array(reportSchema).default([]),
});

const compatibilitySchema = z.strictObject({
  dimensions: z.array(z.strictObject({ name: z.string().default('') })).default([]),
  metrics: z.array(z.strictObject({ name: z.string().default('') })).default([]),
  dimensionFilter: expressionSchema.optional(),
  metricFilter: expressionSchema.optional(),
  compatibilityFilter: z
    .enum(['COMPATIBILITY_UNSPECIFIED', 'COMPATIBLE', 'INCOMPATIBLE'])
    .default('COMPATIBILITY_UNSPECIFIED'),
});

export type CompatibilityRequest = z.output<typeof compatibilitySchema>;

export const parseReport = (body: unknown) => parse(reportSchema, body);
export const parseBatch = (body: unknown) => parse(batchSchema, body);
export const parseCompatibility = (body: unknown) => parse(compatibilitySchema, body);

/** Google refuses names that it does not know; what exists but is not here says so too, by name. */
function parse<T>(schema: z.ZodType<T>, body: unknown): { value: T } | { refused: Answer } {
  if (body === undefined) return { refused: refuse(400, 'Invalid JSON payload received.') };
  const parsed = schema.safeParse(body);
  if (parsed.success) return { value: parsed.data };
  const lines = parsed.error.issues.map((issue) => {
    const place = issue.path.map(String).join('.');
    if (issue.code === 'unrecognized_keys') {
      const at = place === '' ? '' : ` at '${place}'`;
      return issue.keys
        .map((key) => `Invalid JSON payload received. Unknown name "${key}"${at}: Cannot find field.`)
        .join('\n');
    }
    return `Invalid value at '${place}': ${issue.message}`;
  });
  return { refused: refuse(400, lines.join('\n')) };
}
