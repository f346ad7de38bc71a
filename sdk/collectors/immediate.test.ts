import { expect, test } from 'vitest';
import type { DeliveryReport } from '../delivery/route.ts';
import { broken, makeEvents, ok, startTestServer, testRoute } from '../delivery/server-for-test.ts';
import { immediate } from './immediate.ts';

const route = testRoute();

test('each event goes in a request of its own, and its caller learns what became of it', async () => {
  await using server = await startTestServer();
  const collector = immediate({ url: server.url });
  expect(await collector.add(route, '{"id":1}')).toEqual({ kind: 'delivered' });
  expect(await collector.add(route, '{"id":2}')).toEqual({ kind: 'delivered' });
  expect(server.requests.map(({ body }) => body)).toEqual(['{"id":1}', '{"id":2}']);
  await collector.close();
});

test('the verdict and the id come with it where the dialect has them', async () => {
  await using server = await startTestServer();
  const accepted = { index: 0, verdict: 'accepted', event_id: 'abc' } as const;
  const refused = { index: 0, verdict: 'quarantined', reason: 'bad_length' } as const;
  const collector = immediate({ url: server.url });
  const good = testRoute({ judge: () => ({ kind: 'delivered', verdicts: [accepted] }) });
  const bad = testRoute({ judge: () => ({ kind: 'refused', detail: 'too long', verdicts: [refused] }) });
  expect(await collector.add(good, '{}')).toEqual({ kind: 'delivered', eventId: 'abc', verdict: accepted });
  expect(await collector.add(bad, '{}')).toEqual({ kind: 'refused', detail: 'too long', verdict: refused });
  await collector.close();
});

test('an error of the server is repeated up to the limit, one of the caller is not', async () => {
  await using server = await startTestServer(({ body }) =>
    body.includes('mine') ? { kind: 'unstored', status: 400 } : broken,
  );
  const collector = immediate({ url: server.url, retryLimit: 2, backoffMs: 1 });
  expect(await collector.add(route, '"theirs"')).toMatchObject({ kind: 'undelivered' });
  expect(server.requests.length).toBe(3);
  expect(await collector.add(route, '"mine"')).toMatchObject({ kind: 'refused' });
  expect(server.requests.length).toBe(4);
  await collector.close();
});

test('calls beyond the connections wait for their turn, and all of them are reported', async () => {
  await using server = await startTestServer(({ number }) =>
    number <= 3 ? { kind: 'hang' } : number % 5 === 0 ? broken : ok,
  );
  const reports: DeliveryReport[] = [];
  const collector = immediate({
    url: server.url,
    connections: 3,
    retryLimit: 50,
    backoffMs: 1,
    onDelivery: (report) => reports.push(report),
  });
  const deliveries = makeEvents(100).map((json) => collector.add(route, json));
  await server.requested(3);
  server.release();
  await collector.flush();
  expect(reports.length).toBe(100);
  expect(new Set((await Promise.all(deliveries)).map((delivery) => delivery?.kind))).toEqual(
    new Set(['delivered']),
  );
  expect([server.mostAtOnce, server.connections]).toEqual([3, 3]);
  await collector.close();
});

test('close answers what it could not deliver in its time, and takes nothing after', async () => {
  await using server = await startTestServer(() => ({ kind: 'hang' }));
  const collector = immediate({ url: server.url, connections: 1 });
  const deliveries = [collector.add(route, '"a"'), collector.add(route, '"b"')];
  const { undelivered } = await collector.close({ timeoutMs: 30 });
  expect(undelivered).toEqual([
    { route: 'test', json: '"a"' },
    { route: 'test', json: '"b"' },
  ]);
  for (const delivery of await Promise.all(deliveries)) expect(delivery?.kind).toBe('undelivered');
  await expect(collector.add(route, '"c"')).rejects.toMatchObject({ code: 'COLLECTOR_CLOSED' });
});

test('a certificate that nobody vouches for is refused, unless certificates are not verified', async () => {
  await using server = await startTestServer(() => ok, { secure: true });
  const strict = immediate({ url: server.url, retryLimit: 0 });
  expect(await strict.add(route, '1')).toMatchObject({
    kind: 'undelivered',
    detail: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT'),
  });
  await strict.close();
  const lenient = immediate({ url: server.url, verifyCertificate: false });
  expect(await lenient.add(route, '2')).toEqual({ kind: 'delivered' });
  expect(await lenient.add(route, '3')).toEqual({ kind: 'delivered' });
  await lenient.close();
  expect(server.stored).toEqual(['2', '3']);
});
