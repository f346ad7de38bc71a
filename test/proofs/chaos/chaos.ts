import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type LocalCloud, startLocal } from '../../../local/index.ts';
import { untilDelivered, type Warehouse, warehouseOf } from '../../warehouse-of.ts';
import { drainSpill } from '../drain-spill.ts';
import { createRandom } from '../random.ts';
import { type Bench, heal, messagesOf, writeSettings } from './bench.ts';
import { pairs } from './stages.ts';

export interface ChaosOptions {
  readonly folder: string;
  /** Rounds from and up to, not including: each kills one process in one stage. */
  readonly from: number;
  readonly to: number;
  readonly seed: number;
  readonly requestsPerRound: number;
  /** Only those pairs whose `process, stage` holds this. */
  readonly only?: string | undefined;
  readonly progress: (line: string) => void;
  readonly onRound: (figures: RoundFigures) => void;
  readonly stopped?: () => boolean;
}

export interface RoundFigures {
  readonly round: number;
  readonly process: string;
  readonly stage: string;
  /** The stage was seen to be under way when the process was killed. */
  readonly isUnderWay: boolean;
  readonly sent: number;
  readonly missing: number;
  readonly double: number;
  /** Rows of event_log beyond the events. */
  readonly copies: number;
  /** Rows of quarantine that are open although they were replayed, or that have no outcome, or another one. */
  readonly wrongOutcomes: number;
  readonly deadLettered: number;
  readonly seconds: number;
}

const perRequest = 5;

/** Kills a process (kill -9) in the middle of a stage, round by round, and after each reads back what is there. */
export async function proveChaos(options: ChaosOptions): Promise<void> {
  const { folder, progress } = options;
  const stopped = options.stopped ?? (() => false);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const settings = join(folder, 'settings.json');
  writeSettings(settings, ['proof']);
  const cloud = await startLocal({
    dataDir: join(folder, 'data'),
    ports: 'free',
    functions: ['ingest', 'load', 'replay'],
    settings,
    timeScale: 6,
    environment: { load: { ACK_DEADLINE_SECONDS: '10' }, ingest: { PUBLISH_TIMEOUT_MS: '1000' } },
  });
  const warehouse = warehouseOf(cloud);
  const startedAt = Date.now() - 3_600_000;
  try {
    for (let round = options.from; round < options.to && !stopped(); round++) {
      const began = performance.now();
      const { process, stage, run } = pairOf(options, round);
      const from = round * options.requestsPerRound;
      const bench: Bench = {
        cloud,
        random: createRandom(options.seed * 1009 + round),
        traffic: { startedAt, perRequest },
        laterProject: `later-${round}`,
        from,
        to: from + options.requestsPerRound,
        settings,
      };
      const kill = async () => {
        await cloud.kill(process);
        await cloud.serving(process);
      };
      const isUnderWay = await run(bench, kill);
      await heal(bench);
      await cloud.serving();
      await drainSpill(cloud);
      await untilDelivered(cloud, 300_000);
      const figures: RoundFigures = {
        round,
        process,
        stage,
        isUnderWay,
        ...(await judge(cloud, warehouse, bench)),
        seconds: Math.round((performance.now() - began) / 100) / 10,
      };
      options.onRound(figures);
      progress(`round ${round}: ${process} killed while ${stage}: ${JSON.stringify(figures)}`);
    }
  } finally {
    await cloud.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every pair comes before any comes again; in which order, the seed decides. */
function pairOf({ seed, only }: ChaosOptions, round: number) {
  const wanted = pairs.filter(
    ({ process, stage }) => only === undefined || `${process}, ${stage}`.includes(only),
  );
  const random = createRandom(seed * 31 + Math.floor(round / wanted.length));
  const order = wanted.map((pair) => ({ pair, at: random() })).sort((left, right) => left.at - right.at);
  return order[round % wanted.length]!.pair;
}

async function judge(cloud: LocalCloud, warehouse: Warehouse, bench: Bench) {
  const number = "CAST(JSON_VALUE(properties, '$.number') AS INT64)";
  const [from, to] = [bench.from * perRequest, bench.to * perRequest];
  const ofRound = `name = 'numbered' AND ${number} >= ${from} AND ${number} < ${to}`;
  const [row] = await warehouse.query(
    `SELECT COUNT(*) AS n, COUNT(DISTINCT ${number}) AS numbers FROM events WHERE ${ofRound}`,
  );
  const [rows, numbers] = [Number(row?.n), Number(row?.numbers)];
  const logged = await warehouse.number(`SELECT COUNT(*) FROM event_log WHERE ${ofRound}`);
  const open = await warehouse.number('SELECT COUNT(*) FROM quarantine_open');
  const undecided = await warehouse.number(
    `SELECT COUNT(*) FROM quarantine WHERE project = '${bench.laterProject}' AND quarantine_id NOT IN (SELECT quarantine_id FROM quarantine_outcomes WHERE outcome = 'accepted')`,
  );
  const refused = await warehouse.number(
    "SELECT COUNT(*) FROM quarantine_outcomes WHERE outcome != 'accepted'",
  );
  return {
    sent: to - from,
    missing: to - from - numbers,
    double: rows - numbers,
    copies: logged - rows,
    wrongOutcomes: open + undecided + refused,
    deadLettered: (await messagesOf({ ...bench, cloud }, 'events-dead-hold'))?.backlog ?? -1,
  };
}
