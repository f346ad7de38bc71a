import { describe, expect, test } from 'vitest';
import type { DeliveryReport, DeliveryTrouble } from '../delivery/route.ts';
import { broken, makeEvents, ok, startTestServer, testRoute } from '../delivery/server-for-test.ts';
import { type BatchOptions, batch } from './batch.ts';

const route = testRoute();
const quick = { backoffMs: 2, maxAgeMs: 60_000 } as const;

/** A collector with all that it reported. */
function collect(options: BatchOptions) {
  const reports: DeliveryReport[] = [];
  const troubles: DeliveryTrouble[] = [];
  const collector = batch({
    ...quick,
    onDelivery: (report) => reports.push(report),
    onError: (trouble) => troubles.push(trouble),
    ...options,
  });
  const reported = (kind: DeliveryReport['kind']) =>
    reports.filter((report) => report.kind === kind).flatMap(({ events }) => events);
  const addAll = (events: readonly string[], by = route) =>
    Promise.all(events.map((json) => collector.add(by, json)));
  return { collector, reports, troubles, reported, addAll };
}

describe('a batch', () => {
  test('is sent when it has as many events as the route allows, in their order', async () => {
    await using server = await startTestServer();
    const { collector, addAll } = collect({ url: server.url, connections: 1 });
    const events = makeEvents(25);
    await addAll(events);
    await server.requested(2);
    expect(server.requests.map((request) => request.events.length)).toEqual([10, 10]);
    await collector.close();
    expect(server.requests.map((request) => request.events.length)).toEqual([10, 10, 5]);
    expect(server.stored).toEqual(events);
  });

  test('is sent before its JSON has more bytes than allowed, counted in UTF-8', async () => {
    await using server = await startTestServer();
    const { collector, addAll } = collect({ url: server.url, maxBytes: 60 });
    await addAll(Array.from({ length: 4 }, () => JSON.stringify('ééééééééééé')));
    await collector.close();
    expect(server.requests.map((request) => request.events.length)).toEqual([2, 2]);
  });

  test('of an event that is larger than allowed alone holds that event', async () => {
    await using server = await startTestServer();
    const { collector, addAll } = collect({ url: server.url, maxBytes: 20, connections: 1 });
    await addAll(['"a"', JSON.stringify('b'.repeat(50)), '"c"']);
    await collector.close();
    expect(server.requests.map((request) => request.events.length)).toEqual([1, 1, 1]);
  });

  test('has at most the collector’s number of events, and never more than the route’s', async () => {
    await using server = await startTestServer();
    const few = collect({ url: server.url, maxEvents: 3 });
    await few.addAll(makeEvents(6));
    await few.collector.close();
    const many = collect({ url: server.url, maxEvents: 1000 });
    await many.addAll(makeEvents(10));
    await many.collector.close();
    expect(server.requests.map((request) => request.events.length)).toEqual([3, 3, 10]);
  });

  test('is sent when its oldest event has waited long enough, with nobody asking', async () => {
    await using server = await startTestServer();
    const { collector } = collect({ url: server.url, maxAgeMs: 20 });
    await collector.add(route, '{"id":1}');
    await server.requested(1);
    await collector.add(route, '{"id":2}');
    await server.requested(2);
    expect(server.stored).toEqual(['{"id":1}', '{"id":2}']);
    await collector.close();
  });

  test('holds events of one route, whose path is added to the url once', async () => {
    await using server = await startTestServer();
    const other = testRoute({
      name: 'other',
      encode: (events) => ({ path: '/item?stm=1', headers: {}, body: events.bytes }),
    });
    const { collector, addAll } = collect({ url: `${server.url}/base/up/`, connections: 1 });
    await addAll(makeEvents(2, 'one'));
    await addAll(makeEvents(2, 'two'), other);
    await collector.close();
    expect(server.requests.map(({ path, events }) => [path, events.length])).toEqual([
      ['/base/up', 2],
      ['/base/up/item?stm=1', 2],
    ]);
  });

  test('that cannot be encoded is refused, and the others are sent', async () => {
    await using server = await startTestServer();
    const broke = testRoute({
      name: 'broke',
      encode: () => {
        throw new TypeError('no such codec');
      },
    });
    const { collector, addAll, reports } = collect({ url: server.url });
    await addAll(makeEvents(1), broke);
    await addAll(makeEvents(1));
    await collector.flush();
    expect(reports).toContainEqual(
      expect.objectContaining({ kind: 'refused', detail: 'TypeError: no such codec' }),
    );
    expect(server.stored).toHaveLength(1);
  });
});

describe('connections', () => {
  test('are no more than allowed, kept and used again', async () => {
    await using server = await startTestServer(({ number }) => (number <= 4 ? { kind: 'hang' } : ok));
    const { collector, addAll } = collect({ url: server.url });
    await addAll(makeEvents(500));
    await server.requested(4);
    server.release();
    await collector.close();
    expect([server.mostAtOnce, server.connections, server.requests.length]).toEqual([4, 4, 50]);
  });

  test('may be one, which keeps the order even where requests fail', async () => {
    await using server = await startTestServer(({ number }) => (number % 3 === 0 ? broken : ok));
    const { collector, addAll } = collect({ url: server.url, connections: 1 });
    const events = makeEvents(200);
    await addAll(events);
    await collector.close();
    expect(server.stored).toEqual(events);
  });

  test('that the server closed meanwhile are replaced', async () => {
    await using server = await startTestServer();
    const { collector, addAll, reported } = collect({ url: server.url });
    await addAll(makeEvents(1));
    await collector.flush();
    await server.close();
    await using again = await startTestServer(() => ok, { port: Number(new URL(server.url).port) });
    await addAll(makeEvents(1, 'later'));
    await collector.flush();
    expect(again.stored).toEqual(['{"id":"later-0"}']);
    expect(reported('delivered')).toHaveLength(2);
    await collector.close();
  });
});

describe('a full queue', () => {
  const full = { maxEvents: 5, queueEvents: 10, connections: 1 } as const;

  test('lets callers wait until there is room', async () => {
    await using server = await startTestServer(({ number }) => (number === 1 ? { kind: 'hang' } : ok));
    const { collector, addAll } = collect({ url: server.url, ...full });
    await addAll(makeEvents(9));
    let isTaken = false;
    const waits = collector.add(route, '{"id":"last"}').then(() => {
      isTaken = true;
    });
    await server.requested(1);
    expect(isTaken).toBe(false);
    server.release();
    await waits;
    await collector.close();
    expect(server.stored).toHaveLength(10);
  });

  test('takes what callers who do not wait hand over all the same', async () => {
    await using server = await startTestServer();
    const { collector } = collect({ url: server.url, ...full });
    const events = makeEvents(1000);
    for (const json of events) void collector.add(route, json);
    await collector.close();
    expect(server.stored).toEqual(events);
  });

  test('refuses with an error where that is the policy, and takes again once there is room', async () => {
    await using server = await startTestServer(({ number }) => (number === 1 ? { kind: 'hang' } : ok));
    const { collector, addAll } = collect({ url: server.url, ...full, whenFull: 'refuse' });
    await addAll(makeEvents(10));
    await expect(collector.add(route, '{"id":"refused"}')).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    await server.requested(1);
    server.release();
    await collector.flush();
    await collector.add(route, '{"id":"taken"}');
    await collector.close();
    expect(server.stored).toEqual([...makeEvents(10), '{"id":"taken"}']);
  });

  test('is full by bytes as well', async () => {
    await using server = await startTestServer(() => ({ kind: 'hang' }));
    const { collector } = collect({ url: server.url, queueBytes: 20, whenFull: 'refuse' });
    await collector.add(route, JSON.stringify('a'.repeat(30)));
    await expect(collector.add(route, '"b"')).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    await collector.close({ timeoutMs: 0 });
  });

  test('of a hundred thousand events from one loop is delivered whole', async () => {
    await using server = await startTestServer();
    const { collector, reported } = collect({ url: server.url });
    const events = makeEvents(100_000);
    const wide = testRoute({ limits: { events: 500, bytes: 1_000_000 } });
    for (const json of events) void collector.add(wide, json);
    await collector.close();
    expect(server.stored.length).toBe(100_000);
    expect(new Set(server.stored).size).toBe(100_000);
    expect(reported('delivered').length).toBe(100_000);
  });
});

describe('options', () => {
  test.each([
    [{ url: 'example.com' }, 'url'],
    [{ url: 'ftp://example.com' }, 'url'],
    [{ url: 'http://example.com', connections: 7 }, 'connections is 7; it must be 1 to 6'],
    [{ url: 'http://example.com', requestTimeoutMs: 0 }, 'requestTimeoutMs'],
    [{ url: 'http://example.com', maxAgeMs: 2 ** 31 }, 'maxAgeMs'],
    [{ url: 'http://example.com', retryLimit: -1 }, 'retryLimit'],
    [{ url: 'http://example.com', maxEvents: 0 }, 'maxEvents'],
  ])('that cannot be are refused by their name: %j', (options, message) => {
    expect(() => batch(options)).toThrow(message);
  });
});
