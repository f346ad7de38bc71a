import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readTable } from '../../test/markdown-table.ts';
import { readText } from '../../test/repository-files.ts';
import { ingestCounts } from './metrics.ts';
import { startIngest } from './start-for-test.ts';

const event = (change: object) => ({
  appid: 'shop',
  xwho: 'visitor',
  xwhat: 'view',
  xwhen: Date.now(),
  xcontext: {},
  ...change,
});

const kinds = {
  accepted: event({}),
  quarantined: event({ xwho: 7 }),
  // The settings keep none of it.
  dropped: event({ appid: 'stranger' }),
} as const;
type Kind = keyof typeof kinds;

describe('what ingest counts', () => {
  let ingest: Awaited<ReturnType<typeof startIngest>>;
  beforeAll(async () => {
    ingest = await startIngest({
      settings: {
        projects: { shop: {}, flood: { rateLimit: { eventsPerSecond: 0.001, burst: 1 } } },
        unknownProjectsPerDay: 0,
      },
      caps: { body: 20_000 },
    });
  });
  afterAll(() => ingest.close());
  beforeEach(() => {
    for (const key of Object.keys(ingest.counts)) ingest.counts[key as keyof typeof ingestCounts] = 0;
  });

  const post = async (body: string | object[]) =>
    (
      await fetch(`${ingest.url}/up`, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
    ).status;

  const expectConserved = () => {
    const { counts } = ingest;
    expect(counts.requestsReceived).toBe(
      counts.requestsStored + counts.requestsLimited + counts.requestsUnstored + counts.requestsAborted,
    );
    expect(counts.eventsReceived).toBe(
      counts.eventsAccepted +
        counts.eventsDuplicate +
        counts.eventsQuarantined +
        counts.eventsDropped +
        counts.eventsLimited,
    );
    expect(counts.messagesMade).toBe(
      counts.messagesPublished + counts.messagesSpilled + counts.messagesUnstored,
    );
  };

  test('is every event of every request, whatever became of it', async () => {
    const kind = fc.constantFrom<Kind>('accepted', 'quarantined', 'dropped');
    const body = fc.oneof(
      fc.array(kind, { minLength: 1, maxLength: 20 }),
      fc.constantFrom('broken {', '', '[]', 'x'.repeat(30_000)),
    );
    const sent = { accepted: 0, quarantined: 0, dropped: 0 };
    let requests = 0;
    await fc.assert(
      fc.asyncProperty(body, async (given) => {
        requests++;
        await post(typeof given === 'string' ? given : given.map((one) => kinds[one]));
        if (typeof given !== 'string') for (const one of given) sent[one]++;
        else if (given !== '[]') sent.quarantined++;
        expectConserved();
      }),
      { numRuns: 60 },
    );
    const { counts } = ingest;
    expect(counts.requestsReceived).toBe(requests);
    expect(counts.eventsAccepted).toBe(sent.accepted);
    expect(counts.eventsQuarantined).toBe(sent.quarantined);
    expect(counts.eventsDropped).toBe(sent.dropped);
    expect(counts.messagesPublished).toBe(ingest.published());
  });

  test('tells what was over a rate limit by what its sender heard: in quarantine, or limited', async () => {
    const flood = event({ appid: 'flood' });
    expect(await post([flood])).toBe(200);
    expect(await post([flood, kinds.accepted])).toBe(200);
    expect(ingest.counts).toMatchObject({ requestsStored: 2, eventsAccepted: 2, eventsQuarantined: 1 });
    expectConserved();
    const { status } = await fetch(`${ingest.url}/v1/batch`, {
      method: 'POST',
      body: JSON.stringify({
        writeKey: 'flood',
        batch: [1, 2].map((id) => ({ type: 'track', event: 'view', userId: 'ada', messageId: `m-${id}` })),
      }),
    });
    expect(status).toBe(429);
    expect(ingest.counts).toMatchObject({ requestsStored: 2, requestsLimited: 1, eventsLimited: 2 });
    expect(ingest.counts.messagesMade).toBe(2);
    expectConserved();
  });

  test('tells whether messages were published, spilled or neither', async () => {
    ingest.pubsubFaults.publishUnavailableRate = 1;
    expect(await post([kinds.accepted])).toBe(200);
    expect(ingest.counts).toMatchObject({ messagesMade: 1, messagesSpilled: 1, requestsStored: 1 });
    expect(await ingest.spilled()).toBe(1);
    ingest.storageFaults.unavailableRate = 1;
    expect(await post([kinds.accepted])).toBe(503);
    expect(ingest.counts).toMatchObject({ messagesMade: 2, messagesUnstored: 1, requestsUnstored: 1 });
    ingest.pubsubFaults.publishUnavailableRate = 0;
    ingest.storageFaults.unavailableRate = 0;
    await ingest.settled();
    expectConserved();
  });

  test('has requests that break off, and none that are not for it', async () => {
    const socket = connect(ingest.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n[');
    await expect.poll(() => ingest.counts.requestsReceived).toBe(1);
    socket.destroy();
    await expect.poll(() => ingest.counts.requestsAborted).toBe(1);
    await fetch(ingest.url);
    await fetch(`${ingest.url}/elsewhere`, { method: 'POST', body: '[]' });
    expect(ingest.counts.requestsReceived).toBe(1);
    expectConserved();
  });
});

test('its README tells of every count', () => {
  const rows = readTable(readText('functions/ingest/README.md'), '| Metric ');
  expect(rows).toEqual(
    Object.values(ingestCounts).map(({ name, unit, description }) => [name, unit, description]),
  );
});
