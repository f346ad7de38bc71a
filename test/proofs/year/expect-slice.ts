import { readFileSync } from 'node:fs';
import type { ReportsApis } from '../../../local/reports/index.ts';

/** A report as the configuration file says it; read here anew, so that nothing of what is proved writes the questions. */
export interface ReportFile {
  key: string;
  source: string;
  grain?: string;
  dimensions?: string[];
  metrics: string[];
  filter?: {
    dimension: string;
    in?: string[] | string;
    notIn?: string[] | string;
    matches?: string;
    notMatches?: string[] | string;
  }[];
  named?: { dimension: string; values: string[] | string; rest: string };
  sort?: string[];
  top?: number;
}

export interface ConfigurationFile {
  reports: ReportFile[];
  maps: Record<string, string[] | Record<string, string>>;
}

export function readConfigurationFile(): ConfigurationFile {
  const file = new URL('../../../infra/reports.default.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as ConfigurationFile;
}

/** Rows as lines of text, sorted: dimensions by name, then metrics by name. */
export type Lines = string[];

/** Dimensions that the product computes out of others; they are not asked of the API. */
const DERIVED = new Set(['article', 'amp', 'socialNetwork']);

export function linesOf(rows: readonly { dimensions: string; metrics: string }[]): Lines {
  return rows
    .map((row) =>
      writeLine(
        JSON.parse(row.dimensions) as Record<string, string>,
        JSON.parse(row.metrics) as Record<string, number>,
      ),
    )
    .sort();
}

/** The first day of the period that a slice is of. */
export function startOfSlice({ grain = 'day' }: ReportFile, date: string): string {
  if (grain === 'month') return `${date.slice(0, 7)}-01`;
  return grain === 'week' ? new Date(Date.parse(date) - 6 * 86_400_000).toISOString().slice(0, 10) : date;
}

/** What a slice must hold as of an instant, by the fake's own truth. */
export function expectSlice(
  apis: ReportsApis,
  { maps }: ConfigurationFile,
  report: ReportFile,
  slice: { entityId: string; date: string },
  at: Date,
): Lines {
  const range = { from: startOfSlice(report, slice.date), to: slice.date };
  return report.source === 'youtube'
    ? expectChannel(apis, report, slice.entityId, range, at)
    : expectProperty(apis, maps, report, slice.entityId, range, at);
}

function expectProperty(
  apis: ReportsApis,
  maps: ConfigurationFile['maps'],
  report: ReportFile,
  propertyId: string,
  range: { from: string; to: string },
  at: Date,
): Lines {
  const listed = (given: string[] | string | undefined): string[] => {
    if (given === undefined || Array.isArray(given)) return given ?? [];
    const of = maps[given.slice(1)] ?? [];
    return Array.isArray(of) ? of : Object.keys(of);
  };
  const isIn = (fieldName: string, values: string[]) => ({
    filter: { fieldName, inListFilter: { values, caseSensitive: true } },
  });
  const conditions: object[] = (report.filter ?? []).flatMap((condition): object[] => {
    const { dimension } = condition;
    const like = (value: string) => ({
      filter: { fieldName: dimension, stringFilter: { matchType: 'PARTIAL_REGEXP', value } },
    });
    if (condition.matches !== undefined) return [like(condition.matches)];
    if (condition.in !== undefined) return [isIn(dimension, listed(condition.in))];
    if (condition.notIn !== undefined) return [{ notExpression: isIn(dimension, listed(condition.notIn)) }];
    return listed(condition.notMatches).map((value) => ({ notExpression: like(value) }));
  });
  const ask = (dimensions: string[], extra: object[], fixed: Record<string, string>): Lines => {
    const all = [...conditions, ...extra];
    const body = apis.answerAt(
      propertyId,
      {
        dateRanges: [{ startDate: range.from, endDate: range.to }],
        dimensions: dimensions.map((name) => ({ name })),
        metrics: report.metrics.map((name) => ({ name })),
        limit: '250000',
        ...(all.length > 0 ? { dimensionFilter: { andGroup: { expressions: all } } } : {}),
      },
      at,
    ) as { rows?: { dimensionValues?: { value: string }[]; metricValues: { value: string }[] }[] };
    return (body.rows ?? []).map((row) =>
      writeLine(
        {
          ...Object.fromEntries(
            dimensions.map((name, index) => [name, row.dimensionValues?.[index]?.value ?? '']),
          ),
          ...fixed,
        },
        Object.fromEntries(
          report.metrics.map((name, index) => [name, Number(row.metricValues[index]?.value)]),
        ),
      ),
    );
  };
  const dimensions = report.dimensions ?? [];
  const { named } = report;
  if (named === undefined) return ask(dimensions, [], {}).sort();
  const values = listed(named.values);
  const others = dimensions.filter((name) => name !== named.dimension);
  return [
    ...ask(dimensions, [isIn(named.dimension, values)], {}),
    ...ask(others, [{ notExpression: isIn(named.dimension, values) }], { [named.dimension]: named.rest }),
  ].sort();
}

function expectChannel(
  apis: ReportsApis,
  report: ReportFile,
  channelId: string,
  range: { from: string; to: string },
  at: Date,
): Lines {
  const { dimensions = [], metrics, sort = [], top } = report;
  const { rows } = apis.channelTruthOf({ channelIds: [channelId], ...range, dimensions, metrics, at });
  const named = rows.map((row) => ({
    dimensions: Object.fromEntries(dimensions.map((name, index) => [name, row.dimensions[index] ?? ''])),
    metrics: Object.fromEntries(metrics.map((name, index) => [name, row.metrics[index] ?? 0])),
  }));
  if (top !== undefined) {
    const by = sort.map((name) => name.replace(/^-/, ''));
    named.sort((a, b) => {
      for (const name of by) {
        const difference = (b.metrics[name] ?? 0) - (a.metrics[name] ?? 0);
        if (difference !== 0) return difference;
      }
      return JSON.stringify(a.dimensions) < JSON.stringify(b.dimensions) ? -1 : 1;
    });
    named.splice(top);
  }
  return named.map((row) => writeLine(row.dimensions, row.metrics)).sort();
}

function writeLine(dimensions: Record<string, string>, metrics: Record<string, number>): string {
  const write = (fields: Record<string, string | number>) =>
    Object.keys(fields)
      .sort()
      .filter((name) => !DERIVED.has(name))
      .map((name) => `${name}=${fields[name]}`)
      .join('\u0001');
  return `${write(dimensions)}\u0002${write(metrics)}`;
}
