import { randomBytes } from 'node:crypto';
import type {
  ReportPullsRow,
  ReportRestatementsRow,
  ReportRowsRow,
} from '../../shared/warehouse/generated/row-types.ts';
import type { AppendRows } from './append-rows.ts';
import { encodeNumbers } from './json-values.ts';
import { extraStep } from './ladder.ts';
import type { OrderedSlice } from './pull-order.ts';
import type { Attempt, ReportStore } from './report-store.ts';
import { compareAttempts, type Restatement } from './restate.ts';
import { dayMs, endOfDay } from './services/calendar.ts';
import type { PulledSlice, Slice } from './services/service.ts';

/** A slice that was answered, with the order for it and the attempt that counts so far. */
export interface Answered {
  readonly slice: Slice;
  readonly ordered: OrderedSlice;
  readonly pulled: PulledSlice;
  readonly previous: Attempt | undefined;
  readonly startedMs: number;
}

export interface PublishOptions {
  readonly append: AppendRows;
  readonly store: Pick<ReportStore, 'readRows'>;
  readonly ladder: readonly number[];
  readonly now: () => number;
  /** Told of each write before it begins, and waited for. */
  readonly onWrite?: ((write: 'rows' | 'restatements' | 'pulls') => void | Promise<void>) | undefined;
}

export interface Published {
  readonly rows: number;
  /** Slices in which something had changed since the attempt before. */
  readonly restated: number;
}

/**
 * Publishes one attempt of each slice: its rows under a fresh id, what has changed since the attempt before, and last
 * the rows of report_pulls, from which moment on the attempts count. Cut off anywhere before, it leaves rows that nobody
 * sees, and may be done again. Rejects where BigQuery fails.
 */
export async function publishAttempts(
  answered: readonly Answered[],
  options: PublishOptions,
): Promise<Published> {
  const { append, store, onWrite = () => {} } = options;
  const attempts = answered.map((one) => ({ ...one, attemptId: randomBytes(16).toString('hex') }));
  const comparable = attempts.filter(({ previous, slice, pulled }) => isComparable(previous, slice, pulled));
  const earlier = await store.readRows(comparable.flatMap(({ previous }) => previous ?? []));

  const rows: ReportRowsRow[] = [];
  const restatements: ReportRestatementsRow[] = [];
  const pulls: ReportPullsRow[] = [];
  let restated = 0;
  for (const attempt of attempts) {
    const before = attempt.previous && earlier.get(attempt.previous.attemptId);
    const change = before && compareAttempts(before, attempt.pulled.rows, attempt.slice.report.metrics);
    for (const row of toRows(attempt)) rows.push(row);
    if (change !== undefined && change.metrics.length > 0) {
      restated++;
      restatements.push(...toRestatements(attempt, change, options.now()));
    }
    pulls.push(toPull(attempt, change, options));
  }
  await onWrite('rows');
  await append('report_rows', rows);
  await onWrite('restatements');
  await append('report_restatements', restatements);
  await onWrite('pulls');
  const publishedAt = options.now() * 1_000;
  await append(
    'report_pulls',
    pulls.map((pull) => ({ ...pull, published_at: publishedAt })),
  );
  return { rows: rows.length, restated };
}

type Numbered = Answered & { readonly attemptId: string };

/** An attempt under another definition of the report, or with the very same rows, needs no comparison. */
const isComparable = (previous: Attempt | undefined, { report }: Slice, { digest }: PulledSlice): boolean =>
  previous !== undefined && previous.reportHash === report.hash && previous.digest !== digest;

const ageOf = ({ slice, pulled, startedMs }: Answered): number =>
  startedMs - endOfDay(slice.date, pulled.timeZone);

function toRows({ attemptId, slice, pulled, startedMs }: Numbered): ReportRowsRow[] {
  const { entity, report, date } = slice;
  return pulled.rows.map((row, index) => ({
    attempt_id: attemptId,
    row_index: index,
    source: entity.source,
    report: report.key,
    entity_id: entity.entityId,
    date,
    dimensions: JSON.stringify(row.dimensions),
    metrics: encodeNumbers(row.metrics),
    is_other: row.isOther ? true : undefined,
    pulled_at: startedMs * 1_000,
  }));
}

function toRestatements(attempt: Numbered, change: Restatement, nowMs: number): ReportRestatementsRow[] {
  const { attemptId, slice, previous } = attempt;
  const { entity, report, date } = slice;
  return change.metrics.map(({ metric, before, after, absDelta, rowsChanged }) => ({
    attempt_id: attemptId,
    metric,
    previous_attempt_id: previous?.attemptId ?? '',
    source: entity.source,
    report: report.key,
    entity_id: entity.entityId,
    date,
    before: before ?? undefined,
    after: after ?? undefined,
    abs_delta: absDelta,
    rows_added: change.rowsAdded,
    rows_removed: change.rowsRemoved,
    rows_changed: rowsChanged,
    is_large: change.isLarge,
    age_days: Math.max(0, Math.floor(ageOf(attempt) / dayMs)),
    detected_at: nowMs * 1_000,
  }));
}

function toPull(
  attempt: Numbered,
  change: Restatement | undefined,
  { ladder }: PublishOptions,
): ReportPullsRow {
  const { attemptId, slice, ordered, pulled, previous, startedMs } = attempt;
  const { entity, report, date } = slice;
  return {
    attempt_id: attemptId,
    source: entity.source,
    report: report.key,
    entity_id: entity.entityId,
    date,
    seq: (previous?.seq ?? 0) + 1,
    previous_attempt_id: previous?.attemptId,
    entity_key: entity.key,
    grain: report.grain,
    report_hash: report.hash,
    row_count: pulled.rows.length,
    digest: pulled.digest,
    totals: encodeNumbers(pulled.totals),
    api_totals: encodeNumbers(pulled.apiTotals),
    reconciled: pulled.reconciled ?? undefined,
    flags: [...new Set([...ordered.flags, ...pulled.flags])].sort(),
    rule: ordered.rule,
    time_zone: pulled.timeZone,
    ladder_day: ordered.ladderDay,
    extra_day: change?.isLarge === true ? (extraStep(ladder, ageOf(attempt)) ?? undefined) : undefined,
    cause: ordered.cause,
    metadata: JSON.stringify(pulled.metadata ?? null),
    calls: pulled.cost.calls,
    requests: pulled.cost.requests,
    tokens: pulled.cost.tokens,
    units: pulled.cost.units,
    started_at: startedMs * 1_000,
    published_at: 0,
  };
}
