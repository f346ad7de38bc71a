import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { untilDelivered } from '../../warehouse-of.ts';
import { drainSpill, objectsSpilled } from '../drain-spill.ts';
import { play } from '../fuzz/play.ts';
import { numberedBody } from '../numbered-events.ts';
import {
  type Bench,
  fillBucket,
  heal,
  messagesOf,
  moveBucketToDeadLetters,
  sendAll,
  sendLater,
  setFaults,
  until,
  writeSettings,
} from './bench.ts';

/**
 * Brings something under way, calls `kill` in its middle, and finishes it however often that takes. Resolves to
 * whether it was seen to be under way when the kill began.
 */
export type Stage = (bench: Bench, kill: () => Promise<void>) => Promise<boolean>;

/** Half of every body is there, and no more is coming for the moment. */
const reading: Stage = async (bench, kill) => {
  const { cloud, traffic, from, to } = bench;
  const go = Promise.withResolvers<void>();
  const count = Math.min(10, to - from);
  let written = 0;
  const uploads = Array.from({ length: count }, (_, at) => {
    const body = Buffer.from(numberedBody(traffic, from + at));
    const head = Buffer.from(`POST /up HTTP/1.1\r\nHost: chaos\r\nContent-Length: ${body.length}\r\n\r\n`);
    const half = body.length >> 1;
    const rest = (async () => {
      written++;
      await go.promise;
    })();
    return play(
      cloud.ports.functions.ingest!,
      [
        { write: Buffer.concat([head, body.subarray(0, half)]) },
        { until: rest },
        { write: body.subarray(half) },
      ],
      1,
      20_000,
    );
  });
  await pause(50);
  const isUnderWay = written === count;
  await kill();
  go.resolve();
  await Promise.all(uploads);
  // Their senders repeat what they cannot be sure of, with all the others.
  await sendAll(bench, from, to);
  return isUnderWay;
};

const publishing: Stage = async (bench, kill) => {
  await setFaults(bench, { pubsub: { publishDelayMs: 300 } });
  const sending = watch(sendAll(bench, bench.from, bench.to));
  await pause(100 + bench.random() * 400);
  const isUnderWay = sending.isOpen();
  await kill();
  await heal(bench);
  await sending.ended;
  return isUnderWay;
};

const spilling: Stage = async (bench, kill) => {
  await setFaults(bench, { pubsub: { publishUnavailableRate: 1 }, storage: { delayMs: 60 } });
  const sending = watch(sendAll(bench, bench.from, bench.to));
  const begun = await until(async () => ((await objectsSpilled(bench.cloud)) ?? 0) > 2, 20_000);
  const isUnderWay = begun && sending.isOpen();
  await kill();
  await heal(bench);
  await sending.ended;
  await drainSpill(bench.cloud);
  return isUnderWay;
};

const appending: Stage = async (bench, kill) => {
  await setFaults(bench, { bigquery: { appendDelayMs: 400 } });
  const sending = watch(sendAll(bench, bench.from, bench.to));
  const isUnderWay = await until(
    async () => ((await messagesOf(bench, 'events-load'))?.outstanding ?? 0) > 0,
    20_000,
  );
  await pause(bench.random() * 200);
  await kill();
  await heal(bench);
  await sending.ended;
  return isUnderWay;
};

const draining: Stage = async (bench, kill) => {
  await fillBucket(bench, bench.from, bench.to);
  const full = (await objectsSpilled(bench.cloud)) ?? 0;
  await setFaults(bench, { pubsub: { publishDelayMs: 150 }, storage: { delayMs: 20 } });
  const job = watch(bench.cloud.runJob('replay-drain'));
  const begun = await until(async () => ((await objectsSpilled(bench.cloud)) ?? full) < full, 20_000);
  const isUnderWay = begun && job.isOpen() && ((await objectsSpilled(bench.cloud)) ?? 0) > 0;
  await kill();
  await heal(bench);
  await job.ended;
  await drainSpill(bench.cloud);
  return isUnderWay;
};

const answerOfReplay = z.object({ rows: z.number(), after: z.string().nullable() });

/** Asks for one slice after the other; what fails is told as undefined. */
async function replayOnce({ cloud, laterProject }: Bench): Promise<number | undefined> {
  const token = await cloud.token(cloud.urls.replay);
  let rows = 0;
  let after: string | null | undefined;
  while (after !== null) {
    const response = await fetch(`${cloud.urls.replay}/replay`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ where: `project = '${laterProject}'`, limit: 100, ...(after && { after }) }),
      signal: AbortSignal.timeout(60_000),
    });
    if (!response.ok) return undefined;
    const slice = answerOfReplay.parse(await response.json());
    rows += slice.rows;
    after = slice.after;
  }
  return rows;
}

/** What was refused for its project is brought back, once the settings name it. */
const replaying: Stage = async (bench, kill) => {
  await sendLater(bench, bench.from, bench.to);
  await drainSpill(bench.cloud);
  await untilDelivered(bench.cloud, 120_000);
  writeSettings(bench.settings, ['proof', bench.laterProject]);
  await setFaults(bench, { pubsub: { publishDelayMs: 250 }, bigquery: { appendDelayMs: 250 } });
  const published = async () =>
    (await bench.cloud.counts()).topics['projects/local/topics/events']?.published ?? 0;
  const before = await published();
  const replay = watch(replayOnce(bench));
  // Either while it reads, or while its messages are published or its outcomes appended.
  const isLate = bench.random() < 0.7;
  if (isLate)
    await until(async () => !replay.isOpen() || (await published().catch(() => before)) > before, 20_000);
  else await pause(bench.random() * 100);
  const isUnderWay = replay.isOpen();
  await kill();
  await heal(bench);
  await replay.ended;
  for (;;) {
    const rows = await replayOnce(bench).catch(() => undefined);
    if (rows === 0) return isUnderWay;
    await pause(100);
  }
};

const redriveScript = fileURLToPath(new URL('../../../commands/redrive.ts', import.meta.url));

function startRedrive({ cloud }: Bench): ChildProcess {
  return spawn(process.execPath, [redriveScript, '--format', 'json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, PUBSUB_PORT: String(cloud.ports.pubsub), METADATA_SERVER_DETECTION: 'none' },
  });
}

const redriving =
  (killsCommand: boolean): Stage =>
  async (bench, kill) => {
    await fillBucket(bench, bench.from, bench.to);
    await moveBucketToDeadLetters(bench);
    const left = async () => (await messagesOf(bench, 'events-dead-hold'))?.backlog;
    const full = (await left()) ?? 0;
    await setFaults(bench, { pubsub: { publishDelayMs: 300 } });
    const command = startRedrive(bench);
    const redrive = watch(once(command, 'exit'));
    const isPulled = async () => ((await messagesOf(bench, 'events-dead-hold'))?.outstanding ?? 0) > 0;
    const begun = await until(async () => !redrive.isOpen() || (await isPulled()), 20_000);
    await pause(bench.random() * 250);
    const isUnderWay = begun && redrive.isOpen() && full > 0;
    if (killsCommand) command.kill('SIGKILL');
    else await kill();
    await heal(bench);
    await redrive.ended;
    while ((await left()) !== 0) {
      await once(startRedrive(bench), 'exit');
      await pause(50);
    }
    return isUnderWay;
  };

/** Whether something is still under way; its failure is expected. */
function watch(promise: Promise<unknown>): { isOpen: () => boolean; ended: Promise<void> } {
  let open = true;
  const ended = promise.then(
    () => {
      open = false;
    },
    () => {
      open = false;
    },
  );
  return { isOpen: () => open, ended };
}

export const processes = ['cloud', 'ingest', 'load', 'replay'] as const;

export const stages: Readonly<Record<string, Stage>> = {
  reading,
  publishing,
  spilling,
  appending,
  draining,
  replaying,
  redriving: redriving(false),
};

/** Every process in every stage, and the command that redrives in its own. */
export const pairs: readonly { readonly process: string; readonly stage: string; readonly run: Stage }[] = [
  ...Object.entries(stages).flatMap(([stage, run]) =>
    processes.map((process) => ({ process: process as string, stage, run })),
  ),
  { process: 'redrive', stage: 'redriving', run: redriving(true) },
];
