import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalCloud, startLocal } from '../local/index.ts';
import { untilDelivered, type Warehouse, warehouseOf } from '../test/warehouse-of.ts';
import { type Bundle, bundleForTest } from './bundle-for-test.ts';
import { startFlakyProxy } from './flaky-proxy-for-test.ts';
import { AnalysysTracker, batch, file, GrowingTracker, Tracker } from './index.ts';

// What a spool or a file has taken, held against what is in the warehouse after kill -9.
const folder = mkdtempSync(join(tmpdir(), 'tributary-durable-'));
let cloud: LocalCloud;
let warehouse: Warehouse;

let tracking: Bundle;
let command: Bundle;

beforeAll(async () => {
  tracking = await bundleForTest({ path: 'track-for-test.ts' });
  command = await bundleForTest({ path: 'command/tributary-sdk.ts' });
  cloud = await startLocal({
    dataDir: folder,
    ports: 'free',
    functions: ['ingest', 'load'],
    faults: { pubsub: { redeliverRate: 0.3 } },
  });
  warehouse = warehouseOf(cloud);
}, 120_000);

afterAll(async () => {
  await cloud?.close();
  for (const bundle of [tracking, command]) bundle?.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** Kills a process once it has taken so many events, and answers their names. */
async function trackAndKill(url: string, spool: string, name: string, events: number): Promise<string[]> {
  const child = spawn(process.execPath, [tracking.path, url, spool, name, '1000000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const names: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    names.push(line);
    if (names.length === events) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.once('close', resolve));
  return names;
}

const trackers = (collector: ReturnType<typeof batch>, project: string) => ({
  analysys: new AnalysysTracker({ appId: project, collector }),
  growing: new GrowingTracker({ projectId: project, dataSourceId: 'source', collector }),
  own: new Tracker({ key: project, collector }),
});

const namesIn = async (project: string) =>
  (await warehouse.query(`SELECT name FROM events WHERE project = '${project}' ORDER BY name`)).map(
    ({ name }) => name,
  );

test('every event that a spool took is in the warehouse once, whenever its process was killed', async () => {
  const spool = join(folder, 'spool');
  const names = await trackAndKill('http://127.0.0.1:9', spool, 'away', 1500);
  names.push(...(await trackAndKill(cloud.urls.ingest, spool, 'killed', 1500)));
  const collector = batch({ url: cloud.urls.ingest, spool });
  // The next process need not track anything.
  trackers(collector, 'durable');
  await collector.flush();
  expect(await collector.close()).toEqual({ undelivered: [], kept: 0 });
  expect(readdirSync(spool)).toEqual([]);
  await untilDelivered(cloud);
  const stored = await namesIn('durable');
  expect(stored.length).toBe(new Set(stored).size);
  expect(stored).toEqual(expect.arrayContaining(names));
});

test('every event is in the warehouse once although three of five requests are told that they failed', async () => {
  const proxy = await startFlakyProxy(cloud.urls.ingest);
  const collector = batch({ url: proxy.url, maxEvents: 20, backoffMs: 1 });
  const { analysys, growing, own } = trackers(collector, 'flaky');
  for (let number = 0; number < 200; number++) {
    void analysys.track('device', `analysys_${number}`);
    void growing.trackCustomEvent(`growing_${number}`, { anonymousId: 'device' });
    void own.track({ anonymousId: 'device' }, `own_${number}`);
  }
  expect(await collector.close()).toEqual({ undelivered: [], kept: 0 });
  expect(proxy.takenAndFailed).toBeGreaterThan(10);
  await proxy.close();
  await untilDelivered(cloud);
  const kinds = ['analysys', 'growing', 'own'];
  const names = kinds.flatMap((kind) => Array.from({ length: 200 }, (_, number) => `${kind}_${number}`));
  expect(await namesIn('flaky')).toEqual(names.sort());
});

test('what the file collector and a vendor wrote is in the warehouse once, though sent twice', async () => {
  const dir = join(folder, 'files');
  const collector = file({ dir, batchEvents: 20 });
  const { analysys, growing, own } = trackers(collector, 'files');
  for (let number = 0; number < 120; number++) {
    void analysys.track('device', `analysys_${number}`);
    void growing.trackCustomEvent(`growing_${number}`, { anonymousId: 'device' });
    void own.track({ anonymousId: 'device' }, `own_${number}`);
  }
  await collector.close();
  writeFileSync(
    join(dir, 'datas_202601023.log'),
    `{"appid": "files", "xwho": "device", "xwhat": "python", "xwhen": 1768000000000, "xcontext": {"$lib": "python", "$is_login": false}}\n`,
  );
  const send = () =>
    promisify(execFile)(process.execPath, [
      command.path,
      'send',
      '--url',
      cloud.urls.ingest,
      '--restart',
      dir,
    ]);
  await send();
  await send();
  await untilDelivered(cloud);
  const kinds = ['analysys', 'growing', 'own'];
  const names = kinds.flatMap((kind) => Array.from({ length: 120 }, (_, number) => `${kind}_${number}`));
  expect(await namesIn('files')).toEqual([...names, 'python'].sort());
});
