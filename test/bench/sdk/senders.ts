import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { gzipSync } from 'node:zlib';
import { AnalysysTracker, batch, type Collector, Tracker } from '../../../sdk/index.ts';
import { peers } from './peers.ts';
import type { SampleEvent } from './sample-event.ts';

export interface SenderOptions {
  readonly url: string;
  /** An empty folder for senders that write ahead; they are told it in each run that goes on with it. */
  readonly spool: string;
  /** How long to shut down may take, where the sender has a limit of its own. */
  readonly closeMs: number;
  /** Whether batches have the sender's own size; 100 events otherwise, where it can be set. */
  readonly withDefaults: boolean;
}

export interface Sender {
  /** A promise is what must settle before the event counts as handed over. */
  track(event: SampleEvent): Promise<unknown> | undefined;
  /** The documented way to end. */
  close(): Promise<unknown>;
}

export interface SenderKind {
  readonly name: string;
  /** Whether what was handed over outlives the process. */
  readonly isDurable: boolean;
  create(options: SenderOptions): Promise<Sender> | Sender;
}

export const floorName = 'floor: gzip by hand';

export const isOurs = (sender: string): boolean => sender.startsWith('tributary-sdk');

/** Ours, the floor that they are compared with, and the peers. */
export const senderKinds: readonly SenderKind[] = [
  { name: floorName, isDurable: false, create: createFloor },
  {
    name: 'tributary-sdk',
    isDurable: false,
    create: ({ url, closeMs }) => createOurs(batch({ url, onDelivery: countLost }), closeMs),
  },
  {
    name: 'tributary-sdk, 100 a request',
    isDurable: false,
    create: ({ url, closeMs }) => createOurs(batch({ url, maxEvents: 100, onDelivery: countLost }), closeMs),
  },
  {
    name: 'tributary-sdk, spool',
    isDurable: true,
    create: ({ url, spool, closeMs }) => createOurs(batch({ url, spool, onDelivery: countLost }), closeMs),
  },
  {
    name: 'tributary-sdk, Analysys',
    isDurable: false,
    create: ({ url, closeMs }) => {
      const tracker = new AnalysysTracker({
        appId: 'bench',
        collector: batch({ url, onDelivery: countLost }),
      });
      return {
        track: ({ user, name, properties }) => tracker.track(user, name, properties),
        close: () => tracker.close({ timeoutMs: closeMs }),
      };
    },
  },
  ...peers,
];

function createOurs(collector: Collector, closeMs: number): Sender {
  const tracker = new Tracker({ key: 'bench', collector });
  return {
    track: ({ user, name, properties }) => tracker.track({ userId: user }, name, properties),
    close: () => tracker.close({ timeoutMs: closeMs }),
  };
}

/** As an application does that wants to know. */
const countLost = ({
  kind,
  events,
  detail,
}: {
  kind: string;
  events: readonly string[];
  detail?: string;
}) => {
  if (kind !== 'delivered') console.error(`${events.length} events ${kind}: ${detail}`);
};

/** What one writes by hand: batches of 100, gzip level 1, four sockets that are kept, and again until it is answered 200. */
function createFloor({ url }: SenderOptions): Sender {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  const batches: object[][] = [];
  let filling: object[] = [];
  let workers = 0;
  const idle: (() => void)[] = [];

  const post = (body: Buffer) =>
    new Promise<number>((resolve) => {
      const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' };
      const request = http.request(`${url}/floor`, { agent, method: 'POST', headers }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      });
      request.on('error', () => resolve(0));
      request.end(body);
    });
  const work = async () => {
    workers++;
    for (let next = batches.shift(); next !== undefined; next = batches.shift()) {
      const body = gzipSync(JSON.stringify(next), { level: 1 });
      while ((await post(body)) !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    workers--;
    if (workers === 0) for (const tell of idle.splice(0)) tell();
  };
  const seal = () => {
    if (filling.length === 0) return;
    batches.push(filling);
    filling = [];
    if (workers < 4) void work();
  };
  return {
    track: ({ user, name, properties }) => {
      filling.push({ id: randomUUID(), user, name, time: Date.now(), properties });
      if (filling.length === 100) seal();
      return undefined;
    },
    close: async () => {
      seal();
      if (workers > 0) await new Promise<void>((resolve) => idle.push(resolve));
      agent.destroy();
    },
  };
}
