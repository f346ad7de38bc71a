import { z } from 'zod';
import { writeSorted } from '../digest.ts';
import type { Cost, Failure, MetricValue, ServiceContext } from '../service.ts';
import type { Owner } from './configuration.ts';
import type { ExecuteQuery } from './execute-query.ts';

export interface RowsQuery {
  readonly owner: Owner;
  readonly probeGroup: string;
  /** Those that are asked for; without a content owner exactly one. */
  readonly channels: readonly string[];
  readonly reports: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly dimensions: readonly string[];
  readonly metrics: readonly string[];
  readonly filters: string | null;
  /** Default: by all dimensions, which is a total order. */
  readonly sort?: readonly string[];
  /** The first page only, of so many rows. */
  readonly top?: number;
}

export interface YouTubeRow {
  readonly dimensions: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, MetricValue>>;
}

export type Rows =
  | {
      readonly kind: 'rows';
      readonly rows: readonly YouTubeRow[];
      readonly cost: Cost;
      readonly metadata: unknown;
    }
  | { readonly kind: 'failed'; readonly failure: Failure };

const tableShape = z.object({
  columnHeaders: z
    .array(z.object({ name: z.string(), columnType: z.string(), dataType: z.string().default('') }))
    .default([]),
  // Without data the field is left out.
  rows: z.array(z.array(z.union([z.string(), z.number(), z.null()]))).default([]),
});

/**
 * Asks for all rows, page by page: there is no count of them and no token of pages, so the page that is short is the
 * last. Columns are read by their headers.
 */
export async function queryRows(
  query: RowsQuery,
  rowsPerRequest: number,
  executeQuery: ExecuteQuery,
  context: ServiceContext,
): Promise<Rows> {
  const rows: YouTubeRow[] = [];
  const keys = new Set<string>();
  const pageRows = query.top ?? rowsPerRequest;
  for (let calls = 1; ; calls++) {
    const answered = await ask(query, rows.length + 1, pageRows, executeQuery, context);
    if (answered.kind === 'failed') return answered;
    const parsed = tableShape.safeParse(answered.body);
    if (!parsed.success) return inconsistent(query, 'unreadable', z.prettifyError(parsed.error));
    const { columnHeaders, rows: table } = parsed.data;
    const wanted = [...query.dimensions, ...query.metrics].sort().join();
    const named = columnHeaders.map(({ name }) => name);
    if (table.length > 0 && [...named].sort().join() !== wanted) {
      return inconsistent(query, 'header_mismatch', `asked for ${wanted}, got ${named}`);
    }
    for (const values of table) {
      const row = readRow(values, columnHeaders);
      if (row === undefined) return inconsistent(query, 'no_number', JSON.stringify(values));
      const key = writeSorted(row.dimensions);
      if (keys.has(key)) return inconsistent(query, 'duplicate_key', `${key} came twice`);
      keys.add(key);
      rows.push(row);
    }
    if (table.length < pageRows || query.top !== undefined) {
      const cost = { calls, requests: calls, tokens: 0, units: 0 };
      return { kind: 'rows', rows, cost, metadata: { columnHeaders } };
    }
  }
}

function ask(
  query: RowsQuery,
  startIndex: number,
  maxResults: number,
  executeQuery: ExecuteQuery,
  context: ServiceContext,
) {
  const { owner, channels, dimensions, metrics } = query;
  const [only] = channels;
  const byOwner = owner.id !== undefined;
  const filters = [
    ...(byOwner ? [`channel==${channels.join(',')}`] : []),
    ...(query.filters ? [query.filters] : []),
  ];
  const sort = query.sort ?? dimensions;
  return executeQuery(
    {
      owner,
      probeGroup: query.probeGroup,
      entityId: channels.length === 1 ? (only ?? null) : null,
      reports: query.reports,
      api: 'youtubeAnalytics.v2',
      method: 'reports.query',
      units: null,
      send: ({ analytics }, options) =>
        analytics.reports.query(
          {
            ids: byOwner ? `contentOwner==${owner.id}` : `channel==${only}`,
            startDate: query.from,
            endDate: query.to,
            metrics: metrics.join(','),
            maxResults,
            startIndex,
            ...(dimensions.length > 0 && { dimensions: dimensions.join(',') }),
            ...(filters.length > 0 && { filters: filters.join(';') }),
            ...(sort.length > 0 && { sort: sort.join(',') }),
          },
          options,
        ),
    },
    context,
  );
}

/** Integers are safe ones, or the row is not read: JSON numbers beyond 2^53 have lost digits already. */
function readRow(
  values: readonly (string | number | null)[],
  headers: z.output<typeof tableShape>['columnHeaders'],
): YouTubeRow | undefined {
  const dimensions: Record<string, string> = {};
  const metrics: Record<string, MetricValue> = {};
  for (const [index, { name, columnType }] of headers.entries()) {
    const value = values[index] ?? null;
    if (columnType === 'DIMENSION') dimensions[name] = String(value ?? '');
    else if (typeof value !== 'number') return undefined;
    else if (!Number.isInteger(value)) metrics[name] = value;
    else if (Number.isSafeInteger(value)) metrics[name] = BigInt(value);
    else return undefined;
  }
  return { dimensions, metrics };
}

function inconsistent({ reports, channels }: RowsQuery, reason: string, detail: string): Rows {
  const [only] = channels;
  const failure: Failure = {
    kind: 'transient',
    entityId: channels.length === 1 ? (only ?? null) : null,
    reason,
    message: `YouTube's answer for ${reports.join(', ') || 'a probe'} does not fit: ${detail}`,
    notBefore: null,
    alert: false,
  };
  return { kind: 'failed', failure };
}
