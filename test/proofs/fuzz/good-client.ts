import { parentPort, Worker, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { post } from '../../http-post.ts';
import { createRandom } from '../random.ts';
import { goodProject } from './judge.ts';

/** A client as it should be, on a thread of its own, whose latencies tell what the fuzz costs others. */
export interface GoodClient {
  /** Latencies of the answers since the last call, in milliseconds. */
  takeLatencies(): Promise<number[]>;
  /** Ends it; how many events were answered with success, and how many requests were not. A second call tells of none. */
  stop(): Promise<{ answered: number; failed: number }>;
}

const perRequest = 20;

export function startGoodClient(url: string, requestsPerSecond: number, from: number): GoodClient {
  const worker = new Worker(new URL(import.meta.url), { workerData: { url, requestsPerSecond, from } });
  const ask = (question: 'latencies' | 'stop') =>
    new Promise<unknown>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', (answer) => {
        worker.off('error', reject);
        resolve(answer);
      });
      worker.postMessage(question);
    });
  let isStopped = false;
  return {
    takeLatencies: async () => z.array(z.number()).parse(await ask('latencies')),
    async stop() {
      if (isStopped) return { answered: 0, failed: 0 };
      isStopped = true;
      const ended = z.object({ answered: z.number(), failed: z.number() }).parse(await ask('stop'));
      await worker.terminate();
      return ended;
    },
  };
}

async function run({
  url,
  requestsPerSecond,
  from,
}: {
  url: string;
  requestsPerSecond: number;
  from: number;
}) {
  const random = createRandom(from);
  let latencies: number[] = [];
  let number = from;
  let answered = 0;
  let failed = 0;
  let isStopped = false;
  const inFlight = new Set<Promise<void>>();
  const one = async () => {
    const events = Array.from({ length: perRequest }, () => ({
      appid: goodProject,
      xwho: `person-${Math.floor(random() * 1000)}`,
      xwhat: 'view_item',
      xwhen: Date.now(),
      xcontext: { number: number++, price: 129.95, item: '跑步机', $lib: 'proof' },
    }));
    const began = performance.now();
    const answer = await post(`${url}/up`, JSON.stringify(events), 30_000).catch(() => undefined);
    if (answer?.status === 200 && answer.body === '{"code":200}') answered += perRequest;
    else failed++;
    latencies.push(performance.now() - began);
  };
  parentPort?.on('message', async (question) => {
    if (question === 'latencies') {
      parentPort?.postMessage(latencies);
      latencies = [];
    } else {
      isStopped = true;
      await Promise.all(inFlight);
      parentPort?.postMessage({ answered, failed });
    }
  });
  // At its own pace, whatever the answers do: waiting for them would hide the slow ones.
  for (let dueAt = performance.now(); !isStopped; dueAt += 1000 / requestsPerSecond) {
    const early = dueAt - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    if (isStopped) return;
    const sent = one().finally(() => inFlight.delete(sent));
    inFlight.add(sent);
  }
}

if (parentPort !== null) {
  void run(z.object({ url: z.string(), requestsPerSecond: z.number(), from: z.number() }).parse(workerData));
}
