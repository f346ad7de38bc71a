import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { type Bundle, bundleForTest } from '../bundle-for-test.ts';
import { type BatchOptions, batch } from '../collectors/batch.ts';
import type { DeliveryReport } from './route.ts';
import { broken, makeEvents, ok, startTestServer, testRoute } from './server-for-test.ts';

const route = testRoute();

function collect(options: BatchOptions) {
  const reports: DeliveryReport[] = [];
  const collector = batch({
    backoffMs: 2,
    maxAgeMs: 60_000,
    onDelivery: (report) => reports.push(report),
    ...options,
  });
  const addAll = (events: readonly string[]) => Promise.all(events.map((json) => collector.add(route, json)));
  return { collector, reports, addAll };
}

describe('flush', () => {
  test('resolves when everything before it is delivered or reported, and not earlier', async () => {
    await using server = await startTestServer(({ number }) =>
      number === 1 ? { kind: 'hang' } : number === 2 ? { kind: 'unstored', status: 400 } : ok,
    );
    const { collector, reports, addAll } = collect({ url: server.url, connections: 2 });
    await addAll(makeEvents(25));
    let isFlushed = false;
    const flushed = collector.flush().then(() => {
      isFlushed = true;
    });
    await server.requested(3);
    expect(isFlushed).toBe(false);
    server.release();
    await flushed;
    expect(reports.flatMap(({ events }) => events).length).toBe(25);
    expect(new Set(reports.map(({ kind }) => kind))).toEqual(new Set(['delivered', 'refused']));
    await collector.close();
  });

  test('does not wait for what is handed over after it', async () => {
    await using server = await startTestServer(({ body }) => (body.includes('late') ? { kind: 'hang' } : ok));
    const { collector, addAll } = collect({ url: server.url });
    await addAll(makeEvents(5));
    const flushed = collector.flush();
    await addAll(makeEvents(10, 'late'));
    await flushed;
    expect(server.stored.length).toBe(5);
    await server.requested(2);
    server.release();
    await collector.close();
    expect(server.stored.length).toBe(15);
  });

  test('may be called by many at once, each of whom waits for what was there', async () => {
    await using server = await startTestServer(({ number }) => (number % 3 === 0 ? broken : ok));
    const { collector } = collect({ url: server.url });
    const told = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const mine = JSON.stringify({ id: index });
        await collector.add(route, mine);
        await collector.flush();
        return server.stored.includes(mine);
      }),
    );
    expect(told).toEqual(told.map(() => true));
    await collector.close();
  });

  test('of nothing resolves', async () => {
    const { collector } = collect({ url: 'http://127.0.0.1:9' });
    await collector.flush();
    expect(await collector.close()).toEqual({ undelivered: [], kept: 0 });
  });
});

describe('close', () => {
  test('delivers what is left although a fifth of the answers are errors', async () => {
    await using server = await startTestServer(({ number }) => (number % 5 === 0 ? broken : ok));
    const { collector } = collect({ url: server.url });
    const events = makeEvents(1000);
    for (const json of events) void collector.add(route, json);
    expect(await collector.close()).toEqual({ undelivered: [], kept: 0 });
    expect([...server.stored].sort()).toEqual([...events].sort());
  });

  test('answers within its time what it could not deliver, and reports the same once', async () => {
    await using server = await startTestServer(({ number }) =>
      number === 2 ? ok : number % 2 === 0 ? broken : { kind: 'hang' },
    );
    const { collector, reports, addAll } = collect({ url: server.url });
    await addAll(makeEvents(105));
    const { undelivered, kept } = await collector.close({ timeoutMs: 100 });
    const reported = reports.filter(({ kind }) => kind === 'undelivered').flatMap(({ events }) => events);
    expect(kept).toBe(0);
    expect(undelivered.map(({ json }) => json).sort()).toEqual(reported.sort());
    expect([...reported, ...server.stored].sort()).toEqual(makeEvents(105).sort());
    expect(undelivered[0]?.route).toBe('test');
  });

  test('is the same for all who call it, and nothing is taken after it', async () => {
    await using server = await startTestServer();
    const { collector, addAll } = collect({ url: server.url });
    await addAll(makeEvents(3));
    const [one, other] = await Promise.all([collector.close(), collector.close({ timeoutMs: 1 })]);
    expect(one).toBe(other);
    await expect(collector.add(route, '{}')).rejects.toMatchObject({ code: 'COLLECTOR_CLOSED' });
    await collector.flush();
    expect(server.stored.length).toBe(3);
  });

  test('lets go of callers who wait for room and for a flush', async () => {
    await using server = await startTestServer(() => ({ kind: 'hang' }));
    const { collector } = collect({ url: server.url, queueEvents: 1 });
    const waits = [collector.add(route, '{"id":1}'), collector.add(route, '{"id":2}'), collector.flush()];
    const { undelivered } = await collector.close({ timeoutMs: 20 });
    await Promise.all(waits);
    expect(undelivered.length).toBe(2);
  });
});

describe('a process', () => {
  const bundles: Bundle[] = [];
  afterAll(() => {
    for (const bundle of bundles) bundle.remove();
  });
  const start = async (url: string, code: string): Promise<ChildProcess> => {
    const bundle = await bundleForTest({
      code: `import { batch } from './collectors/batch.ts';
         import { testRoute, makeEvents } from './delivery/server-for-test.ts';
         const collector = batch({ url: ${JSON.stringify(url)}, backoffMs: 5, maxAgeMs: 100, requestTimeoutMs: 300 });
         const route = testRoute();
         ${code}`,
    });
    bundles.push(bundle);
    return spawn(process.execPath, [bundle.path], { stdio: 'inherit' });
  };
  const addAll = 'for (const json of makeEvents(1000)) void collector.add(route, json);';

  test('that ends by itself has delivered what it handed over', async () => {
    await using server = await startTestServer(({ number }) => (number % 5 === 0 ? broken : ok));
    const child = await start(server.url, addAll);
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(new Set(server.stored).size).toBe(1000);
  });

  test('that exits right after close has delivered it', async () => {
    await using server = await startTestServer(({ number }) => (number % 5 === 0 ? broken : ok));
    const child = await start(server.url, `${addAll} await collector.close(); process.exit(7);`);
    expect(await once(child, 'exit')).toEqual([7, null]);
    expect(new Set(server.stored).size).toBe(1000);
  });

  test('that is frozen in the middle loses nothing, whatever timers and connections went by', async () => {
    await using server = await startTestServer(
      ({ number }) => (number % 7 === 0 ? { kind: 'reset', stores: true } : ok),
      { keepAliveMs: 100 },
    );
    const child = await start(
      server.url,
      `for (const json of makeEvents(1500)) {
         await collector.add(route, json);
         if (json.includes('0"')) await new Promise((resolve) => setTimeout(resolve, 1));
       }
       await collector.close();`,
    );
    const exited = once(child, 'exit');
    for (const freezeAt of [20, 60, 120]) {
      await server.requested(freezeAt);
      child.kill('SIGSTOP');
      await wait(400);
      child.kill('SIGCONT');
    }
    expect(await exited).toEqual([0, null]);
    expect(new Set(server.stored).size).toBe(1500);
  });
});
