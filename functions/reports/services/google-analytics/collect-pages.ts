import type { Cost, MetricValue, ReportRow } from '../service.ts';
import type { Part } from './build-request.ts';
import { deriveDimensions } from './derive-dimensions.ts';
import type { ReadAnswer } from './read-answer.ts';
import { readMetric } from './read-metric.ts';

/** What the pages of one part hold together. */
export interface CollectedPart {
  readonly rows: ReportRow[];
  readonly apiTotals: Readonly<Record<string, MetricValue>>;
  readonly flags: readonly string[];
  readonly timeZone: string;
  readonly metadata: unknown;
}

/** What cannot be: pages of two states of the data. The slice fails as a whole, and its next pull reads it anew. */
export class InconsistentPages extends Error {
  readonly reason: string;
  constructor(reason: string, detail: string) {
    super(`${reason}: ${detail}`);
    this.name = 'InconsistentPages';
    this.reason = reason;
  }
}

export interface PageCollector {
  /** Takes the next page and tells where the one after it begins; null when all is there. Throws InconsistentPages. */
  take(page: ReadAnswer): number | null;
  collected(): CollectedPart;
}

export function createPageCollector(
  { dimensions, rest, report }: Part,
  socialSources: Readonly<Record<string, string>>,
  rowsPerRequest: number,
): PageCollector {
  const rows: ReportRow[] = [];
  const keys = new Set<string>();
  const flags = new Set<string>();
  let first: ReadAnswer | undefined;

  function check(page: ReadAnswer): void {
    const wanted = report.metrics.map(({ name }) => name);
    // Headers come with every page that has rows; an empty report may have none.
    const named = [...page.dimensionNames, ...page.metricNames];
    if (named.length > 0 && named.join() !== [...dimensions, ...wanted].join()) {
      throw new InconsistentPages('header_mismatch', `asked for ${[...dimensions, ...wanted]}, got ${named}`);
    }
    if (first !== undefined && page.rowCount !== first.rowCount) {
      throw new InconsistentPages('row_count_changed', `${first.rowCount} rows became ${page.rowCount}`);
    }
  }

  function read(page: ReadAnswer): void {
    for (const row of page.rows) {
      const key = JSON.stringify(row.dimensions);
      if (keys.has(key)) throw new InconsistentPages('duplicate_key', `${key} came twice`);
      keys.add(key);
      if (row.metrics.length !== report.metrics.length || row.dimensions.length !== dimensions.length) {
        throw new InconsistentPages('short_row', `${key} has ${row.metrics.length} metrics`);
      }
      const given = Object.fromEntries(dimensions.map((name, index) => [name, row.dimensions[index] ?? '']));
      if (rest !== null) given[rest.dimension] = rest.name;
      rows.push({
        dimensions: deriveDimensions(given, report.derive, socialSources),
        metrics: readMetrics(row.metrics, page.metricTypes),
        isOther: row.dimensions.includes('(other)'),
      });
    }
  }

  function readMetrics(texts: readonly string[], types: readonly string[]): Record<string, MetricValue> {
    const metrics: Record<string, MetricValue> = {};
    for (const [index, { name }] of report.metrics.entries()) {
      const parsed = readMetric(texts[index] ?? '', types[index] ?? '');
      if (parsed === undefined) {
        throw new InconsistentPages('no_number', `${name} is ${JSON.stringify(texts[index])}`);
      }
      if (parsed.isFloatInteger) flags.add('float_integer');
      metrics[name] = parsed.value;
    }
    return metrics;
  }

  return {
    take(page) {
      check(page);
      read(page);
      for (const flag of page.metadata.flags) flags.add(flag);
      first ??= page;
      const { rowCount } = page;
      // Left out, it is zero where there are no rows, and says nothing where there are.
      const isShort = page.rows.length < rowsPerRequest;
      if (rowCount === undefined) return page.rows.length === 0 || isShort ? null : rows.length;
      if (rows.length > rowCount) {
        throw new InconsistentPages('too_many_rows', `${rows.length} rows where there are ${rowCount}`);
      }
      if (rows.length === rowCount) return null;
      if (page.rows.length === 0) {
        throw new InconsistentPages('empty_page', `after ${rows.length} of ${rowCount} rows`);
      }
      return rows.length;
    },
    collected() {
      const totals = first?.totals ?? null;
      const types = first?.metricTypes ?? [];
      return {
        rows,
        // Nothing was added up where there is nothing.
        apiTotals: totals === null ? {} : readMetrics(totals, types),
        flags: [...flags],
        timeZone: first?.metadata.timeZone ?? 'UTC',
        metadata: first?.metadata.verbatim ?? {},
      };
    },
  };
}

export const noCost: Cost = { calls: 0, requests: 0, tokens: 0, units: 0 };

export const addCost = (one: Cost, other: Cost): Cost => ({
  calls: one.calls + other.calls,
  requests: one.requests + other.requests,
  tokens: one.tokens + other.tokens,
  units: one.units + other.units,
});
