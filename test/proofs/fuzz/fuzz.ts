import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type LocalCloud, startLocal } from '../../../local/index.ts';
import { untilDelivered, type Warehouse, warehouseOf } from '../../warehouse-of.ts';
import { drainSpill, objectsSpilled } from '../drain-spill.ts';
import { createRandom } from '../random.ts';
import { createDice, type Family, type FuzzCase, type FuzzDialect } from './cases.ts';
import { familiesOf, type WeighedFamily } from './families.ts';
import {
  type Findings,
  type FuzzFigures,
  figuresOf,
  noFindings,
  noteProcess,
  noteRows,
  readFindings,
  stateFile,
  writeFindings,
} from './findings.ts';
import { type GoodClient, startGoodClient } from './good-client.ts';
import { type Absent, goodProject, judgeCase, type PlayedCase, readStored } from './judge.ts';
import { quarters, watchMemory } from './memory.ts';
import { play } from './play.ts';
import { slowCase } from './transport.ts';

export interface FuzzOptions {
  /** Holds the local cloud's data and how far the proof has come. */
  readonly folder: string;
  readonly requests: number;
  /** After so many requests it is judged what is in the warehouse. */
  readonly perRound: number;
  readonly seed: number;
  readonly concurrency: number;
  /** Clients whose bodies arrive a byte at a time, all at once, up to `bytes` of them. */
  readonly slow: { readonly clients: number; readonly everyMs: number; readonly bytes: number };
  /** For how long the good client is alone. */
  readonly aloneSeconds: number;
  /** Only families that make requests of such a name. */
  readonly only?: string | undefined;
  /** Which dialects' requests; they share them evenly. Default all. */
  readonly dialects?: readonly FuzzDialect[] | undefined;
  readonly progress: (line: string) => void;
  readonly stopped?: () => boolean;
}

/** Sends mutated requests to a running ingest, round by round, and judges after each its answers and the warehouse. */
export async function proveFuzz(options: FuzzOptions): Promise<FuzzFigures> {
  const { folder, progress } = options;
  const stopped = options.stopped ?? (() => false);
  const resumed = readFindings(folder);
  if (resumed === undefined) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const findings = resumed ?? noFindings();
  findings.starts++;
  let isClosing = false;
  const cloud = await startLocal({
    dataDir: join(folder, 'data'),
    ports: 'free',
    functions: ['ingest', 'load', 'replay', 'fold'],
    // What is judged is what becomes of a request, and not whether the machine is too busy to store it in seconds.
    environment: { ingest: { PUBLISH_TIMEOUT_MS: '20000', SPILL_TIMEOUT_MS: '20000' } },
    report: (event) => isClosing || noteProcess(findings, event),
  });
  const memory = watchMemory(() => cloud.pid('ingest'), 500);
  const good = startGoodClient(cloud.urls.ingest, 20, findings.starts * 10_000_000);
  const among = familiesOf(options.dialects, options.only);
  const round: Round = { cloud, warehouse: warehouseOf(cloud), findings, options, families: among };
  try {
    await pause(1000);
    await good.takeLatencies();
    await pause(1000 * options.aloneSeconds);
    findings.latencies.alone.push(...(await good.takeLatencies()));
    while (findings.requests < options.requests && !stopped()) {
      const count = Math.min(options.perRound, options.requests - findings.requests);
      await playAndJudge(round, good, 'beside', () => playMany(round, findings.requests, count));
      findings.requests += count;
      findings.memory.push(...memory.samples.splice(0));
      writeFindings(folder, findings);
      const { first, last, most } = quarters(findings.memory);
      progress(
        `${findings.requests} of ${options.requests} requests, ${findings.failures.length} failures, ingest's memory ${first} to ${last} MB (at most ${most})`,
      );
    }
    if (stopped()) throw new Error('stopped; the same command goes on from here');
    if (options.slow.clients > 0) {
      progress(`${options.slow.clients} clients send a byte every ${options.slow.everyMs} ms`);
      await playAndJudge(round, good, 'besideSlow', () => playSlow(round));
    }
    await stopGood(good, findings);
    await drainSpill(cloud);
    await untilDelivered(cloud, 300_000);
    return figuresOf(findings, await readGood(round.warehouse));
  } finally {
    await stopGood(good, findings);
    memory.stop();
    isClosing = true;
    writeFindings(folder, findings);
    await cloud.close();
    if (!stopped()) rmSync(join(folder, stateFile), { force: true });
  }
}

interface Round {
  readonly cloud: LocalCloud;
  readonly warehouse: Warehouse;
  readonly findings: Findings;
  readonly options: FuzzOptions;
  readonly families: readonly WeighedFamily[];
}

async function playAndJudge(
  round: Round,
  good: GoodClient,
  phase: 'beside' | 'besideSlow',
  playAll: () => Promise<PlayedCase[]>,
): Promise<void> {
  const sinceMs = Date.now();
  await good.takeLatencies();
  const cases = await playAll();
  round.findings.latencies[phase].push(...(await good.takeLatencies()));
  // A machine under stress may take so long for a publish that ingest spills.
  round.findings.spilled += (await objectsSpilled(round.cloud)) ?? 0;
  await drainSpill(round.cloud);
  await untilDelivered(round.cloud, 300_000);
  await judgeRound(round, cases, sinceMs);
}

async function playMany(round: Round, from: number, count: number): Promise<PlayedCase[]> {
  const done: PlayedCase[] = [];
  let next = from;
  const one = async () => {
    while (next < from + count) {
      const number = next++;
      done.push(await playOne(round, number, makeCase(round, number)));
    }
  };
  await Promise.all(Array.from({ length: round.options.concurrency }, one));
  return done;
}

const playSlow = (round: Round): Promise<PlayedCase[]> =>
  Promise.all(
    Array.from({ length: round.options.slow.clients }, (_, at) => {
      const { requests, slow } = round.options;
      const context = contextOf(round, requests + at);
      return playOne(
        round,
        requests + at,
        slowCase(context, slow.everyMs, 2 + context.dice.below(slow.bytes)),
      );
    }),
  );

async function playOne({ cloud }: Round, number: number, fuzzCase: FuzzCase): Promise<PlayedCase> {
  const { steps, ...rest } = fuzzCase;
  return {
    ...rest,
    number,
    played: await play(cloud.ports.functions.ingest!, steps, rest.expected.length, 60_000),
  };
}

function contextOf({ options, findings }: Round, number: number) {
  const dice = createDice(createRandom(Math.imul(options.seed, 0x9e3779b1) + number * 7919));
  return { dice, mark: `${options.seed}.${findings.starts}.${number}`, nowMs: Date.now() };
}

/** A family by its weight. */
function pickFamily(among: readonly WeighedFamily[], share: number): Family {
  let rest = share * among.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, family] of among) {
    rest -= weight;
    if (rest < 0) return family;
  }
  return among[0]![1];
}

/** A request is decided by the seed and its number alone, but for the time. */
function makeCase(round: Round, number: number): FuzzCase {
  const context = contextOf(round, number);
  return pickFamily(round.families, context.dice.random())(context);
}

async function judgeRound(round: Round, cases: readonly PlayedCase[], sinceMs: number): Promise<void> {
  const { findings, warehouse, options } = round;
  const stored = await readStored(warehouse, sinceMs);
  noteRows(findings, stored);
  const fail = ({ number, family }: PlayedCase, problem: string) => {
    const failure = { seed: options.seed, request: number, family, problem };
    if (findings.failures.length < 1000) findings.failures.push(failure);
    if (findings.failures.length <= 30) options.progress(JSON.stringify(failure));
  };
  for (const one of cases) {
    findings.families[one.family] = (findings.families[one.family] ?? 0) + 1;
    const { problems, absent } = judgeCase(one, stored);
    for (const problem of problems) fail(one, problem);
    for (const missing of absent) {
      if (await isCopy(warehouse, missing)) findings.copies++;
      else if (missing.place === undefined) fail(one, 'was answered with success and is nowhere');
      else fail(one, `event ${missing.place} is in no view`);
    }
  }
  // What is left over can only be of those that nobody can judge, each of which is one request at most.
  const wild = cases.filter(({ isWild }) => isWild === true).length;
  const left = [...stored.values()];
  const batches = new Set(
    left.flatMap((rows) => [...rows.events, ...rows.quarantine].map((row) => row.batch_id)),
  );
  const last = cases.at(-1);
  if (batches.size > wild && last !== undefined) {
    const rows = JSON.stringify(left).slice(0, 1000);
    fail(last, `${batches.size} batches are of no request that was sent; ${wild} can be explained: ${rows}`);
  }
}

/** Whether what is absent is in event_log, under an id that a view shows for another request. */
async function isCopy(warehouse: Warehouse, { hashes, place }: Absent): Promise<boolean> {
  const all = hashes.map((hash) => `'${hash}'`).join(', ');
  const at = place === undefined ? '' : ` AND batch_index = ${place}`;
  return (
    (await warehouse.number(
      `SELECT COUNT(*) FROM event_log WHERE event_id IN (SELECT event_id FROM event_log WHERE request_hash IN (${all})${at}) AND request_hash NOT IN (${all})`,
    )) > 0
  );
}

async function stopGood(good: GoodClient, findings: Findings): Promise<void> {
  const { answered, failed } = await good.stop();
  findings.good.answered += answered;
  findings.good.failed += failed;
}

async function readGood(warehouse: Warehouse): Promise<{ rows: number; numbers: number }> {
  const [row] = await warehouse.query(
    `SELECT COUNT(*) AS n, COUNT(DISTINCT JSON_VALUE(properties, '$.number')) AS numbers FROM events WHERE project = '${goodProject}'`,
  );
  return { rows: Number(row?.n ?? 0), numbers: Number(row?.numbers ?? 0) };
}
