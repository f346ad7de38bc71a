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
 * Pulls one report and day of several channels of one content owner: with one query for all of them, but for lists of
 * the top rows, which are of one channel each. Without dimensions the channels' totals are asked for as well.
 */
export async function runReports(
  slices: readonly Slice[],
  runner: ReportRunner,
  context: ServiceContext,
): Promise<PullOutcome[]> {
  const [first] = slices;
  if (first === undefined) return [];
  const report = runner.configuration.reports.find(({ key }) => key === first.report.key);
  if (report === undefined) throw new Error(`${first.report.key} is no report of YouTube.`);
  const owner = runner.configuration.ownerOf(first.entity.probeGroup);
  const isTogether = owner.id !== undefined && report.top === null;
  if (isTogether) return pullTogether(slices, report, runner, context);
  const outcomes: PullOutcome[] = [];
  for (const slice of slices) outcomes.push(...(await pullTogether([slice], report, runner, context)));
  return outcomes;
}

async function pullTogether(
  slices: readonly Slice[],
  report: YouTubeReport,
  { configuration, executeQuery }: ReportRunner,
  context: ServiceContext,
): Promise<PullOutcome[]> {
  const query = buildQuery(slices, report, configuration);
  const { rowsPerRequest } = configuration.settings;
  const { rows: came, unlinked } = await queryLinked(query, rowsPerRequest, executeQuery, context);
  const gone = new Map(unlinked.map((failure) => [failure.entityId, failure]));
  const totals = await queryTotals(report, query, came, gone, { configuration, executeQuery }, context);
  return slices.map((slice): PullOutcome => {
    const { entityId } = slice.entity;
    const failure = gone.get(entityId) ?? failureOf(came) ?? failureOf(totals);
    if (failure !== undefined) return { kind: 'failed', slice, failure };
    const ownRows = came.kind === 'rows' ? pickChannel(came.rows, entityId) : [];
    const rows = report.top === null ? ownRows : cutTop(ownRows, report);
    const total = totals?.kind === 'rows' ? pickChannel(totals.rows, entityId)[0] : undefined;
    const calls = callsOf(came) + callsOf(totals);
    const pulled = finishSlice(report, {
      rows: rows.map(({ dimensions, metrics }) => ({ dimensions, metrics, isOther: false })),
      apiTotals: total?.metrics ?? (totals === null ? {} : zeros(report)),
      flags: report.top === null ? [] : ['top_n'],
      timeZone,
      metadata: came.kind === 'rows' ? came.metadata : {},
      cost: { calls: calls / slices.length, requests: calls / slices.length, tokens: 0, units: 0 },
      isComparable: totals !== null,
    });
    return { kind: 'pulled', slice, pulled };
  });
}

function buildQuery(
  slices: readonly Slice[],
  report: YouTubeReport,
  configuration: YouTubeConfiguration,
): RowsQuery {
  const [first] = slices;
  if (first === undefined) throw new Error('There is no slice.');
  const owner = configuration.ownerOf(first.entity.probeGroup);
  const { dimensions, metrics, top, sort, filters } = report;
  const ofDay = report.grain === 'day' && withDay.has(dimensions.join()) ? ['day'] : [];
  const together = owner.id === undefined || top !== null ? [] : ['channel'];
  return {
    owner,
    probeGroup: first.entity.probeGroup,
    channels: slices.map(({ entity }) => entity.entityId),
    reports: [report.key],
    from: startOfPeriod(report.grain, first.date),
    to: first.date,
    dimensions: [...together, ...ofDay, ...dimensions],
    metrics: metrics.map(({ name }) => name),
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

/** Rows of one channel, without what every row of the slice shares. */
function pickChannel(rows: readonly YouTubeRow[], entityId: string): YouTubeRow[] {
  return rows.flatMap(({ dimensions: { channel = entityId, day: _, ...dimensions }, metrics }) =>
    channel === entityId ? [{ dimensions, metrics }] : [],
  );
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
