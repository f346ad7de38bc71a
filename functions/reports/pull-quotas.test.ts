import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { changeGroupState, readGroupState } from './group-state.ts';
import { learn } from './plan.ts';
import type { OrderedSlice } from './pull-order.ts';
import { createTinyService, deferral, orderSlice, tinyEntity, tinyReport } from './service-for-test.ts';
import { type StartedReports, startReports } from './start-for-test.ts';

const hourMs = 3_600_000;
const keys = ['summary', 'countries', 'devices', 'social', 'sources', 'articles', 'pages'];

let reports: StartedReports;
let tiny: ReturnType<typeof createTinyService>;
let property: string;
let tests = 0;

beforeAll(async () => {
  reports = await startReports({ nowMs: 0 });
}, 60_000);
afterAll(() => reports.close());
beforeEach(() => {
  property = `p${++tests}`;
  reports.clock.nowMs = Date.parse('2026-03-06T07:00:00Z');
  reports.logged.length = 0;
  tiny = createTinyService(
    [tinyEntity(property)],
    keys.map((key) => tinyReport(key, [property])),
  );
});

const ordered = (report: string, given: Partial<OrderedSlice> = {}) =>
  orderSlice({ entityId: property, report, date: '2026-03-05', ...given });
const pull = (...slices: OrderedSlice[]) =>
  reports.pull({ version: 1, source: 'tiny', probeGroup: property, slices }, { services: [tiny.service] });

/** A property with so many tokens an hour, which really go down. `refill` is an hour later, after the probe of a poll. */
function limitHour(most: number) {
  let left = most;
  let counted = 0;
  const spend = () => {
    const asked = tiny.seen.batches.flat().length;
    left = Math.max(0, left - (asked - counted) * tiny.truth.tokens);
    counted = asked;
    return left;
  };
  tiny.truth.quotaRemaining = Object.defineProperty({}, 'tokensPerHour', { get: spend, enumerable: true });
  return {
    async refill() {
      spend();
      reports.clock.nowMs += hourMs;
      left = most - 1;
      const probe = { tokens: 1, quotaRemaining: { tokensPerHour: left } };
      await changeGroupState(reports.pullOptions, 'tiny', property, (state) =>
        learn(state, [probe], [], reports.clock.nowMs),
      );
    },
  };
}

describe('quotas', () => {
  test('are kept to their reserve: what does not fit waits for the bucket, in no function that sleeps', async () => {
    tiny.truth.quotaRemaining = { tokensPerHour: 100, tokensPerDay: 1_000, concurrentRequests: 10 };
    tiny.truth.tokens = 15;
    expect(await pull(ordered('summary'))).toMatchObject({ pulled: 1 });
    tiny.truth.quotaRemaining.tokensPerHour = 30;
    // Of 115 the five take 55, one of them as learned; of the 30 that are left then 23 are the reserve.
    expect(await pull(...keys.map((key) => ordered(key, { ladderDay: 2 })))).toMatchObject({
      pulled: 5,
      deferred: 2,
    });
    const state = await readGroupState(reports.pullOptions, 'tiny', property);
    expect(state.holds).toMatchObject([
      { scope: 'group', reason: 'tokensPerHour', until: reports.clock.nowMs + hourMs },
    ]);
    expect(await pull(ordered('articles'))).toMatchObject({ kind: 'done', pulled: 0, deferred: 1 });
    expect(tiny.seen.batches).toHaveLength(2);
    reports.clock.nowMs += hourMs;
    tiny.truth.quotaRemaining.tokensPerHour = 100;
    expect(await pull(ordered('articles'))).toMatchObject({ kind: 'done', pulled: 1 });
    expect(reports.logged).toEqual([]);
  });

  test('too small for a batch have it asked for in smaller ones, in as many hours as that takes', async () => {
    const quota = limitHour(40);
    const wanted = keys.map((key) => ordered(key));
    const pulled: number[] = [];
    // Of 40 tokens 8 are the reserve and a probe takes one: three slices of 10 an hour, never five.
    for (let hour = 0; hour < 3; hour++) {
      await quota.refill();
      pulled.push((await pull(...wanted)).pulled);
    }
    expect(pulled).toEqual([3, 3, 1]);
    expect(tiny.seen.batches.map((batch) => batch.length)).toEqual([3, 3, 1]);
  });

  test('whose reserve one slice never leaves are spent on it alone, when they are full', async () => {
    const quota = limitHour(40);
    tiny.truth.tokens = 35;
    await quota.refill();
    expect(await pull(ordered('pages'))).toMatchObject({ pulled: 1 });
    await quota.refill();
    const both = [ordered('pages', { ladderDay: 2 }), ordered('countries')];
    expect(await pull(...both)).toMatchObject({ kind: 'done', pulled: 1, deferred: 1 });
    await quota.refill();
    expect(await pull(...both)).toMatchObject({ kind: 'done', pulled: 1, skipped: 1 });
    const asked = tiny.seen.batches.map((batch) => batch.map(({ report }) => report.key));
    expect(asked).toEqual([['pages'], ['countries'], ['pages']]);
    expect(reports.logged).toEqual([]);
  });

  test('that refuse one slice alone when they are full end in one error that names both, and hold back no other', async () => {
    const quota = limitHour(40);
    tiny.truth.tokens = 35;
    await quota.refill();
    await pull(ordered('pages'));
    tiny.truth.tokens = 10;
    tiny.truth.failPull = ({ report }) =>
      report.key === 'pages' ? deferral(reports.clock.nowMs) : undefined;
    const both = [ordered('pages', { ladderDay: 2 }), ordered('countries', { ladderDay: 2 })];
    await quota.refill();
    expect(await pull(both[0] ?? ordered('pages'))).toMatchObject({ kind: 'done', failed: 1 });
    expect(await pull(...both)).toMatchObject({ kind: 'done', pulled: 1, deferred: 1 });
    for (let hour = 0; hour < 2; hour++) {
      await quota.refill();
      expect(await pull(...both)).toMatchObject({ kind: 'done', failed: 1, skipped: 1 });
    }
    expect(reports.logged).toMatchObject([
      {
        severity: 'ERROR',
        message: expect.stringMatching(/pages .* 35 tokens.* tokensPerHour /),
        entity_id: property,
        report: 'pages@h1',
        reason: 'quota_too_small',
      },
    ]);
    tiny.truth.failPull = () => undefined;
    await quota.refill();
    expect(await pull(...both)).toMatchObject({ pulled: 1 });
    expect((await readGroupState(reports.pullOptions, 'tiny', property)).holds).toEqual([]);
  });

  test('that the API says are used up hold the property back until it says', async () => {
    tiny.truth.failPull = () => deferral(reports.clock.nowMs);
    expect(await pull(ordered('summary'), ordered('countries'))).toMatchObject({
      kind: 'done',
      pulled: 0,
      failed: 2,
    });
    expect(await pull(ordered('summary'))).toMatchObject({ kind: 'done', deferred: 1 });
    expect(tiny.seen.batches).toHaveLength(1);
    expect(reports.logged.filter(({ severity }) => severity === 'ERROR')).toEqual([]);
  });
});
