import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LocalCloud, startLocal } from '../../local/index.ts';
import { untilDelivered, warehouseOf } from '../warehouse-of.ts';
import { drainSpill } from './drain-spill.ts';
import { type NumberedTraffic, sendNumbered } from './numbered-events.ts';
import { createRandom } from './random.ts';

export interface KillOptions {
  /** Holds the local cloud's data and how far the proof has come. */
  readonly folder: string;
  readonly events: number;
  readonly loadKills: number;
  readonly cloudKills: number;
  /** How often an append fails, and how often it is stored and then never answered. */
  readonly faultRate: number;
  readonly seed: number;
  /** How fast events are sent, so that there is time to kill in. */
  readonly eventsPerSecond: number;
  readonly progress: (line: string) => void;
  readonly stopped?: () => boolean;
}

export interface KillFigures {
  readonly sent: number;
  readonly resends: number;
  readonly loadKills: number;
  readonly pushesOpenAtKills: number;
  readonly cloudKills: number;
  readonly rowsInEventLog: number;
  readonly inEvents: number;
  readonly missing: number;
  readonly double: number;
  readonly deadLettered: number;
  readonly quarantined: number;
  readonly seconds: number;
}

const stateFile = 'proof.json';

/**
 * Pub/Sub's clock runs six times as fast, so that backing off after each kill takes seconds; its 60 s to
 * acknowledge are then the ten that are the least `load` accepts.
 */
export const timeScale = 6;
export const ackDeadlineSeconds = '10';

/**
 * Sends numbered events while `load` is killed in the middle of appends, appends fail or are stored without
 * an answer, and the local cloud itself is killed. A sender repeats what is not answered with success;
 * afterwards every number must be in `events` once.
 */
export async function proveKill(options: KillOptions): Promise<KillFigures> {
  const { folder, events, seed, progress } = options;
  const stopped = options.stopped ?? (() => false);
  const random = createRandom(seed);
  const began = performance.now();
  const perRequest = 20;
  const requests = Math.ceil(events / perRequest);
  const resumed = readState(folder);
  // Without the state of a run that was stopped, its data are of no use.
  if (resumed === undefined) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const state = resumed ?? {
    startedAt: Date.now() - 3_600_000,
    answered: 0,
    loadKills: 0,
    cloudKills: 0,
  };
  const traffic: NumberedTraffic = { startedAt: state.startedAt, perRequest };
  const cloud = await startLocal({
    dataDir: join(folder, 'data'),
    ports: 'free',
    functions: ['ingest', 'load', 'replay'],
    timeScale,
    environment: { load: { ACK_DEADLINE_SECONDS: ackDeadlineSeconds } },
    faults: {
      bigquery: {
        appendFailRate: options.faultRate / 2,
        appendStoredThenLostRate: options.faultRate / 2,
        appendDelayMs: 100,
      },
      pubsub: { redeliverRate: 0.02 },
    },
  });
  let pushesOpenAtKills = 0;
  let sending = true;
  const resumedAt = state.answered;
  let answeredShare = resumedAt / requests;
  try {
    const killing = (async () => {
      while (sending && !stopped()) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        const share = answeredShare;
        const open = await openPushes(cloud);
        if (
          state.cloudKills < options.cloudKills &&
          share > ((state.cloudKills + 1) / (options.cloudKills + 1)) * 0.9
        ) {
          state.cloudKills++;
          await cloud.kill('cloud');
          progress(`killed the cloud (${state.cloudKills} of ${options.cloudKills})`);
          await cloud.serving();
        } else if (
          open > 0 &&
          state.loadKills < options.loadKills &&
          share > ((state.loadKills + random()) / options.loadKills) * 0.95
        ) {
          state.loadKills++;
          pushesOpenAtKills += open;
          await cloud.kill('load');
          progress(`killed load with ${open} pushes open (${state.loadKills} of ${options.loadKills})`);
          await cloud.serving('load');
        }
      }
    })();
    let shown = 0;
    const { resends } = await sendNumbered({
      url: cloud.urls.ingest,
      traffic,
      from: state.answered,
      to: requests,
      concurrency: 8,
      requestsPerSecond: options.eventsPerSecond / perRequest,
      // Where processes take long to come back, the last kills still meet traffic.
      slowly: () =>
        answeredShare > 0.9 && (state.loadKills < options.loadKills || state.cloudKills < options.cloudKills),
      stopped,
      onProgress({ answered, inARow }) {
        state.answered = inARow;
        answeredShare = (resumedAt + answered) / requests;
        const percent = Math.floor(answeredShare * 20) * 5;
        if (percent > shown) {
          shown = percent;
          progress(`${percent}% sent`);
          writeState(folder, state);
        }
      },
    });
    sending = false;
    await killing;
    if (stopped()) throw new Error('stopped; the same command goes on from here');
    progress('all sent; waiting until all is delivered');
    await cloud.setFaults({
      bigquery: { appendFailRate: 0, appendStoredThenLostRate: 0, appendDelayMs: 0 },
      pubsub: { redeliverRate: 0 },
    });
    await drainSpill(cloud);
    await untilDelivered(cloud, 900_000);
    const figures = await readFigures(cloud, requests * perRequest);
    return {
      sent: requests * perRequest,
      resends,
      loadKills: state.loadKills,
      pushesOpenAtKills,
      cloudKills: state.cloudKills,
      ...figures,
      seconds: Math.round((performance.now() - began) / 1000),
    };
  } finally {
    writeState(folder, state);
    await cloud.close();
    if (!stopped()) rmSync(join(folder, stateFile), { force: true });
  }
}

/** What is in the warehouse of numbered events, by queries that an analyst could run. */
export async function readFigures(cloud: LocalCloud, expected: number) {
  const warehouse = warehouseOf(cloud);
  const number = "CAST(JSON_VALUE(properties, '$.number') AS INT64)";
  const [row] = await warehouse.query(
    `SELECT COUNT(*) AS n, COUNT(DISTINCT ${number}) AS numbers, MIN(${number}) AS least, MAX(${number}) AS most FROM events WHERE name = 'numbered'`,
  );
  const numbers = Number(row?.numbers ?? 0);
  const within =
    numbers === 0 || (Number(row?.least) === 0 && Number(row?.most) === expected - 1) ? numbers : -1;
  const { subscriptions } = await cloud.counts();
  return {
    rowsInEventLog: await warehouse.number('SELECT COUNT(*) FROM event_log'),
    inEvents: Number(row?.n ?? 0),
    missing: within < 0 ? -1 : expected - within,
    double: Number(row?.n ?? 0) - numbers,
    deadLettered: Object.entries(subscriptions)
      .filter(([name]) => name.includes('dead'))
      .reduce((sum, [, { backlog }]) => sum + backlog, 0),
    quarantined: await warehouse.number('SELECT COUNT(*) FROM quarantine_open'),
  };
}

interface State {
  startedAt: number;
  answered: number;
  loadKills: number;
  cloudKills: number;
}

function readState(folder: string): State | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, stateFile), 'utf8'));
  } catch {
    return undefined;
  }
}

const writeState = (folder: string, state: State): void =>
  writeFileSync(join(folder, stateFile), JSON.stringify(state));

async function openPushes(cloud: LocalCloud): Promise<number> {
  try {
    const { subscriptions } = await cloud.counts();
    return (
      Object.entries(subscriptions).find(([name]) => name.endsWith('/events-load'))?.[1].outstanding ?? 0
    );
  } catch {
    return 0;
  }
}
