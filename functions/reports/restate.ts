import type { MetricValue, ReportRow } from './services/service.ts';

/** What became of one metric between two attempts of a slice. */
export interface MetricChange {
  readonly metric: string;
  /** Sum over the rows; null for what must not be added up. */
  readonly before: number | null;
  readonly after: number | null;
  /** Sum over the rows of how much each changed, where a row that is absent counts 0. */
  readonly absDelta: number;
  /** Rows of both attempts in which it differs. */
  readonly rowsChanged: number;
}

export interface Restatement {
  readonly rowsAdded: number;
  readonly rowsRemoved: number;
  /** Those that changed, or all where rows came or went; empty where nothing did. */
  readonly metrics: readonly MetricChange[];
  /** A row is gone, or a metric changed by more than half a percent: reason enough to look again soon. */
  readonly isLarge: boolean;
}

/** Compares two attempts of a slice row by row: rows are the same by their dimensions, in whatever order. */
export function compareAttempts(
  before: readonly ReportRow[],
  after: readonly ReportRow[],
  metrics: readonly { readonly name: string; readonly kind: string }[],
): Restatement {
  const earlier = new Map(before.map((row) => [keyOf(row), row]));
  const later = new Map(after.map((row) => [keyOf(row), row]));
  const rowsAdded = [...later.keys()].filter((key) => !earlier.has(key)).length;
  const rowsRemoved = [...earlier.keys()].filter((key) => !later.has(key)).length;
  const keys = new Set([...earlier.keys(), ...later.keys()]);

  const changes = metrics.map(({ name, kind }): MetricChange => {
    let absDelta = 0;
    let rowsChanged = 0;
    for (const key of keys) {
      const [one, other] = [earlier.get(key), later.get(key)];
      const delta = subtract(metricOf(other, name), metricOf(one, name));
      absDelta += Math.abs(delta);
      if (delta !== 0 && one !== undefined && other !== undefined) rowsChanged++;
    }
    const sum = (rows: readonly ReportRow[]) => (kind === 'additive' ? addUp(rows, name) : null);
    return { metric: name, before: sum(before), after: sum(after), absDelta, rowsChanged };
  });
  const rowsMoved = rowsAdded + rowsRemoved > 0;
  const changed = changes.filter(({ absDelta }) => absDelta > 0 || rowsMoved);
  return {
    rowsAdded,
    rowsRemoved,
    metrics: changed,
    isLarge: rowsRemoved > 0 || changed.some((change) => isLargeFor(change, before)),
  };
}

const largeShare = 0.005;

function isLargeFor({ metric, before, absDelta }: MetricChange, rows: readonly ReportRow[]): boolean {
  const base = before ?? addUp(rows, metric);
  return absDelta > Math.abs(base) * largeShare;
}

const keyOf = ({ dimensions, isOther }: ReportRow): string =>
  JSON.stringify([isOther, Object.entries(dimensions).sort(([one], [other]) => (one < other ? -1 : 1))]);

const metricOf = (row: ReportRow | undefined, name: string): MetricValue => row?.metrics[name] ?? 0n;

function subtract(one: MetricValue, other: MetricValue): number {
  return typeof one === 'bigint' && typeof other === 'bigint'
    ? Number(one - other)
    : Number(one) - Number(other);
}

function addUp(rows: readonly ReportRow[], name: string): number {
  let whole = 0n;
  let fraction = 0;
  for (const row of rows) {
    const value = metricOf(row, name);
    if (typeof value === 'bigint') whole += value;
    else fraction += value;
  }
  return Number(whole) + fraction;
}
