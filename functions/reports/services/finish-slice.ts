import { digestOfTexts, writeSorted } from './digest.ts';
import type { Cost, MetricValue, PulledSlice, Report, ReportRow } from './service.ts';

/** What a service read of a slice, in the order in which it came. */
export interface ReadSlice {
  readonly rows: readonly ReportRow[];
  readonly apiTotals: Readonly<Record<string, MetricValue>>;
  readonly flags: readonly string[];
  readonly timeZone: string;
  readonly metadata: unknown;
  readonly cost: Cost;
  /** Whether the API's totals are of these rows; false where rows are withheld by design (the top videos). */
  readonly isComparable: boolean;
}

/** Puts rows into their order, sums what adds up, and holds it against the API's own totals. */
export function finishSlice(report: Pick<Report, 'metrics'>, read: ReadSlice): PulledSlice {
  const keyed = read.rows
    .map((row) => ({ row, key: writeSorted(row.dimensions) }))
    .sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0));
  const rows = keyed.map(({ row }) => row);
  const additive = report.metrics.filter(({ kind }) => kind === 'additive').map(({ name }) => name);
  const totals = Object.fromEntries(additive.map((name) => [name, sum(rows, name)]));
  const compared = additive.filter((name) => read.apiTotals[name] !== undefined);
  const reconciled =
    read.isComparable && compared.length > 0
      ? compared.every((name) => isEqual(totals[name] ?? 0n, read.apiTotals[name] ?? 0n))
      : null;
  const flags = new Set(read.flags);
  if (rows.some(({ isOther }) => isOther)) flags.add('other_row');
  if (reconciled === false) flags.add('not_reconciled');
  return {
    rows,
    totals,
    apiTotals: read.apiTotals,
    reconciled,
    flags: [...flags].sort(),
    timeZone: read.timeZone,
    metadata: read.metadata,
    digest: digestOfTexts(keyed.map(writeRow)),
    cost: read.cost,
  };
}

/** As `writeSorted` writes a row; the text of its dimensions is known already, which is most of it. */
const writeRow = ({ row, key }: { readonly row: ReportRow; readonly key: string }): string =>
  `{"dimensions":${key},"isOther":${row.isOther},"metrics":${writeSorted(row.metrics)}}`;

/** A sum of integers is one; a fraction among them makes it a double. */
export function sum(rows: readonly Pick<ReportRow, 'metrics'>[], name: string): MetricValue {
  let whole = 0n;
  let fraction: number | undefined;
  for (const { metrics } of rows) {
    const value = metrics[name];
    if (typeof value === 'bigint') whole += value;
    else if (value !== undefined) fraction = (fraction ?? 0) + value;
  }
  return fraction === undefined ? whole : Number(whole) + fraction;
}

/** Integers to the integer. Sums of doubles depend on their order, by a few units in the last place of each. */
function isEqual(one: MetricValue, other: MetricValue): boolean {
  if (typeof one === 'bigint' && typeof other === 'bigint') return one === other;
  const [first, second] = [Number(one), Number(other)];
  return Math.abs(first - second) <= 1e-9 * Math.max(1, Math.abs(first), Math.abs(second));
}
