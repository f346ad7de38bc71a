import { describe, expect, test } from 'vitest';
import { type BatchOptions, batch } from '../collectors/batch.ts';
import type { DeliveryReport, DeliveryTrouble } from './route.ts';
import {
  broken,
  makeEvents,
  ok,
  type ReceivedRequest,
  startTestServer,
  testRoute,
} from './server-for-test.ts';

const route = testRoute();

function collect(options: BatchOptions) {
  const reports: DeliveryReport[] = [];
  const troubles: DeliveryTrouble[] = [];
  const collector = batch({
    backoffMs: 2,
    maxAgeMs: 60_000,
    onDelivery: (report) => reports.push(report),
    onError: (trouble) => troubles.push(trouble),
    ...options,
  });
  const reported = (kind: DeliveryReport['kind']) =>
    reports.filter((report) => report.kind === kind).flatMap(({ events }) => events);
  const addAll = (events: readonly string[]) => Promise.all(events.map((json) => collector.add(route, json)));
  return { collector, reports, troubles, reported, addAll };
}

/** How often each body came. */
const countBodies = (requests: readonly ReceivedRequest[]) => {
  const counts = new Map<string, number>();
  for (const { body } of requests) counts.set(body, (counts.get(body) ?? 0) + 1);
  return counts;
};

describe('a request that failed is sent again with the same events', () => {
  test.each([408, 429, 500, 502, 503])('after a %i', async (status) => {
    await using server = await startTestServer(({ number }) =>
      number % 5 === 0 ? { kind: 'unstored', status } : ok,
    );
    const { collector, addAll, reported, troubles } = collect({ url: server.url });
    const events = makeEvents(1000);
    await addAll(events);
    expect(await collector.close()).toEqual({ undelivered: [], kept: 0 });
    expect([...server.stored].sort()).toEqual([...events].sort());
    expect(reported('delivered').length).toBe(1000);
    // No more than the failed answers.
    expect(server.requests.length).toBe(100 + troubles.length);
    expect(countBodies(server.requests).size).toBe(100);
  });

  test('after an answer that came although everything was stored, so that ids make the copies single', async () => {
    await using server = await startTestServer(({ number }) =>
      number % 5 === 0 ? { kind: 'stored', status: 500 } : ok,
    );
    const { collector, addAll } = collect({ url: server.url });
    const events = makeEvents(1000);
    await addAll(events);
    await collector.close();
    expect([...new Set(server.stored)].sort()).toEqual([...events].sort());
    expect(countBodies(server.requests).size).toBe(100);
  });

  test.each([true, false])('after a connection that was reset, stored or not (%s)', async (stores) => {
    await using server = await startTestServer(({ number }) =>
      number % 4 === 1 ? { kind: 'reset', stores } : ok,
    );
    const { collector, addAll, reported } = collect({ url: server.url });
    await addAll(makeEvents(200));
    await collector.close();
    expect(new Set(server.stored).size).toBe(200);
    expect(reported('delivered').length).toBe(200);
  });

  test('after no answer within the time', async () => {
    await using server = await startTestServer(({ number }) => (number <= 2 ? { kind: 'hang' } : ok));
    const { collector, addAll, troubles } = collect({ url: server.url, requestTimeoutMs: 50 });
    await addAll(makeEvents(20));
    await collector.close();
    expect(new Set(server.stored).size).toBe(20);
    expect(troubles[0]).toMatchObject({ kind: 'attempt', attempt: 1, detail: 'no answer within 50 ms' });
  });

  test('once a server that was down is there again', async () => {
    const gone = await startTestServer();
    await gone.close();
    const { collector, addAll, troubles } = collect({ url: gone.url, backoffCeilingMs: 20 });
    const events = makeEvents(500);
    await addAll(events);
    while (troubles.length < 20) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(troubles[0]?.detail).toContain('ECONNREFUSED');
    await using back = await startTestServer(() => ok, { port: Number(new URL(gone.url).port) });
    await collector.flush();
    expect([...back.stored].sort()).toEqual([...events].sort());
    await collector.close();
  });

  test('soon once the collector closes, however long it would have waited', async () => {
    await using server = await startTestServer(({ number }) =>
      number === 1 ? { kind: 'unstored', status: 500 } : ok,
    );
    const { collector, troubles, reported, addAll } = collect({
      url: server.url,
      backoffMs: 1e9,
      backoffCeilingMs: 1e9,
    });
    const events = makeEvents(3);
    await addAll(events);
    void collector.flush();
    await expect.poll(() => troubles.length).toBe(1);
    expect((await collector.close({ timeoutMs: 20_000 })).undelivered).toEqual([]);
    expect(reported('delivered')).toEqual(events);
  });

  test('where the dialect says so, whatever the status', async () => {
    await using server = await startTestServer();
    let asked = 0;
    const doubtful = testRoute({
      judge: () => (++asked < 3 ? { kind: 'failed', detail: 'code 500' } : { kind: 'delivered' }),
    });
    const { collector, reports } = collect({ url: server.url });
    await collector.add(doubtful, '{"id":1}');
    await collector.close();
    expect([server.requests.length, reports.length, reports[0]?.kind]).toEqual([3, 1, 'delivered']);
  });
});

describe('Retry-After', () => {
  test('holds all requests for its time', async () => {
    const times: number[] = [];
    await using server = await startTestServer(({ number }) => {
      times.push(performance.now());
      return number === 1 ? { kind: 'unstored', status: 429, headers: { 'retry-after': '1' } } : ok;
    });
    const { collector, addAll } = collect({ url: server.url, connections: 2 });
    await collector.add(testRoute({ limits: { events: 1, bytes: 100 } }), '{"id":"first"}');
    while (server.requests.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    // Its answer is on its way.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await addAll(makeEvents(100));
    await collector.close();
    const [first = 0, second = 0] = times;
    expect(second - first).toBeGreaterThan(990);
    expect(server.stored.length).toBe(101);
  });

  test('is obeyed up to a ceiling', async () => {
    await using server = await startTestServer(({ number }) =>
      number === 1 ? { kind: 'unstored', status: 503, headers: { 'retry-after': '86400' } } : ok,
    );
    const { collector, addAll, troubles } = collect({ url: server.url, retryAfterCeilingMs: 30 });
    await addAll(makeEvents(10));
    await collector.close();
    expect(troubles[0]?.retryInMs).toBeGreaterThanOrEqual(30);
    expect(troubles[0]?.retryInMs).toBeLessThanOrEqual(32);
    expect(server.stored.length).toBe(10);
  });
});

describe('what is never sent again', () => {
  test.each([400, 401, 403, 404, 409, 422, 301])('is what got a %i, and it is reported', async (status) => {
    await using server = await startTestServer(() => ({ kind: 'unstored', status }));
    const { collector, addAll, reported, reports } = collect({ url: server.url });
    await addAll(makeEvents(10));
    await collector.flush();
    expect(server.requests.length).toBe(1);
    expect(reported('refused')).toEqual(makeEvents(10));
    expect(reports[0]?.detail).toContain(String(status));
    await collector.close();
  });

  test('is what failed once more than the retry limit, and it is reported', async () => {
    await using server = await startTestServer(() => broken);
    const { collector, addAll, reported, troubles } = collect({ url: server.url, retryLimit: 3 });
    await addAll(makeEvents(10));
    await collector.flush();
    expect(server.requests.length).toBe(4);
    expect(troubles.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(reported('undelivered')).toEqual(makeEvents(10));
    expect((await collector.close()).undelivered).toEqual([]);
  });
});

test('what is too large for the server is sent in halves, and refused where one event is', async () => {
  await using server = await startTestServer(({ events }) =>
    events.length > 3 || events.some((event) => event.includes('large'))
      ? { kind: 'unstored', status: 413 }
      : ok,
  );
  const { collector, addAll, reported } = collect({ url: server.url });
  const events = [...makeEvents(9), '{"id":"large"}'];
  await addAll(events);
  await collector.close();
  expect(reported('delivered')).toEqual(makeEvents(9));
  expect(reported('refused')).toEqual(['{"id":"large"}']);
  expect(server.stored).toEqual(makeEvents(9));
});

test('callbacks that throw stop nothing', async () => {
  await using server = await startTestServer(({ number }) => (number === 1 ? broken : ok));
  const collector = batch({
    url: server.url,
    backoffMs: 1,
    onDelivery: () => {
      throw new Error('mine');
    },
    onError: () => {
      throw new Error('mine too');
    },
  });
  for (const json of makeEvents(100)) void collector.add(route, json);
  await collector.close();
  expect(server.stored.length).toBe(100);
});
