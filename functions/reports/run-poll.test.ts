import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { takeLease } from '../../shared/google/lease.ts';
import type { PullOrder } from './pull-order.ts';
import { createTinyService, tinyEntity, tinyReport } from './service-for-test.ts';
import type { Failure, Problem } from './services/service.ts';
import { type StartedReports, startReports } from './start-for-test.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

let reports: StartedReports;
let tiny: ReturnType<typeof createTinyService>;
let property: string;
let tests = 0;

beforeAll(async () => {
  reports = await startReports({ nowMs: 0 });
}, 60_000);
afterAll(() => reports.close());
// Each test has properties of its own, and days that no other test has.
beforeEach(async () => {
  tests++;
  property = `p${tests}`;
  reports.clock.nowMs = Date.parse('2021-03-04T07:00:00Z') + tests * 84 * dayMs;
  reports.logged.length = 0;
  tiny = serve(['summary', 'countries']);
  await reports.ordered();
  await reports.bucket.find('reports/poll.json', 5_000).then(async (found) => {
    if (found !== undefined) await reports.bucket.remove(found.name, found.generation, 5_000);
  });
});

const serve = (keys: readonly string[], others: readonly string[] = []) =>
  createTinyService(
    [property, ...others].map((id) => tinyEntity(id)),
    keys.map((key) => tinyReport(key, [property, ...others], key === 'weekly' ? { grain: 'week' } : {})),
  );
const poll = () => reports.poll({ services: [tiny.service] });
const pull = async (orders: readonly PullOrder[]) => {
  for (const order of orders) {
    expect(await reports.pull(order, { services: [tiny.service] })).toMatchObject({ kind: 'done' });
  }
};
const day = (back: number) => new Date(reports.clock.nowMs - back * dayMs).toISOString().slice(0, 10);
const linesOf = (orders: readonly PullOrder[]) =>
  orders.flatMap(({ slices }) =>
    slices.map((one) => `${one.report} ${one.date} ${one.cause} ${one.ladderDay}`),
  );
const failure = (given: Partial<Failure>): Failure => ({
  kind: 'stopped_owner',
  entityId: null,
  reason: 'invalid_grant',
  message: 'The token of the owner was revoked. Authorize it again.',
  notBefore: null,
  alert: true,
  ...given,
});

describe('a poll', () => {
  test('orders what is complete, with the rule, and leaves what is not', async () => {
    reports.clock.nowMs -= 2 * hourMs;
    expect(await poll()).toEqual({
      kind: 'polled',
      judged: 3,
      settled: 2,
      ordered: 4,
      messages: 1,
      failed: 0,
    });
    const [order] = await reports.ordered();
    expect(order).toMatchObject({ version: 1, source: 'tiny', probeGroup: property });
    expect(linesOf([order!])).toEqual([
      // Two days after its end one reading covers two steps.
      `summary ${day(3)} first 2`,
      `countries ${day(3)} first 2`,
      `summary ${day(2)} first 1`,
      `countries ${day(2)} first 1`,
    ]);
    expect(order?.slices[0]).toMatchObject({ entityId: property, rule: 'R1_full', flags: [] });
  });

  test('stores every verdict with its proof, and never asks about a complete day again', async () => {
    await poll();
    expect(tiny.seen.probedDays).toEqual([3, 2, 1].map((back) => `${property} ${day(back)}`));
    reports.clock.nowMs += hourMs;
    await poll();
    expect(tiny.seen.probedDays).toHaveLength(3);
    const rows = await reports.query(`
      SELECT CAST(date AS STRING) AS date, gate, verdict, rule, JSON_VALUE(proof, '$.timeZone') AS zone
      FROM report_availability_latest WHERE entity_id = '${property}' ORDER BY date`);
    const rest = { gate: 'day', verdict: 'available', rule: 'R1_full', zone: 'Etc/UTC' };
    expect(rows).toEqual([3, 2, 1].map((back) => ({ date: day(back), ...rest })));
  });

  test('asks about a day that waits when its time has come, and stores that it is too early once', async () => {
    reports.clock.nowMs -= 3 * hourMs;
    for (let times = 0; times < 3; times++) await poll();
    expect(tiny.seen.probedDays).toHaveLength(3);
    reports.clock.nowMs += 2 * hourMs;
    expect(await poll()).toMatchObject({ judged: 1, settled: 1 });
    expect(tiny.seen.probedDays.at(-1)).toBe(`${property} ${day(1)}`);
  });

  test('that comes twice, or side by side with another, orders once', async () => {
    const first = await Promise.all([1, 2, 3].map(() => poll()));
    expect(first.map(({ kind }) => kind).sort()).toEqual(['busy', 'busy', 'polled']);
    expect(await poll()).toMatchObject({ kind: 'polled', ordered: 0 });
    expect(linesOf(await reports.ordered())).toHaveLength(6);
  });

  test('orders again what was given back, and what was lost for hours', async () => {
    await poll();
    await reports.ordered();
    reports.clock.nowMs += hourMs;
    expect(await poll()).toMatchObject({ ordered: 0 });
    reports.clock.nowMs += 5.5 * hourMs;
    // Where it is the day after tomorrow's eve already, the oldest of the three days is left to backfill.
    expect(await poll()).toMatchObject({ ordered: 4 });
    tiny.truth.failPull = () =>
      failure({
        kind: 'deferred',
        reason: 'tokens_per_hour',
        alert: false,
        notBefore: new Date(reports.clock.nowMs + hourMs),
      });
    await pull(await reports.ordered());
    expect(await poll()).toMatchObject({ ordered: 0 });
    reports.clock.nowMs += hourMs;
    expect(await poll()).toMatchObject({ ordered: 4 });
  });

  test('while another one has the lease does nothing, and one that lost it writes nothing more', async () => {
    const { bucket, now, callWithinMs } = reports.pollOptions;
    const object = 'reports/leases/poll.json';
    const lease = await takeLease({ bucket, object, now, callWithinMs, lastsMs: 60_000 });
    expect(await poll()).toMatchObject({ kind: 'busy', judged: 0 });
    await lease?.release();
    const slow = {
      ...tiny.service,
      checkReports: async () => {
        reports.clock.nowMs += hourMs;
        return [];
      },
    };
    expect(await reports.poll({ services: [slow], withinMs: 10 * hourMs })).toMatchObject({
      kind: 'overtaken',
    });
    expect(await reports.ordered()).toEqual([]);
    expect(await poll()).toMatchObject({ kind: 'polled', ordered: 6 });
  });

  test('while Pub/Sub is down fails, and the next one orders all', async () => {
    const send = () => Promise.reject(new Error('Pub/Sub is down'));
    await expect(reports.poll({ services: [tiny.service], send })).rejects.toThrow('Pub/Sub is down');
    expect(await poll()).toMatchObject({ ordered: 6 });
  });

  test('of which one property fails goes on with the others', async () => {
    tiny = serve(['summary'], [`${property}-other`]);
    tiny.truth.failProbe = (group) =>
      group === property
        ? failure({ kind: 'stopped_entity', entityId: property, reason: 'permission_denied' })
        : undefined;
    expect(await poll()).toMatchObject({ kind: 'polled', failed: 1, ordered: 3 });
    expect((await reports.ordered()).map(({ probeGroup }) => probeGroup)).toEqual([`${property}-other`]);
  });
});

describe('a slice', () => {
  test('is read again 2, 3, 7 and 28 days after its end, and then no more', async () => {
    tiny = serve(['summary']);
    const date = day(1);
    const ladder: string[] = [];
    let passed = 0;
    for (const days of [0, 1, 2, 3, 4, 6, 7, 8, 27, 28, 29, 40]) {
      reports.clock.nowMs += (days - passed) * dayMs;
      passed = days;
      await poll();
      const orders = (await reports.ordered()).map((order) => ({
        ...order,
        slices: order.slices.filter((one) => one.date === date),
      }));
      await pull(orders);
      ladder.push(...linesOf(orders).map((line) => `${line} in the night after ${days} days`));
    }
    expect(ladder).toEqual([
      `summary ${date} first 1 in the night after 0 days`,
      `summary ${date} ladder 2 in the night after 2 days`,
      `summary ${date} ladder 3 in the night after 3 days`,
      `summary ${date} ladder 7 in the night after 7 days`,
      `summary ${date} ladder 28 in the night after 28 days`,
    ]);
  });

  test('of a week is ordered once its Sunday is complete and none of its days waits', async () => {
    tiny = serve(['weekly']);
    // From a Thursday to the Monday.
    reports.clock.nowMs += 4 * dayMs - 2 * hourMs;
    const sunday = day(1);
    expect(await poll()).toMatchObject({ settled: 2, ordered: 0 });
    reports.clock.nowMs += 2 * hourMs;
    await poll();
    expect(linesOf(await reports.ordered())).toEqual([`weekly ${sunday} first 1`]);
  });
});

describe('what somebody must act on', () => {
  test('is alerted once, stops that owner, and is tried again every hour', async () => {
    const other = `${property}-other`;
    tiny = serve(['summary'], [other]);
    tiny.truth.failProbe = (group) => (group === property ? failure({}) : undefined);
    for (let hours = 0; hours < 2; hours++) {
      await poll();
      await poll();
      reports.clock.nowMs += hourMs;
    }
    expect(reports.logged.filter(({ severity }) => severity === 'ERROR')).toMatchObject([
      {
        probe_group: property,
        reason: 'invalid_grant',
        kind: 'stopped_owner',
        message: expect.stringContaining('revoked'),
      },
    ]);
    // One probe of the other, which is complete, and one an hour of this.
    expect(tiny.seen.probes).toBe(1 + 2);
    expect((await reports.ordered()).map(({ probeGroup }) => probeGroup)).toEqual([other]);
    tiny.truth.failProbe = () => undefined;
    expect(await poll()).toMatchObject({ settled: 3, ordered: 3 });
    tiny.truth.failProbe = () => failure({});
    reports.clock.nowMs += dayMs;
    await poll();
    expect(reports.logged.filter(({ severity }) => severity === 'ERROR')).toHaveLength(3);
  });

  test('of one channel of an owner is alerted once, however many new days begin', async () => {
    const [own, lost] = [`${property}-own`, `${property}-lost`];
    tiny = createTinyService(
      [own, lost].map((id) => tinyEntity(id, property)),
      [tinyReport('summary', [own, lost])],
    );
    tiny.truth.failEntity = (id) =>
      id === lost ? failure({ kind: 'stopped_entity', entityId: lost, reason: 'unlinked' }) : undefined;
    const started = reports.clock.nowMs;
    for (let hours = 0; hours < 48; hours += 4) {
      reports.clock.nowMs = started + hours * hourMs;
      await poll();
    }
    const alerts = () => reports.logged.filter(({ severity }) => severity === 'ERROR');
    expect(alerts()).toMatchObject([{ entity_id: lost, reason: 'unlinked' }]);
    tiny.truth.failEntity = () => undefined;
    reports.clock.nowMs += 2 * hourMs;
    expect(await poll()).toMatchObject({ kind: 'polled', failed: 0 });
    tiny.truth.failEntity = () =>
      failure({ kind: 'stopped_entity', entityId: lost, reason: 'unlinked', message: 'Again.' });
    reports.clock.nowMs += dayMs;
    await poll();
    expect(alerts()).toHaveLength(2);
  });

  test('in a report is named before the first pull, once, and only that report is not pulled', async () => {
    const problem: Problem = {
      report: 'countries',
      entityId: null,
      field: 'metrics',
      name: 'screenPageView',
      message:
        'The report countries names the metric screenPageView, which there is not; screenPageViews is near.',
    };
    let checks = 0;
    const checkReports = async () => {
      checks++;
      return [problem];
    };
    const service = { ...tiny.service, checkReports };
    for (let times = 0; times < 2; times++) await reports.poll({ services: [service] });
    expect(checks).toBe(1);
    expect(reports.logged.filter(({ severity }) => severity === 'ERROR')).toMatchObject([
      { name: 'screenPageView', report: 'countries' },
    ]);
    expect(
      new Set((await reports.ordered()).flatMap(({ slices }) => slices.map(({ report }) => report))),
    ).toEqual(new Set(['summary']));
  });

  test('of reports that could not be checked for want of access is told once, tried again, and pulled meanwhile', async () => {
    const problem = {
      report: 'summary',
      entityId: property,
      field: 'access',
      name: 'forbidden',
      message: 'No access.',
    };
    const checks: unknown[] = [];
    const checkReports = async (_: unknown, only?: readonly string[]) => {
      checks.push(only);
      return checks.length < 3 ? [problem] : [];
    };
    const services = [{ ...tiny.service, checkReports }];
    expect(await reports.poll({ services })).toMatchObject({ ordered: 6 });
    for (const hours of [0, 1, 1, 5]) {
      reports.clock.nowMs += hours * hourMs;
      await reports.poll({ services });
    }
    // Of the others nothing has changed since the first time.
    expect(checks).toEqual([undefined, [property], [property]]);
    expect(reports.logged.filter(({ message }) => message === 'No access.')).toMatchObject([
      { severity: 'WARNING' },
    ]);
  });

  test('of reports that could not be checked pulls nothing', async () => {
    const service = { ...tiny.service, checkReports: () => Promise.reject(new Error('no answer')) };
    expect(await reports.poll({ services: [service] })).toMatchObject({ ordered: 0, failed: 1 });
    expect(tiny.seen.probes).toBe(0);
  });
});
