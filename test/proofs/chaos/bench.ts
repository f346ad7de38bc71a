import { renameSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Faults, LocalCloud } from '../../../local/index.ts';
import { openBucket } from '../../../shared/google/cloud-storage.ts';
import { createPublisher } from '../../../shared/google/pubsub-publisher.ts';
import { post } from '../../http-post.ts';
import { type NumberedTraffic, numberedBody, sendNumbered } from '../numbered-events.ts';

/** What the stages of a round do to the cloud that they disturb. */
export interface Bench {
  readonly cloud: LocalCloud;
  readonly random: () => number;
  readonly traffic: NumberedTraffic;
  /** The project whose events are refused until the settings name it. */
  readonly laterProject: string;
  /** The requests of this round: from, and up to and not including. */
  readonly from: number;
  readonly to: number;
  /** The settings file that ingest and replay read. */
  readonly settings: string;
}

/** Waits until it is so; false where it was not within `withinMs`. */
export async function until(isSo: () => Promise<boolean> | boolean, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    if (await isSo()) return true;
    if (performance.now() > deadline) return false;
    await pause(10);
  }
}

/** Sends requests until each is answered with success, however often that takes. */
export async function sendAll({ cloud, traffic }: Bench, from: number, to: number): Promise<void> {
  await sendNumbered({
    url: cloud.urls.ingest,
    traffic,
    from,
    to,
    concurrency: 8,
    requestsPerSecond: 1000,
    stopped: () => false,
    onProgress: () => {},
  });
}

/** The same of the project that is not in the settings yet. */
export async function sendLater(
  { cloud, traffic, laterProject }: Bench,
  from: number,
  to: number,
): Promise<void> {
  for (let index = from; index < to; index++) {
    const body = numberedBody(traffic, index).replaceAll('"appid":"proof"', `"appid":"${laterProject}"`);
    for (;;) {
      const answer = await post(`${cloud.urls.ingest}/up`, body, 20_000).catch(() => undefined);
      if (answer?.status === 200) break;
      await pause(100);
    }
  }
}

/** Names the projects that may send; every other one's events go to quarantine. */
export function writeSettings(path: string, projects: readonly string[]): void {
  const settings = {
    projects: Object.fromEntries(projects.map((name) => [name, {}])),
    unknownProjects: 'quarantine',
    unknownProjectsPerDay: 1_000_000,
  };
  writeFileSync(`${path}.next`, JSON.stringify(settings));
  renameSync(`${path}.next`, path);
}

/** Pushes to `load` that are not answered yet, and dead letters that are. */
export async function messagesOf({ cloud }: Bench, subscription: string) {
  const counts = await cloud.counts().catch(() => undefined);
  return Object.entries(counts?.subscriptions ?? {}).find(([name]) => name.endsWith(`/${subscription}`))?.[1];
}

const healthy: Faults = {
  pubsub: { publishUnavailableRate: 0, publishDelayMs: 0 },
  bigquery: { appendDelayMs: 0 },
  storage: { unavailableRate: 0, delayMs: 0 },
};

/** Faults can only be changed while the cloud runs, and it may be what was killed. */
export async function setFaults({ cloud }: Bench, faults: Faults): Promise<void> {
  for (;;) {
    await cloud.serving('cloud');
    const done = await cloud.setFaults(faults).then(
      () => true,
      () => false,
    );
    if (done) return;
    await pause(50);
  }
}

export const heal = (bench: Bench): Promise<void> => setFaults(bench, healthy);

/** Has Pub/Sub fail while the requests are sent, so that they lie in the spill bucket. */
export async function fillBucket(bench: Bench, from: number, to: number): Promise<void> {
  await setFaults(bench, { pubsub: { publishUnavailableRate: 1 } });
  await sendAll(bench, from, to);
  await setFaults(bench, { pubsub: { publishUnavailableRate: 0 } });
}

/** Makes dead letters of what lies in the spill bucket: the very messages that Pub/Sub would have had. */
export async function moveBucketToDeadLetters({ cloud }: Bench): Promise<void> {
  const bucket = openBucket('tributary-spill', { ...cloud.environment });
  const publisher = createPublisher('local', 'events-dead', { ...cloud.environment });
  try {
    const { objects } = await bucket.list({ most: 1000 }, 10_000);
    for (const { name, generation, metadata } of objects) {
      const data = await bucket.read(name, generation, 10_000);
      if (data === undefined) continue;
      await publisher.send([{ data, attributes: metadata }], 10_000);
      await bucket.remove(name, generation, 10_000);
    }
  } finally {
    bucket.close();
    await publisher.close();
  }
}
