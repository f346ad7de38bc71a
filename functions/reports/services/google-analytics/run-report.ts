import { z } from 'zod';
import { finishSlice } from '../finish-slice.ts';
import type {
  Cost,
  Failure,
  MetricValue,
  PullOutcome,
  ReportRow,
  ServiceContext,
  Slice,
} from '../service.ts';
import type { Answered } from '../try-call.ts';
import { buildParts, fromRow, type Part } from './build-request.ts';
import {
  addCost,
  createPageCollector,
  InconsistentPages,
  noCost,
  type PageCollector,
} from './collect-pages.ts';
import type { AnalyticsReport, Maps } from './configuration.ts';
import type { ExecuteQuery } from './execute-query.ts';
import { readQuota, type TokenBook } from './quota.ts';
import { readAnswer } from './read-answer.ts';

/** data/v1/rest/v1beta/properties/batchRunReports: up to five requests of one property. */
export const mostPerCall = 5;

export interface ReportRunner {
  readonly executeQuery: ExecuteQuery;
  readonly reports: ReadonlyMap<string, AnalyticsReport>;
  readonly maps: Maps;
  readonly rowsPerRequest: number;
  readonly tokens: TokenBook;
}

interface Work {
  readonly part: Part;
  readonly pages: PageCollector;
  cost: Cost;
}

/**
 * Pulls slices of one property, five report requests a call, pages too. What fails one slice fails no other: a batch
 * that is refused is asked again one by one, so that the report that is wrong is found.
 */
export async function runReports(
  slices: readonly Slice[],
  runner: ReportRunner,
  context: ServiceContext,
): Promise<PullOutcome[]> {
  const failed = new Map<Slice, Failure>();
  const works: Work[] = [];
  for (const slice of slices) {
    const report = runner.reports.get(slice.report.key);
    if (report === undefined) throw new Error(`${slice.report.key} is no report of Google Analytics.`);
    for (const part of buildParts(slice, report, runner.rowsPerRequest)) {
      const pages = createPageCollector(part, runner.maps.socialSources, runner.rowsPerRequest);
      works.push({ part, pages, cost: noCost });
    }
  }
  let due: [Work, number][] = works.map((work) => [work, 0]);
  while (due.length > 0) {
    const batch = due.slice(0, mostPerCall);
    const more = await pullBatch(batch, runner, failed, context);
    due = [...due.slice(mostPerCall), ...more].filter(([{ part }]) => !failed.has(part.slice));
  }
  return slices.map((slice): PullOutcome => {
    const failure = failed.get(slice);
    if (failure !== undefined) return { kind: 'failed', slice, failure };
    const own = works.filter(({ part }) => part.slice === slice);
    return { kind: 'pulled', slice, pulled: finish(own, runner) };
  });
}

/** Asks for one page of each; answers the pages that come after them. */
async function pullBatch(
  batch: readonly [Work, number][],
  runner: ReportRunner,
  failed: Map<Slice, Failure>,
  context: ServiceContext,
): Promise<[Work, number][]> {
  const answered = await ask(batch, runner, context);
  if (answered.kind === 'failed') {
    if (answered.failure.kind === 'broken_report' && batch.length > 1) {
      const more: [Work, number][] = [];
      for (const one of batch) more.push(...(await pullBatch([one], runner, failed, context)));
      return more;
    }
    for (const [{ part }] of batch) failed.set(part.slice, nameReport(answered.failure, part));
    return [];
  }
  const bodies = batch.length === 1 ? [answered.body] : readBatch(answered.body);
  return batch.flatMap(([work, offset], index): [Work, number][] => {
    const { slice } = work.part;
    try {
      const body = bodies[index];
      const tokens = readQuota(body).tokens ?? 0;
      work.cost = addCost(work.cost, { calls: 1 / batch.length, requests: 1, tokens, units: 0 });
      if (offset === 0) runner.tokens.observe(slice.report.hash, slice.entity.entityId, tokens);
      const next = work.pages.take(readAnswer(body));
      return next === null ? [] : [[work, next]];
    } catch (error) {
      failed.set(slice, asFailure(error, slice));
      return [];
    }
  });
}

function ask(
  batch: readonly [Work, number][],
  { executeQuery }: ReportRunner,
  context: ServiceContext,
): Promise<Answered> {
  const [first] = batch;
  const requests = batch.map(([{ part }, offset]) => fromRow(part, offset).request);
  const query = {
    propertyId: first?.[0].part.slice.entity.entityId ?? '',
    reports: batch.map(([{ part }]) => part.report.key),
  };
  return requests.length === 1
    ? executeQuery({ ...query, method: 'runReport', requestBody: requests[0] ?? {} }, context)
    : executeQuery({ ...query, method: 'batchRunReports', requestBody: { requests } }, context);
}

const batchShape = z.object({ reports: z.array(z.unknown()).default([]) });
const readBatch = (body: unknown): readonly unknown[] => batchShape.parse(body).reports;

function nameReport(failure: Failure, { report }: Part): Failure {
  if (failure.kind !== 'broken_report') return failure;
  return { ...failure, message: `Report ${report.key}: ${failure.message}` };
}

function asFailure(error: unknown, { report, entity, date }: Slice): Failure {
  if (!(error instanceof InconsistentPages) && !(error instanceof z.ZodError)) throw error;
  const reason = error instanceof InconsistentPages ? error.reason : 'unreadable';
  const detail = error instanceof z.ZodError ? z.prettifyError(error) : error.message;
  return {
    kind: 'transient',
    entityId: entity.entityId,
    reason,
    message: `${report.key} of property ${entity.entityId} for ${date} came in pieces that do not fit: ${detail}`,
    notBefore: null,
    alert: false,
  };
}

/** One slice of its one or two parts. */
function finish(works: readonly Work[], { reports }: ReportRunner) {
  const [first] = works;
  if (first === undefined) throw new Error('A slice has at least one part.');
  const parts = works.map(({ pages }) => pages.collected());
  const apiTotals: Record<string, MetricValue> = {};
  // Only what adds up has a total over two parts.
  const summed = first.part.report.metrics.filter(({ kind }) => works.length === 1 || kind === 'additive');
  for (const { name } of summed) {
    const values = parts.flatMap((part) => part.apiTotals[name] ?? []);
    const [only] = values;
    if (only === undefined) continue;
    apiTotals[name] = values.slice(1).reduce(add, only);
  }
  const rows: ReportRow[] = parts.flatMap((part) => part.rows);
  return finishSlice(reports.get(first.part.report.key) ?? first.part.report, {
    rows,
    apiTotals,
    flags: parts.flatMap(({ flags }) => flags),
    timeZone: parts[0]?.timeZone ?? 'UTC',
    metadata: parts.length === 1 ? parts[0]?.metadata : parts.map(({ metadata }) => metadata),
    cost: works.map(({ cost }) => cost).reduce(addCost, noCost),
    isComparable: true,
  });
}

const add = (one: MetricValue, other: MetricValue): MetricValue =>
  typeof one === 'bigint' && typeof other === 'bigint' ? one + other : Number(one) + Number(other);
