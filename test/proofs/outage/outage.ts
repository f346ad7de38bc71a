import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type Faults, type LocalCloud, startLocal } from '../../../local/index.ts';
import { untilDelivered, warehouseOf } from '../../warehouse-of.ts';
import { drainSpill, objectsSpilled } from '../drain-spill.ts';
import { percentile } from '../percentile.ts';
import { createRandom } from '../random.ts';
import { type BatchAnswer, runBatchClient } from './batch-client.ts';

/** What is out of order, and for how long. */
export interface Phase {
  readonly name: string;
  readonly seconds: number;
  readonly faults: Faults;
  /** Neither Pub/Sub nor Cloud Storage works: only then may a client hear 503. */
  readonly isBothDown?: boolean;
}

export interface OutageOptions {
  readonly folder: string;
  readonly phases: readonly Phase[];
  readonly seed: number;
  readonly clients: number;
  /** Of each client. */
  readonly eventsPerSecond: number;
  /** On average; ingest is killed (kill -9) or restarted as by a deployment. */
  readonly secondsBetweenKills: number;
  readonly publishTimeoutMs: number;
  readonly progress: (line: string) => void;
}

export interface PhaseFigures {
  requests: number;
  p50Ms: number;
  p99Ms: number;
  answered503: number;
  deaths: number;
}

export interface OutageFigures {
  readonly seed: number;
  /** Events answered with success, all of which must be in `events` once. */
  readonly answered: number;
  /** Events that were sent and not answered: once or not at all. */
  readonly unanswered: number;
  readonly unansweredStored: number;
  /** Answered and not there, there more than once, or there and never sent. */
  readonly missing: number;
  readonly double: number;
  readonly unknown: number;
  /** Rows of event_log beyond the events: what at-least-once costs. */
  readonly copies: number;
  readonly mostInBucket: number;
  readonly leftInBucket: number;
  readonly drainSeconds: number;
  readonly kills: number;
  readonly restarts: number;
  readonly deathsByKill: number;
  readonly deathsWhileBothDown: number;
  /** Of clients that nobody killed and that had somewhere to be stored: must be none. */
  readonly otherDeaths: readonly string[];
  readonly quarantined: number;
  readonly deadLettered: number;
  readonly phases: Readonly<Record<string, PhaseFigures>>;
}

interface Span {
  readonly from: number;
  to: number;
}

/** Keeps clients sending while what they depend on breaks and heals; then everything answered must be there once. */
export async function proveOutage(options: OutageOptions): Promise<OutageFigures> {
  const { folder, seed, progress } = options;
  const random = createRandom(seed);
  rmSync(folder, { recursive: true, force: true });
  const cloud = await startLocal({
    dataDir: folder,
    ports: 'free',
    functions: ['ingest', 'load', 'replay'],
    environment: { ingest: { PUBLISH_TIMEOUT_MS: String(options.publishTimeoutMs) } },
  });
  const answers: (BatchAnswer & { phase: string })[] = [];
  const front = createFrontEnd();
  const kills: Span[] = [];
  const restarts: Span[] = [];
  const bothDown: Span[] = [];
  let phase = 'before';
  let sent = 0;
  let isOver = false;
  let mostInBucket = 0;
  const startedAt = Date.now() - 3_600_000;
  try {
    const clients = Promise.all(
      Array.from({ length: options.clients }, async () => {
        // A client that died is replaced by a new one, as a process that is started again.
        while (!isOver) {
          await runBatchClient({
            url: cloud.urls.ingest,
            nextNumber: () => sent++,
            eventsPerSecond: options.eventsPerSecond,
            startedAt,
            untilAccepting: front.untilOpen,
            isOver: () => isOver,
            onAnswer: (answer) => answers.push({ ...answer, phase }),
          });
          await pause(500);
        }
      }),
    );
    const killing = (async () => {
      for (;;) {
        await pauseWhile(options.secondsBetweenKills * (0.5 + random()) * 1000, () => !isOver);
        if (isOver) return;
        if (random() < 0.5) {
          kills.push(await killIngest(cloud, front));
          progress(`${phase}: killed ingest`);
        } else {
          restarts.push(await restartIngest(cloud, front));
          progress(`${phase}: restarted ingest`);
        }
      }
    })();
    const watching = (async () => {
      while (!isOver) {
        await pause(500);
        mostInBucket = Math.max(mostInBucket, (await objectsSpilled(cloud)) ?? 0);
      }
    })();
    for (const { name, seconds, faults, isBothDown } of options.phases) {
      const span: Span = { from: performance.now(), to: Number.POSITIVE_INFINITY };
      if (isBothDown === true) bothDown.push(span);
      await cloud.setFaults(faults);
      phase = name;
      progress(`${name} for ${seconds} s`);
      await pause(seconds * 1000);
      // Its end is that of the next one's beginning, when the faults are really gone.
      if (isBothDown === true) await cloud.setFaults({ storage: { unavailableRate: 0 } });
      span.to = performance.now();
    }
    isOver = true;
    await Promise.all([clients, killing, watching]);
    await cloud.setFaults(healed);
    progress(`healed; ${(await objectsSpilled(cloud)) ?? 'unknown'} batches are in the spill bucket`);
    const drainBegan = performance.now();
    await drainSpill(cloud, progress);
    const drainSeconds = Math.round((performance.now() - drainBegan) / 100) / 10;
    await untilDelivered(cloud, 300_000);
    const stored = await readNumbers(cloud, sent);
    return {
      seed,
      ...judgeNumbers(answers, stored),
      mostInBucket,
      leftInBucket: (await objectsSpilled(cloud)) ?? -1,
      drainSeconds,
      kills: kills.length,
      restarts: restarts.length,
      ...judgeDeaths(answers, { kills, bothDown }),
      ...(await readOthers(cloud)),
      phases: Object.fromEntries(options.phases.map(({ name }) => [name, figuresOf(answers, name)])),
    };
  } finally {
    isOver = true;
    front.open();
    await cloud.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const healed: Faults = {
  pubsub: { publishUnavailableRate: 0, publishDelayMs: 0 },
  storage: { unavailableRate: 0, delayMs: 0 },
};

/**
 * What stands before the instances of a function in the cloud: a new request goes only to one that serves, so that none
 * is refused while the only one of a laptop starts.
 */
function createFrontEnd() {
  let opened = Promise.withResolvers<void>();
  opened.resolve();
  return {
    untilOpen: () => opened.promise,
    close() {
      opened = Promise.withResolvers();
    },
    open: () => opened.resolve(),
  };
}

type FrontEnd = ReturnType<typeof createFrontEnd>;

async function killIngest(cloud: LocalCloud, front: FrontEnd): Promise<Span> {
  const from = performance.now();
  front.close();
  await cloud.kill('ingest');
  await cloud.serving('ingest');
  front.open();
  return { from, to: performance.now() };
}

async function restartIngest(cloud: LocalCloud, front: FrontEnd): Promise<Span> {
  front.close();
  // What was handed to the instance before has reached it by the time that it is told to end.
  await pause(300);
  const from = performance.now();
  await cloud.restart('ingest');
  front.open();
  return { from, to: performance.now() };
}

async function pauseWhile(milliseconds: number, goesOn: () => boolean): Promise<void> {
  const end = performance.now() + milliseconds;
  while (goesOn() && performance.now() < end) await pause(50);
}

/** How often each number is in `events`. */
async function readNumbers(
  cloud: LocalCloud,
  count: number,
): Promise<{ times: Uint8Array; unknown: number }> {
  const warehouse = warehouseOf(cloud);
  const number = "CAST(JSON_VALUE(properties, '$.number') AS INT64)";
  const times = new Uint8Array(count);
  let unknown = 0;
  const slice = 50_000;
  for (let from = 0; from < count; from += slice) {
    const rows = await warehouse.query(
      `SELECT ${number} AS number, COUNT(*) AS n FROM events WHERE project = 'outage' AND ${number} >= ${from} AND ${number} < ${from + slice} GROUP BY number`,
    );
    for (const row of rows) {
      if (Number(row.number) < count) times[Number(row.number)] = Number(row.n);
      else unknown++;
    }
  }
  return { times, unknown };
}

const isSuccess = ({ status, body }: BatchAnswer): boolean => status === 200 && body === '{"code":200}';

function judgeNumbers(
  answers: readonly BatchAnswer[],
  { times, unknown }: { times: Uint8Array; unknown: number },
): Pick<OutageFigures, 'answered' | 'unanswered' | 'unansweredStored' | 'missing' | 'double' | 'unknown'> {
  let answered = 0;
  let unanswered = 0;
  let unansweredStored = 0;
  let missing = 0;
  const sent = new Uint8Array(times.length);
  for (const answer of answers) {
    for (const number of answer.numbers) {
      sent[number] = 1;
      if (isSuccess(answer)) {
        answered++;
        if (times[number] === 0) missing++;
      } else {
        unanswered++;
        if (times[number] !== 0) unansweredStored++;
      }
    }
  }
  const double = times.reduce((sum, often) => sum + (often > 1 ? 1 : 0), 0);
  const neverSent = times.reduce((sum, often, number) => sum + (often > 0 && sent[number] === 0 ? 1 : 0), 0);
  return { answered, unanswered, unansweredStored, missing, double, unknown: unknown + neverSent };
}

function judgeDeaths(
  answers: readonly (BatchAnswer & { phase: string })[],
  { kills, bothDown }: Readonly<Record<'kills' | 'bothDown', readonly Span[]>>,
): Pick<OutageFigures, 'deathsByKill' | 'deathsWhileBothDown' | 'otherDeaths'> {
  const touches = ({ began, ended }: BatchAnswer, { from, to }: Span) => began <= to && ended >= from;
  let deathsByKill = 0;
  let deathsWhileBothDown = 0;
  const otherDeaths: string[] = [];
  for (const answer of answers) {
    if (isSuccess(answer)) continue;
    if (answer.status === undefined && kills.some((span) => touches(answer, span))) deathsByKill++;
    else if (answer.status === 503 && bothDown.some((span) => touches(answer, span))) deathsWhileBothDown++;
    else {
      const took = Math.round(answer.ended - answer.began);
      otherDeaths.push(
        `${answer.phase}: ${answer.status ?? 'broken'} ${answer.body.trim()} after ${took} ms`,
      );
    }
  }
  return { deathsByKill, deathsWhileBothDown, otherDeaths };
}

function figuresOf(answers: readonly (BatchAnswer & { phase: string })[], phase: string): PhaseFigures {
  const own = answers.filter((answer) => answer.phase === phase);
  const latencies = own.filter(isSuccess).map(({ began, ended }) => ended - began);
  return {
    requests: own.length,
    p50Ms: Math.round(percentile(latencies, 0.5)),
    p99Ms: Math.round(percentile(latencies, 0.99)),
    answered503: own.filter(({ status }) => status === 503).length,
    deaths: own.filter((answer) => !isSuccess(answer)).length,
  };
}

async function readOthers(
  cloud: LocalCloud,
): Promise<Pick<OutageFigures, 'copies' | 'quarantined' | 'deadLettered'>> {
  const warehouse = warehouseOf(cloud);
  const { subscriptions } = await cloud.counts();
  return {
    copies: await warehouse.number('SELECT COUNT(*) - COUNT(DISTINCT event_id) FROM event_log'),
    quarantined: await warehouse.number('SELECT COUNT(*) FROM quarantine_open'),
    deadLettered: Object.entries(subscriptions)
      .filter(([name]) => name.includes('dead'))
      .reduce((sum, [, { backlog }]) => sum + backlog, 0),
  };
}
