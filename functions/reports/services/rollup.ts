import { writeSorted } from './digest.ts';
import { sum } from './finish-slice.ts';
import type { MetricValue, Report, ReportRow } from './service.ts';

/** The rows of one property or channel. */
export interface Member {
  readonly entityId: string;
  readonly rows: readonly ReportRow[];
}

export interface RolledRow {
  readonly dimensions: Readonly<Record<string, string>>;
  /** Summed over the members. */
  readonly additive: Readonly<Record<string, MetricValue>>;
  /** Computed from the sums; null where the denominator is zero. */
  readonly ratios: Readonly<Record<string, number | null>>;
  /** Estimates and the API's own ratios, which have no sum: member by member. */
  readonly apart: Readonly<Record<string, Readonly<Record<string, MetricValue>>>>;
}

/**
 * Adds up several entities of one site or channel, key by key. Users of two properties may be the same people, and a
 * mean of means is none: only what adds up is summed, and ratios are made of sums.
 */
export function rollUp(report: Pick<Report, 'metrics' | 'ratios'>, members: readonly Member[]): RolledRow[] {
  const groups = new Map<string, { dimensions: ReportRow['dimensions']; rows: [string, ReportRow][] }>();
  for (const { entityId, rows } of members) {
    for (const row of rows) {
      const key = writeSorted(row.dimensions);
      const group = groups.get(key) ?? { dimensions: row.dimensions, rows: [] };
      group.rows.push([entityId, row]);
      groups.set(key, group);
    }
  }
  const names = (isAdditive: boolean) =>
    report.metrics.filter(({ kind }) => (kind === 'additive') === isAdditive).map(({ name }) => name);
  return [...groups]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, { dimensions, rows }]) => {
      const own = rows.map(([, row]) => row);
      const additive = Object.fromEntries(names(true).map((name) => [name, sum(own, name)]));
      return {
        dimensions,
        additive,
        ratios: divide(report.ratios, additive),
        apart: keepApart(rows, names(false)),
      };
    });
}

function keepApart(rows: readonly (readonly [string, ReportRow])[], names: readonly string[]) {
  const apart: Record<string, Record<string, MetricValue>> = {};
  for (const name of names) {
    apart[name] = {};
    for (const [entityId, { metrics }] of rows) {
      const value = metrics[name];
      if (value !== undefined) apart[name][entityId] = value;
    }
  }
  return apart;
}

/** Ratios of sums: factor * numerator / the sum of the denominators; null, and never 0 or 1, where there is no base. */
export function divide(
  ratios: Report['ratios'],
  sums: Readonly<Record<string, MetricValue>>,
): Record<string, number | null> {
  return Object.fromEntries(
    ratios.map(({ name, numerator, denominator, factor }) => {
      const base = denominator.reduce((total, metric) => total + Number(sums[metric] ?? 0n), 0);
      return [name, base === 0 ? null : (factor * Number(sums[numerator] ?? 0n)) / base];
    }),
  );
}
