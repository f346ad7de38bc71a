import { mkdirSync } from 'node:fs';
import { type LocalCloud, startLocal } from '../../../local/index.ts';
import { untilDelivered, warehouseOf } from '../../warehouse-of.ts';
import { drainSpill } from '../drain-spill.ts';
import { createRandom } from '../random.ts';
import { startFlakyProxy } from './flaky-proxy.ts';
import type { Sender } from './senders.ts';
import { callOf, event, state } from './traffic.ts';

export interface SegmentProofOptions {
  /** Holds the local cloud's data. */
  readonly folder: string;
  /** By the name of the SDK, which is the write key too. */
  readonly senders: Readonly<Record<string, Sender>>;
  /** Calls of each SDK. */
  readonly calls: number;
  /** The share of the requests that fail. */
  readonly failureRate: number;
  readonly seed: number;
  readonly progress: (line: string) => void;
}

export interface SegmentFigures {
  readonly calls: number;
  readonly requests: number;
  /** By the way of failing. */
  readonly failedRequests: Readonly<Record<string, number>>;
  /** Calls that the SDK gave up on. */
  readonly givenUp: number;
  readonly rowsInEventLog: number;
  /** Of what must be there once: how much there is, is not, is there more than once; and what nobody sent. */
  readonly expected: number;
  readonly missing: number;
  readonly double: number;
  readonly unexpected: number;
  readonly quarantined: number;
  readonly seconds: number;
}

/**
 * SDKs send numbered calls of every kind through a proxy that fails some requests, among them such as were stored by
 * then. Afterwards each call must be in `events` or state_log once, with the alias that an event with both ids implies.
 */
export async function proveSegment(options: SegmentProofOptions): Promise<Record<string, SegmentFigures>> {
  const { folder, senders, calls, failureRate, seed, progress } = options;
  mkdirSync(folder, { recursive: true });
  const cloud = await startLocal({
    dataDir: folder,
    ports: 'free',
    functions: ['ingest', 'load', 'replay'],
    faults: { pubsub: { redeliverRate: 0.05 } },
  });
  const figures: Record<string, SegmentFigures> = {};
  try {
    for (const [sdk, send] of Object.entries(senders)) {
      const began = performance.now();
      const random = createRandom(seed);
      const proxy = await startFlakyProxy({ target: cloud.urls.ingest, rate: failureRate, random });
      try {
        const { failed } = await send({
          url: proxy.url,
          writeKey: sdk,
          calls,
          progress: (sent) => progress(`${sdk}: ${sent} of ${calls} calls`),
        });
        await drainSpill(cloud);
        await untilDelivered(cloud, 300_000);
        figures[sdk] = {
          calls,
          requests: proxy.requests(),
          failedRequests: proxy.failed(),
          givenUp: failed,
          ...(await judge(cloud, sdk, calls)),
          seconds: Math.round((performance.now() - began) / 1000),
        };
      } finally {
        await proxy.close();
      }
    }
    return figures;
  } finally {
    await cloud.close();
  }
}

async function judge(cloud: LocalCloud, project: string, calls: number) {
  const { query, number } = warehouseOf(cloud);
  const tracks = await query(
    `SELECT name, COALESCE(JSON_VALUE(properties, '$.groupId'), JSON_VALUE(properties, '$.number')) AS number
     FROM events WHERE project = '${project}'`,
  );
  // Every row is there at least once: a copy has the same id.
  const states = await query(
    `SELECT DISTINCT event_id, kind, COALESCE(item_id, anonymous_id) AS subject, user_id,
       JSON_VALUE(properties, '$.number') AS number
     FROM state_log WHERE project = '${project}'`,
  );
  const found = new Map<string, number>();
  for (const fact of [
    ...tracks.map((row) => event(String(row.name), String(row.number))),
    ...states.map((row) =>
      state(
        String(row.kind),
        String(row.subject),
        String(row.user_id),
        row.number === null ? '' : String(row.number),
      ),
    ),
  ]) {
    found.set(fact, (found.get(fact) ?? 0) + 1);
  }
  const expected = new Set(Array.from({ length: calls }, (_, it) => callOf(it).facts).flat());
  return {
    rowsInEventLog: await number(`SELECT COUNT(*) FROM event_log WHERE project = '${project}'`),
    expected: expected.size,
    missing: [...expected].filter((fact) => !found.has(fact)).length,
    double: [...found.values()].filter((times) => times > 1).length,
    unexpected: [...found.keys()].filter((fact) => !expected.has(fact)).length,
    quarantined: await number(`SELECT COUNT(*) FROM quarantine_open WHERE project = '${project}'`),
  };
}

export const isProved = ({ missing, double, unexpected, quarantined, givenUp }: SegmentFigures): boolean =>
  missing === 0 && double === 0 && unexpected === 0 && quarantined === 0 && givenUp === 0;
