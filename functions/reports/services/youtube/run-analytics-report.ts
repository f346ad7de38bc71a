import { startOfPeriod } from '../calendar.ts';
import { finishSlice } from '../finish-slice.ts';
import type { Failure, MetricValue, PullOutcome, ServiceContext, Slice } from '../service.ts';
import { timeZone, type YouTubeConfiguration, type YouTubeReport } from './configuration.ts';
import type { ExecuteQuery } from './execute-query.ts';
import { queryLinked } from './linked-channels.ts';
import { queryRows, type Rows, type RowsQuery, type YouTubeRow } from './query-rows.ts';

export interface ReportRunner {
  readonly configuration: YouTubeConfiguration;
  readonly executeQuery: ExecuteQuery;
}

/**
 * Pulls one day of several channels of one content owner, for one report or for several that one query answers: with one
 * query for all of them, but for lists of the top rows, which are of one channel each. Without dimensions the channels'
 * totals are asked for as well.
 */
export async function runReports(
  slices: readonly Slice[],
  runner: ReportRunner,
  context: ServiceContext,
): Promise<PullOutcome[]> {
  const asked = slices.map((slice): Asked => {
    const report = runner.configuration.reports.find(({ key }) => key === slice.report.key);
    if (report === undefined) throw new Error(`${slice.report.key} is no report of YouTube.`);
    return { slice, report };
  });
  if (asked.every(({ report }) => report.top === null)) return pullTogether(asked, runner, context);
  const outcomes: PullOutcome[] = [];
  for (const one of asked) outcomes.push(...(await pullTogether([one], runner, context)));
  return outcomes;
}

/**
 * What slices share that one query answers: one report of a day, or all reports of it without dimensions that wait for
 * the same metrics. Rows by a dimension would be other rows with other metrics beside them.
 */
export function queryKey({ key, dimensions, top, grain, gate, filters }: YouTubeReport): string {
  return dimensions.length > 0 || top !== null ? key : JSON.stringify([grain, gate, filters]);
}

interface Asked {
  readonly slice: Slice;
  readonly report: YouTubeReport;
}

async function pullTogether(
  asked: readonly Asked[],
  runner: ReportRunner,
  context: ServiceContext,
): Promise<PullOutcome[]> {
  const { configuration, executeQuery } = runner;
  const reports = [...new Set(asked.map(({ report }) => report))];
  const [first] = asked;
  if (first === undefined) return [];
  const query = buildQuery(first, asked, reports, configuration);
  const { rowsPerRequest } = configuration.settings;
  const { rows: came, unlinked } = await queryLinked(query, rowsPerRequest, executeQuery, context);
  if (reports.length > 1 && failureOf(came)?.kind === 'broken_report') {
    // One of them is wrong, and the others go on.
    const outcomes: PullOutcome[] = [];
    for (const report of reports) {
      const own = asked.filter((one) => one.report === report);
      outcomes.push(...(await pullTogether(own, runner, context)));
    }
    return outcomes;
  }
  const gone = new Map(unlinked.map((failure) => [failure.entityId, failure]));
  const totals = await queryTotals(first.report, query, came, gone, runner, context);
  const calls = callsOf(came) + callsOf(totals);
  return asked.map(({ slice, report }): PullOutcome => {
    const { entityId } = slice.entity;
    const failure = gone.get(entityId) ?? failureOf(came) ?? failureOf(totals);
    if (failure !== undefined) return { kind: 'failed', slice, failure };
    const ownRows = came.kind === 'rows' ? pickOwn(came.rows, entityId, report) : [];
    const rows = report.top === null ? ownRows : cutTop(ownRows, report);
    const total = totals?.kind === 'rows' ? pickOwn(totals.rows, entityId, report)[0] : undefined;
    const pulled = finishSlice(report, {
      rows: rows.map(({ dimensions, metrics }) => ({ dimensions, metrics, isOther: false })),
      apiTotals: total?.metrics ?? (totals === null ? {} : zeros(report)),
      flags: report.top === null ? [] : ['top_n'],
      timeZone,
      metadata: came.kind === 'rows' ? came.metadata : {},
      cost: { calls: calls / asked.length, requests: calls / asked.length, tokens: 0, units: 0 },
      isComparable: totals !== null,
    });
    return { kind: 'pulled', slice, pulled };
  });
}

function buildQuery(
  { slice, report }: Asked,
  asked: readonly Asked[],
  reports: readonly YouTubeReport[],
  configuration: YouTubeConfiguration,
): RowsQuery {
  const owner = configuration.ownerOf(slice.entity.probeGroup);
  const { dimensions, grain, top, sort, filters } = report;
  const ofDay = grain === 'day' && withDay.has(dimensions.join()) ? ['day'] : [];
  const together = owner.id === undefined || top !== null ? [] : ['channel'];
  return {
    owner,
    probeGroup: slice.entity.probeGroup,
    channels: [...new Set(asked.map((one) => one.slice.entity.entityId))],
    reports: reports.map(({ key }) => key),
    from: startOfPeriod(grain, slice.date),
    to: slice.date,
    dimensions: [...together, ...ofDay, ...dimensions],
    metrics: [...new Set(reports.flatMap(({ metrics }) => metrics.map(({ name }) => name)))],
    filters,
    // More than are kept, so that which of several equal rows are kept is ours to say.
    ...(top !== null && { sort, top: top + extraRows }),
  };
}

/** Reports that exist by day too: with it, no day can be counted that YouTube leaves out for a metric that lags. */
const withDay = new Set(['', 'insightTrafficSourceType', 'deviceType']);
const extraRows = 20;

/**
 * What the API says of the whole, for reports without dimensions; null where no comparable total is defined: sums over
 * countries or videos lack what is anonymous or deleted.
 */
async function queryTotals(
  report: YouTubeReport,
  query: RowsQuery,
  came: Rows,
  gone: ReadonlyMap<string | null, Failure>,
  { configuration, executeQuery }: ReportRunner,
  context: ServiceContext,
): Promise<Rows | null> {
  if (report.dimensions.length > 0 || came.kind === 'failed') return null;
  const channels = query.channels.filter((id) => !gone.has(id));
  if (channels.length === 0 || report.grain !== 'day') return null;
  const dimensions = query.dimensions.filter((name) => name !== 'day');
  return queryRows(
    { ...query, channels, dimensions },
    configuration.settings.rowsPerRequest,
    executeQuery,
    context,
  );
}

/** Rows of one channel with the report's own metrics, without what every row of the slice shares. */
function pickOwn(rows: readonly YouTubeRow[], entityId: string, report: YouTubeReport): YouTubeRow[] {
  return rows.flatMap(({ dimensions: { channel = entityId, day: _, ...dimensions }, metrics: all }) => {
    if (channel !== entityId) return [];
    const metrics: Record<string, MetricValue> = {};
    for (const { name } of report.metrics) {
      const value = all[name];
      if (value !== undefined) metrics[name] = value;
    }
    return [{ dimensions, metrics }];
  });
}

/** The top rows by the report's order, then by their names, so that equal ones are cut the same way each time. */
function cutTop(rows: readonly YouTubeRow[], { sort, top }: YouTubeReport): YouTubeRow[] {
  const orders = sort.map((name) => ({ name: name.replace(/^-/, ''), sign: name.startsWith('-') ? -1 : 1 }));
  const compare = (one: YouTubeRow, other: YouTubeRow): number => {
    for (const { name, sign } of orders) {
      const [a = 0n, b = 0n] = [one.metrics[name], other.metrics[name]];
      if (a !== b) return a < b ? -sign : sign;
    }
    return JSON.stringify(one.dimensions) < JSON.stringify(other.dimensions) ? -1 : 1;
  };
  return [...rows].sort(compare).slice(0, top ?? rows.length);
}

const callsOf = (rows: Rows | null): number => (rows?.kind === 'rows' ? rows.cost.calls : 0);

const failureOf = (rows: Rows | null): Failure | undefined =>
  rows?.kind === 'failed' ? rows.failure : undefined;

const zeros = ({ metrics }: YouTubeReport): Record<string, MetricValue> =>
  Object.fromEntries(metrics.filter(({ kind }) => kind === 'additive').map(({ name }) => [name, 0n]));
