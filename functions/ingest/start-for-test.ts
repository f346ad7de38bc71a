import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { startCounts } from '../../shared/host/metrics.ts';
import { createHost } from '../../shared/host/server.ts';
import { settingsSchema } from '../../shared/settings/settings.ts';
import { wireDialects } from '../../shared/wire/dialects.ts';
import { createHandleRequest } from './handle-request.ts';
import { ingestCounts } from './metrics.ts';
import { createMessageStore } from './publish-or-spill.ts';
import { startGoogle } from './start-google-for-test.ts';

/** Starts `ingest` on its own host, against a local Pub/Sub and a local Cloud Storage that fail when they are told to. */
export async function startIngest(options: { settings?: object; caps?: { body: number } } = {}) {
  const google = await startGoogle();
  const counts = startCounts(ingestCounts);
  const logged: { severity: string; message: string; [field: string]: unknown }[] = [];
  const log = (severity: string, message: string, fields: object = {}) => {
    logged.push({ severity, message, ...fields });
  };
  const messages = createMessageStore({
    queue: google.createQueue(),
    spill: google.createSpill(),
    counts,
    log,
    now: () => performance.now(),
  });
  const settings = settingsSchema.parse(options.settings ?? {});
  const host = createHost(
    createHandleRequest({
      dialects: wireDialects,
      settings: { current: () => settings },
      store: messages.store,
      counts,
      log,
      logBatches: false,
      now: Date.now,
      caps: { body: 1_000_000, inflated: 4_000_000, events: 100, ...options.caps },
    }),
  );
  await once(host.server.listen(0, '127.0.0.1'), 'listening');
  const { port } = host.server.address() as AddressInfo;

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    counts,
    logged,
    pubsubFaults: google.pubsubFaults,
    storageFaults: google.storageFaults,
    /** Messages that Pub/Sub has taken. */
    published: google.published,
    async spilled(): Promise<number> {
      return (await google.bucket.list({ most: 1_000 }, 60_000)).objects.length;
    },
    settled: messages.drained,
    async close() {
      await host.drain(60_000);
      await messages.drained();
      await google.close();
    },
  };
}
