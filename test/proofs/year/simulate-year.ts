import { parseConfiguration } from '../../../functions/reports/configuration/parse-configuration.ts';
import { type PullOrder, parseOrder } from '../../../functions/reports/pull-order.ts';
import { runPoll } from '../../../functions/reports/run-poll.ts';
import { runPull } from '../../../functions/reports/run-pull.ts';
import { services as modules } from '../../../functions/reports/services/index.ts';
import { createClock } from '../../../local/reports/clock.ts';
import type { FaultRuleInput } from '../../../local/reports/faults.ts';
import { type RunningReportsApis, startReportsApis } from '../../../local/reports/index.ts';
import { type Seed, type SeedInput, seedSchema } from '../../../local/reports/seed.ts';
import { compareRules, type RulesCompared } from './baselines.ts';
import { readConfigurationFile } from './expect-slice.ts';
import { createJudge, type Judge } from './judge.ts';
import { createMemoryBucket, createMemoryWarehouse, type MemoryWarehouse } from './memory-warehouse.ts';

export interface YearRun {
  seed: SeedInput;
  /** ISO days, of the first and the last day that are judged. */
  from: string;
  to: string;
  /** How many days polls go on after the last one. Default 30: the whole ladder. */
  afterDays?: number;
  /** Keys of the shipped reports that are pulled. Default all. */
  reports?: readonly string[];
  /** Of the daily tables by page, source, country and device each site has so many, in turn. Default all. */
  tablesASite?: number;
  /** Of orders, the share that is delivered twice; their sequence is drawn anyway. */
  twiceRate: number;
  /** Of calls, the share that meets each of the faults below. */
  faultRate: number;
  random: () => number;
  /** How often a poll comes. Default 1. */
  everyHours?: number;
  /** Where it is stored; what is published there is not judged. Default: in memory. */
  warehouse?: Pick<MemoryWarehouse, 'store' | 'append'>;
  progress?: (line: string) => void;
  /** Asked before each poll: whether to end here. */
  stopped?: () => boolean;
}

export interface YearOutcome {
  judge: Judge;
  compared: RulesCompared;
  apis: RunningReportsApis;
  /** The day of the last poll. */
  reached: string;
  polls: number;
  orders: number;
  logged: Map<string, number>;
  /** The answers of the fakes by API and method. */
  calls: Record<string, number>;
  /** How often somebody was told of an owner whose consent was taken back. */
  revokedAlerts: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** After the last day: until the last step of the ladder. */
export const AFTER_DAYS = 30;

/** What passes, and must leave no trace in what is published. */
const FAULTS: readonly FaultRuleInput[] = [
  { fault: 'unavailable' },
  { fault: 'reset_after_work' },
  { fault: 'cut_body' },
  { fault: 'concurrent_requests', api: 'google_analytics' },
  { fault: 'row_count_changes', api: 'google_analytics' },
  { fault: 'short_page', api: 'google_analytics' },
  { fault: 'errors_in_200', api: 'youtube_analytics' },
  { fault: 'rate_limited', api: 'youtube_analytics' },
];

/** Polls and pulls every hour of the fake's clock, as Cloud Scheduler and Pub/Sub would, and judges what is published. */
export async function simulateYear(run: YearRun): Promise<YearOutcome> {
  const clock = createClock(`${run.from}T00:00:00Z`);
  const seed = seedSchema.parse(run.seed);
  const apis = await startReportsApis({
    port: 0,
    anonymous: true,
    clock,
    seed,
    keptDays: 36,
    keptAnswers: 500,
  });
  apis.faults.set(FAULTS.map((rule) => ({ ...rule, rate: run.faultRate })));
  const compared = compareRules(apis, seed);
  const judge = createJudge({ apis, from: run.from, to: run.to, onFirst: compared.take });
  const warehouse =
    run.warehouse ?? createMemoryWarehouse((publication) => judge.published(publication, clock.now()));
  const environment = {
    LOCAL_GOOGLE_APIS: `127.0.0.1:${apis.port}`,
    ...Object.fromEntries(
      seed.credentials.flatMap(({ clientId, clientSecret, refreshToken, owners }) => {
        const names = { client_id: clientId, client_secret: clientSecret, refresh_token: refreshToken };
        const text = JSON.stringify({ type: 'authorized_user', ...names });
        return owners.map((owner) => [credentialOf(owner), text]);
      }),
    ),
  };
  const configuration = parseConfiguration(
    JSON.stringify({
      ...(run.reports === undefined ? {} : { defaultReports: run.reports }),
      ...(run.tablesASite === undefined ? {} : { reports: shareTables(seed, run.tablesASite) }),
      sites: seed.properties.map(({ id }) => ({ key: `site-${id}`, properties: [{ propertyId: id }] })),
      contentOwners: seed.contentOwners.map(({ id }) => ({
        key: id.toLowerCase(),
        id,
        credential: credentialOf(id),
      })),
      channels: seed.channels.map(({ id, owner }, index) => ({
        key: `channel-${index + 1}`,
        ids: [id],
        owner: (owner ?? '').toLowerCase(),
      })),
    }),
    'the proof',
    modules,
  );
  const services = modules.map((module) => module.open(configuration, environment));
  const sent: PullOrder[] = [];
  const logged = new Map<string, number>();
  let revokedAlerts = 0;
  const common = {
    services,
    bucket: createMemoryBucket(),
    store: warehouse.store,
    append: warehouse.append,
    ladder: configuration.poll.repullDays,
    now: () => clock.now(),
    random: run.random,
    sleep: async () => {},
    callWithinMs: 60_000,
    leaseMs: 10 * HOUR_MS,
    withinMs: HOUR_MS / 2,
    log: (severity: string, message: string, fields: Readonly<Record<string, unknown>> = {}) => {
      if (severity === 'ERROR' && fields.reason === 'invalid_grant') revokedAlerts++;
      const key = `${severity} ${message.slice(0, 90)}`;
      logged.set(key, (logged.get(key) ?? 0) + 1);
    },
  };
  let [polls, orders] = [0, 0];
  const [begun, startedMs] = [clock.now(), performance.now()];
  const end = Date.parse(`${run.to}T00:00:00Z`) + (run.afterDays ?? AFTER_DAYS) * DAY_MS;
  for (let at = clock.now() + 5 * 60_000; at < end; at += (run.everyHours ?? 1) * HOUR_MS) {
    if (run.stopped?.() === true) break;
    clock.set(at);
    await runPoll({
      ...common,
      lookbackDays: configuration.poll.lookbackDays,
      async send(messages) {
        for (const { data } of messages) {
          const order = parseOrder(data);
          if (order === undefined) throw new Error('A message is no order.');
          sent.push(order);
          if (run.random() < run.twiceRate) sent.push(order);
        }
      },
    });
    polls++;
    const due = shuffle(sent.splice(0), run.random);
    for (const order of due) {
      const pulled = await runPull(order, { ...common, reserveShare: 0.2 });
      orders++;
      if (pulled.kind !== 'done') sent.push(order);
    }
    if (polls % 168 === 0) {
      const left = ((end - at) / (at - begun)) * (performance.now() - startedMs);
      const eta = new Date(Date.now() + left).toISOString().slice(11, 16);
      const memory = Math.round(process.memoryUsage.rss() / 2 ** 20);
      const share = Math.round(((at - begun) / (end - begun)) * 100);
      const day = new Date(at).toISOString().slice(0, 10);
      run.progress?.(`${day} ${share} %, done by ${eta} UTC, ${memory} MB: ${judge.describe()}`);
    }
  }
  const calls = Object.fromEntries(Object.entries(apis.calls()).map(([name, it]) => [name, it.calls]));
  const reached = new Date(clock.now()).toISOString().slice(0, 10);
  return { judge, compared, apis, reached, polls, orders, logged, calls, revokedAlerts };
}

const credentialOf = (owner: string) => `YOUTUBE_${owner.toUpperCase()}`;

/** Tables that are not of each site: those by page, source, country and device, a day each. */
function shareTables({ seed, properties }: Seed, most: number): object[] {
  const { reports } = readConfigurationFile();
  const shared = reports.filter(
    ({ source, grain = 'day', dimensions = [] }) =>
      source === 'google_analytics' && grain === 'day' && dimensions.length > 0,
  );
  // 3 and 7 have no divisor in common, so that the tables of a site are not always the same neighbours.
  const has = (site: number, table: number) =>
    ((((table - site - seed) * 3) % shared.length) + shared.length) % shared.length < most;
  return shared.flatMap((report, table) => {
    const on = properties.filter((_, site) => has(site, table)).map(({ id }) => `site-${id}`);
    return on.length === 0 ? [] : [{ ...report, on }];
  });
}

function shuffle<T>(list: T[], random: () => number): T[] {
  for (let index = list.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1));
    const [one, two] = [list[index], list[other]];
    if (one !== undefined && two !== undefined) [list[index], list[other]] = [two, one];
  }
  return list;
}
