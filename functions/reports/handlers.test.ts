import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startCounts } from '../../shared/host/metrics.ts';
import { readTable } from '../../test/markdown-table.ts';
import { readText } from '../../test/repository-files.ts';
import { reportsCounts } from './metrics.ts';
import { operator, pusher, serveReports } from './serve-for-test.ts';
import { createTinyService, tinyEntity, tinyReport } from './service-for-test.ts';
import { type StartedReports, startReports } from './start-for-test.ts';

let reports: StartedReports;
let served: Awaited<ReturnType<typeof serveReports>>;
const tiny = createTinyService([tinyEntity('100')], [tinyReport('summary', ['100'])]);

beforeAll(async () => {
  reports = await startReports({ nowMs: Date.parse('2026-03-06T07:00:00Z') });
  served = await serveReports(reports, [tiny.service]);
}, 60_000);
afterAll(async () => {
  await served.close();
  await reports.close();
});
beforeEach(() => {
  reports.logged.length = 0;
  Object.assign(served.counts, startCounts(reportsCounts));
});

const slice = {
  entityId: '100',
  report: 'summary',
  date: '2026-03-05',
  ladderDay: 1,
  cause: 'first',
  rule: 'R1_full',
  flags: [],
};
const order = { version: 1, source: 'tiny', probeGroup: '100', slices: [slice] };
const envelope = (data: unknown) =>
  JSON.stringify({
    message: { data: Buffer.from(JSON.stringify(data)).toString('base64'), attributes: {}, messageId: 'm1' },
    subscription: 'projects/local/subscriptions/pulls-pull',
  });
const push = (body: string, email: string | null = pusher) =>
  served.post(served.pullUrl, body, email === null ? null : { email });

describe('a call of the schedule', () => {
  test('is answered what the tick did, and counted so', async () => {
    const tick = { kind: 'polled', judged: 3, settled: 3, ordered: 3, messages: 1, failed: 0 };
    expect(await served.post(served.pollUrl, '', {})).toEqual({ status: 200, body: tick });
    expect(served.counts).toMatchObject({ ticks: 1, ticksPolled: 1, daysJudged: 3, slicesOrdered: 3 });
  });

  test('without a token, or of one who may not call, does nothing', async () => {
    expect(await served.post(served.pollUrl, '', null)).toMatchObject({ status: 401 });
    expect(await served.post(served.pollUrl, '', { email: pusher })).toMatchObject({ status: 403 });
    expect(served.counts.ticks).toBe(0);
  });

  test('while Cloud Storage is down fails, and the next one goes on', async () => {
    reports.storageFaults.unavailableRate = 1;
    expect(await served.post(served.pollUrl, '', {})).toMatchObject({ status: 503 });
    reports.storageFaults.unavailableRate = 0;
    expect(await served.post(served.pollUrl, '', {})).toMatchObject({ status: 200 });
    expect(served.counts).toMatchObject({ ticks: 2, ticksFailed: 1, ticksPolled: 1 });
  });
});

describe('a push', () => {
  test('of an order is acknowledged once it is pulled, and a second time without a call', async () => {
    expect(await push(envelope(order))).toMatchObject({ status: 204 });
    expect(await push(envelope(order))).toMatchObject({ status: 204 });
    expect(tiny.seen.batches).toHaveLength(1);
    expect(served.counts).toMatchObject({
      ordersDelivered: 2,
      ordersDone: 2,
      slicesPulled: 1,
      rowsStored: 2,
    });
  });

  test('of anyone but Pub/Sub is refused', async () => {
    expect(await push(envelope(order), null)).toMatchObject({ status: 401 });
    expect(await push(envelope(order), operator)).toMatchObject({ status: 403 });
    expect(served.counts).toMatchObject({ pushesRefused: 2, ordersDelivered: 0 });
  });

  test('that is no envelope is refused, and a message that is no order dropped, each with an alert', async () => {
    expect(await push('{}')).toMatchObject({ status: 400 });
    expect(await push(envelope({ version: 2 }))).toMatchObject({ status: 204 });
    expect(reports.logged.map(({ severity }) => severity)).toEqual(['ERROR', 'ERROR']);
  });

  test('while BigQuery refuses rows comes again', async () => {
    reports.bigqueryFaults.refuseAppends = true;
    reports.patience.appendMs = 500;
    const later = { ...order, slices: [{ ...slice, ladderDay: 2 }] };
    expect(await push(envelope(later))).toMatchObject({ status: 503 });
    reports.bigqueryFaults.refuseAppends = false;
    reports.patience.appendMs = 10_000;
    expect(await push(envelope(later))).toMatchObject({ status: 204 });
    expect(served.counts).toMatchObject({
      ordersDelivered: 2,
      ordersReturned: 1,
      ordersDone: 1,
      slicesPulled: 1,
    });
  }, 30_000);
});

test('of health needs no token', async () => {
  for (const url of [served.pollUrl, served.pullUrl]) expect((await fetch(url)).status).toBe(200);
});

test('the README tells of every count', () => {
  const rows = readTable(readText('functions/reports/README.md'), '| Metric ');
  expect(rows).toEqual(
    Object.values(reportsCounts).map(({ name, unit, description }) => [name, unit, description]),
  );
});
