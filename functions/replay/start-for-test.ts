import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startIssuer, type TokenClaims } from '../../local/issuer/index.ts';
import { noFaults as noPubSubFaults, startPubSub } from '../../local/pubsub/index.ts';
import { startStores } from '../../local/stores-for-test.ts';
import { decodeMessage } from '../../shared/batches/decode-message.ts';
import { createPubSub } from '../../shared/google/pubsub.ts';
import { createPublisher, type Message } from '../../shared/google/pubsub-publisher.ts';
import { createSubscriber } from '../../shared/google/pubsub-subscriber.ts';
import { createTokenVerifier } from '../../shared/google/verify-token.ts';
import { startCounts } from '../../shared/host/metrics.ts';
import { createHost } from '../../shared/host/server.ts';
import { InvalidSettings } from '../../shared/settings/parse-settings.ts';
import type { Settings } from '../../shared/settings/settings.ts';
import { readRow } from '../../shared/warehouse/read-row-for-test.ts';
import { currentSchemaVersion } from '../../shared/warehouse/schema-versions.ts';
import { wireDialects } from '../../shared/wire/dialects.ts';
import { createReplayHandler } from './handler.ts';
import { replayCounts } from './metrics.ts';
import { accepting } from './quarantined-for-test.ts';
import { createQuarantineReader } from './read-quarantine.ts';

export const audience = 'https://replay.example.com';
export const operator = 'operator@local.iam.gserviceaccount.com';
const longCallMs = 15_000;
const published = 'projects/local/subscriptions/published';

/** Starts `replay` on a host of its own, against a local BigQuery, Pub/Sub, Cloud Storage and issuer of tokens. */
export async function startReplay(given: { timeoutSeconds?: number } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'replay-'));
  const pubsubFaults = noPubSubFaults();
  const [stores, pubsubServer, issuer] = await Promise.all([
    startStores({ bucket: 'tributary-spill', limits: { firstRetryDelayMs: 5, longestRetryDelayMs: 50 } }),
    startPubSub({ port: 0, file: ':memory:', faults: pubsubFaults }),
    startIssuer({ port: 0, keyFile: join(folder, 'key.pem') }),
  ]);
  const { bigquery, bucket, writer, bigqueryFaults, storageFaults, query } = stores;
  const environment: NodeJS.ProcessEnv = {
    ...stores.environment,
    LOCAL_PUBSUB: `127.0.0.1:${pubsubServer.port}`,
    LOCAL_TOKEN_ISSUER: issuer.url,
  };
  const pubsub = createPubSub('local', environment);
  const [topic] = await pubsub.createTopic('events');
  await topic.createSubscription('published');
  await pubsub.close();

  const publisher = createPublisher('local', 'events', environment);
  const subscriber = createSubscriber('local', 'published', environment);
  const logged: { severity: string; message: string; [field: string]: unknown }[] = [];
  let settings: Settings | string = accepting;
  let callWithinMs = longCallMs;
  const counts = startCounts(replayCounts);
  const handler = createReplayHandler({
    counts,
    verifyToken: createTokenVerifier({ audience, emails: [operator] }, environment),
    reader: createQuarantineReader(bigquery, 'tributary'),
    send: publisher.send,
    writer,
    bucket,
    dialects: wireDialects,
    caps: { inflated: 20_000_000, events: 10_000 },
    async readSettings() {
      if (typeof settings === 'string') throw new InvalidSettings(settings);
      return settings;
    },
    timeoutSeconds: given.timeoutSeconds ?? 60,
    now: Date.now,
    get callWithinMs() {
      return callWithinMs;
    },
    log: (severity, message, fields) => logged.push({ severity, message, ...fields }),
  });
  const host = createHost(handler);
  await once(host.server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(host.server.address() as AddressInfo).port}`;

  return {
    url,
    logged,
    counts,
    bucket,
    bigqueryFaults,
    pubsubFaults,
    storageFaults,
    /** Has what fails fail soon, while `act` runs. */
    async impatiently<T>(act: () => Promise<T>): Promise<T> {
      callWithinMs = 1_000;
      return act().finally(() => {
        callWithinMs = longCallMs;
      });
    },
    setSettings(next: Settings | string) {
      settings = next;
    },
    /** Appends rows to quarantine, as load does. */
    async quarantine(rows: readonly Uint8Array[]): Promise<void> {
      const outcome = await writer.append('quarantine', currentSchemaVersion, rows, Date.now() + 10_000);
      if (outcome.kind !== 'appended' || outcome.refused.length > 0) throw new Error(JSON.stringify(outcome));
    },
    async call(path: string, body: unknown, token: Partial<TokenClaims> | null = {}) {
      const signed = token && (await issuer.sign({ audience, email: operator, ...token }));
      const answer = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          ...(signed && { Authorization: `Bearer ${signed}` }),
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      const read = (await answer.json()) as Record<string, unknown>;
      return { status: answer.status, body: read };
    },
    /** What was published since the last time. */
    async published(): Promise<Message[]> {
      const messages: Message[] = [];
      const backlog = () => pubsubServer.counts().subscriptions[published]?.backlog ?? 0;
      while (backlog() > 0) {
        const pulled = await subscriber.pull(1_000, 5_000);
        messages.push(...pulled.map(({ data, attributes }) => ({ data, attributes })));
        await subscriber.acknowledge(pulled.map(({ ackId }) => ackId));
      }
      return messages;
    },
    query,
    async close(): Promise<void> {
      await host.drain(5_000);
      await Promise.all([publisher.close(), subscriber.close()]);
      await Promise.all([stores, pubsubServer, issuer].map((one) => one.close()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type StartedReplay = Awaited<ReturnType<typeof startReplay>>;

/** The rows of event_log that messages carry. */
export function eventsOf(messages: readonly Message[]): Uint8Array[] {
  return messages.flatMap((message) => {
    const decoded = decodeMessage(message);
    if (decoded.kind !== 'batch') throw new Error(decoded.kind);
    return decoded.batch.events;
  });
}

export const idsOf = (rows: readonly Uint8Array[]): string[] =>
  rows.map((row) => String(readRow('EventLogRow', row).event_id)).sort();
