import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { batch } from '../collectors/batch.ts';
import { makeEvents, ok, startTestServer, testRoute } from './server-for-test.ts';

const route = testRoute();
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'spill-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const collect = (url: string) =>
  batch({
    url,
    connections: 1,
    backoffMs: 1,
    backoffCeilingMs: 5,
    maxAgeMs: 10,
    queueEvents: 50,
    whenFull: { spill: dir },
  });

test('what does not fit in memory waits on disk, and all of it is sent in its order', async () => {
  await using server = await startTestServer(({ number }) => (number === 1 ? { kind: 'hang' } : ok));
  const collector = collect(server.url);
  const events = makeEvents(2000);
  for (const json of events) await collector.add(route, json);
  await server.requested(1);
  server.release();
  await collector.flush();
  expect(server.stored).toEqual(events);
  expect(await collector.close()).toEqual({ undelivered: [], kept: 0 });
});

test('what a closing process could not deliver, memory included, is sent by the next', async () => {
  const gone = await startTestServer();
  await gone.close();
  const collector = collect(gone.url);
  const events = makeEvents(200);
  for (const json of events) await collector.add(route, json);
  expect(await collector.close({ timeoutMs: 50 })).toEqual({ undelivered: [], kept: 200 });

  await using server = await startTestServer();
  const next = collect(server.url);
  await next.add(route, '{"id":"next"}');
  await next.flush();
  expect([...new Set(server.stored)].sort()).toEqual([...events, '{"id":"next"}'].sort());
  expect(await next.close()).toEqual({ undelivered: [], kept: 0 });
});
