import type { AppendRows, ReportTableRows } from '../../../functions/reports/append-rows.ts';
import { parseConfiguration } from '../../../functions/reports/configuration/parse-configuration.ts';
import { type PullOrder, parseOrder } from '../../../functions/reports/pull-order.ts';
import type { UndescribedQuery } from '../../../functions/reports/report-store.ts';
import { runPoll } from '../../../functions/reports/run-poll.ts';
import { runPull } from '../../../functions/reports/run-pull.ts';
import { services as modules } from '../../../functions/reports/services/index.ts';
import { createClock } from '../../../local/reports/clock.ts';
import { type ReportsApis, startReportsApis } from '../../../local/reports/index.ts';
import { makeYearSeed } from '../../../local/reports/make-year-seed.ts';
import { seedSchema } from '../../../local/reports/seed.ts';
import { createRandom } from '../../proofs/random.ts';
import { createMemoryBucket, createMemoryWarehouse } from '../../proofs/year/memory-warehouse.ts';

export interface Month {
  sites: number;
  channels: number;
  /** Days that are counted. */
  days: number;
  /** Days before them, so that the ladder has all its steps on each day that is counted. */
  warmUpDays: number;
  seed?: number;
  progress?: (line: string) => void;
}

export type LedgerRow = ReportTableRows['api_calls'];

/** A call with what it was for. */
export interface CountedCall {
  row: LedgerRow;
  by: 'poll' | 'pull';
  /** Whether it was made on one of the days that are counted. */
  isCounted: boolean;
}

export interface MonthRun {
  /** Of the days that are counted. */
  calls: CountedCall[];
  /** The reports held against the APIs' metadata: once for a configuration, in the first hour. */
  checks: CountedCall[];
  /** The fake's own count of the days that are counted, by API and method. */
  counted: ReturnType<ReportsApis['calls']>;
  /** Of the days that are counted, by report: slices published, and the rows of first ones by date. */
  slices: Map<string, number>;
  firsts: { report: string; date: string; dimensions: Record<string, string>[] }[];
  /** By property: whether it is one of Google Analytics 360, whose quotas are larger. */
  is360: Map<string, boolean>;
  seconds: number;
}

const HOUR_MS = 3_600_000;
const START = '2025-06-01T00:05:00Z';

/** Polls and pulls every hour of a fake clock, with the shipped reports and Google's clients, over the local APIs. */
export async function runMonth(month: Month): Promise<MonthRun> {
  const startedAt = performance.now();
  const made = makeYearSeed({
    seed: month.seed ?? 1,
    year: 2025,
    properties: month.sites,
    channels: month.channels,
  });
  // Statsdash knows one content owner.
  const [owner] = made.contentOwners ?? [];
  const seed = seedSchema.parse({
    ...made,
    contentOwners: [owner],
    channels: made.channels?.map((channel) => ({ ...channel, owner: owner?.id })),
  });
  const clock = createClock(START);
  const keptDays = 32;
  const apis = await startReportsApis({ port: 0, anonymous: true, clock, seed, keptDays });
  const [credential] = seed.credentials;
  const environment = {
    LOCAL_GOOGLE_APIS: `127.0.0.1:${apis.port}`,
    YOUTUBE_OWNER: JSON.stringify({
      type: 'authorized_user',
      client_id: credential?.clientId,
      client_secret: credential?.clientSecret,
      refresh_token: credential?.refreshToken,
    }),
  };
  // Everything but the sites and channels is as it is shipped.
  const configuration = parseConfiguration(
    JSON.stringify({
      sites: seed.properties.map(({ id }) => ({ key: `site-${id}`, properties: [{ propertyId: id }] })),
      contentOwners: seed.contentOwners.map(({ id }) => ({
        key: id.toLowerCase(),
        id,
        credential: 'YOUTUBE_OWNER',
      })),
      channels: seed.channels.map(({ id, owner = '' }, index) => ({
        key: `channel-${index + 1}`,
        ids: [id],
        owner: owner.toLowerCase(),
      })),
    }),
    'the bench',
    modules,
  );
  const run: MonthRun = {
    calls: [],
    checks: [],
    counted: {},
    slices: new Map(),
    firsts: [],
    is360: new Map(seed.properties.map(({ id, is360 }) => [id, is360])),
    seconds: 0,
  };
  let by: CountedCall['by'] = 'poll';
  let isCounted = false;
  const titles = createTitleBook();
  const warehouse = createMemoryWarehouse(({ pull, rows }) => {
    if (!isCounted) return;
    run.slices.set(pull.report, (run.slices.get(pull.report) ?? 0) + 1);
    if (pull.seq > 1) return;
    const dimensions = rows.map((row) => JSON.parse(row.dimensions) as Record<string, string>);
    run.firsts.push({ report: pull.report, date: pull.date, dimensions });
  });
  const append: AppendRows = async (table, rows) => {
    if (isTable('api_calls', table, rows)) {
      for (const row of rows) {
        const isCheck = by === 'poll' && (row.method === 'getMetadata' || (row.reports ?? []).length > 0);
        if (isCheck) run.checks.push({ row, by, isCounted });
        else if (isCounted) run.calls.push({ row, by, isCounted });
      }
    }
    if (isTable('report_rows', table, rows)) titles.named(rows);
    if (isTable('video_metadata', table, rows)) titles.described(rows);
    await warehouse.append(table, rows);
  };
  const sent: PullOrder[] = [];
  const common = {
    services: modules.map((module) => module.open(configuration, environment)),
    bucket: createMemoryBucket(),
    store: { ...warehouse.store, readUndescribed: titles.undescribed },
    append,
    ladder: configuration.poll.repullDays,
    now: () => clock.now(),
    random: createRandom(month.seed ?? 1),
    sleep: async () => {},
    callWithinMs: 60_000,
    leaseMs: 10 * HOUR_MS,
    withinMs: HOUR_MS / 2,
    log: (severity: string, message: string) => {
      if (severity === 'ERROR') throw new Error(message);
    },
  };
  const hours = 24 * (month.warmUpDays + month.days);
  for (let hour = 0; hour < hours; hour++) {
    if (hour === 24 * month.warmUpDays) {
      isCounted = true;
      apis.resetCalls();
    }
    clock.set(Date.parse(START) + hour * HOUR_MS);
    by = 'poll';
    await runPoll({
      ...common,
      lookbackDays: configuration.poll.lookbackDays,
      async send(messages) {
        for (const { data } of messages) {
          const order = parseOrder(data);
          if (order === undefined) throw new Error('A message is no order.');
          sent.push(order);
        }
      },
    });
    by = 'pull';
    for (const order of sent.splice(0)) {
      const { kind } = await runPull(order, { ...common, reserveShare: 0.2 });
      if (kind !== 'done') sent.push(order);
    }
    if (hour % 240 === 0) month.progress?.(`day ${hour / 24} of ${hours / 24}`);
  }
  run.counted = apis.calls();
  await apis.close();
  run.seconds = Math.round((performance.now() - startedAt) / 1_000);
  return run;
}

/** What the query of undescribed videos would find in the tables: when each video was last in a row, and described. */
function createTitleBook() {
  const lastDates = new Map<string, { entityId: string; date: string }>();
  const fetchedAt = new Map<string, number>();
  return {
    named(rows: readonly ReportTableRows['report_rows'][]): void {
      for (const { report, entity_id, date, dimensions } of rows) {
        if (report !== 'channel_videos') continue;
        const { video = '' } = JSON.parse(dimensions) as { video?: string };
        if ((lastDates.get(video)?.date ?? '') < date) lastDates.set(video, { entityId: entity_id, date });
      }
    },
    described(rows: readonly ReportTableRows['video_metadata'][]): void {
      for (const { item_id, fetched_at } of rows) fetchedAt.set(item_id, Number(fetched_at) / 1_000);
    },
    undescribed: async ({ entityIds, since, fetchedSince, most }: UndescribedQuery) =>
      [...lastDates]
        .filter(
          ([video, { entityId, date }]) =>
            entityIds.includes(entityId) &&
            date >= since &&
            (fetchedAt.get(video) ?? 0) < fetchedSince.getTime(),
        )
        .map(([video]) => video)
        .slice(0, most),
  };
}

/** Ties the type of rows to the table's name, which the compiler does not. */
function isTable<Name extends keyof ReportTableRows>(
  name: Name,
  table: string,
  _rows: readonly unknown[],
): _rows is readonly ReportTableRows[Name][] {
  return name === table;
}
