import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emptyGroupState } from './group-state.ts';
import { learn, packBatches, planBatch } from './plan.ts';
import { type OrderedSlice, packOrders, parseOrder } from './pull-order.ts';
import { tinyEntity, tinyReport } from './service-for-test.ts';

const entity = tinyEntity('1');
const slicesOf = (weights: readonly number[]) =>
  weights.map((weight, index) => ({
    entity,
    report: tinyReport(`report-${index}`, ['1'], { hash: String(weight) }),
    date: '2026-03-01',
  }));
const service = {
  batchKey: () => 'one',
  mostPerBatch: 10,
  weigh: ({ report }: { report: { hash: string } }) => Number(report.hash),
};

test('batches hold every slice once, none more than it may, and four days of nine requests fill four', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0.5, 1 / 3, 1, 2, 10)), (weights) => {
      const slices = slicesOf(weights);
      const batches = packBatches(slices, service);
      expect(batches.flat().length).toBe(slices.length);
      expect(new Set(batches.flat())).toEqual(new Set(slices));
      for (const batch of batches) {
        expect(batch.reduce((sum, slice) => sum + service.weigh(slice), 0)).toBeLessThan(10 + 1e-6);
      }
    }),
  );
  const day = [1, 1, 2, 1, 1, 1, 1, 1];
  const requests = packBatches(slicesOf([...day, ...day, ...day, ...day]), service).map((batch) =>
    batch.reduce((sum, slice) => sum + service.weigh(slice), 0),
  );
  expect(requests).toEqual([10, 10, 10, 6]);
});

test('orders hold every slice once, forty at most, and cut no date in two that fits into one', () => {
  const dates = ['2026-03-01', '2026-03-02', '2026-03-03', '2026-03-04'];
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 90 }), { maxLength: 4 }), (counts) => {
      const slices = counts.flatMap((count, index) =>
        Array.from({ length: count }, (_, it) => orderOf(dates[index] ?? '', it)),
      );
      const orders = packOrders('tiny', 'g', slices.toReversed()).map(({ data }) => parseOrder(data));
      const packed = orders.flatMap((order) => order?.slices ?? []);
      expect(new Set(packed.map((it) => JSON.stringify(it)))).toEqual(
        new Set(slices.map((it) => JSON.stringify(it))),
      );
      expect(packed.length).toBe(slices.length);
      for (const [index, count] of counts.entries()) {
        const holding = orders.filter((order) => order?.slices.some(({ date }) => date === dates[index]));
        expect(holding.length).toBe(Math.ceil(count / 40));
      }
      for (const order of orders) expect(order?.slices.length).toBeLessThanOrEqual(40);
    }),
  );
});

const orderOf = (date: string, index: number): OrderedSlice => ({
  entityId: '1',
  report: `report-${index}`,
  date,
  ladderDay: 1,
  cause: 'first',
  rule: 'R1_full',
  flags: [],
});

const nowMs = Date.parse('2026-03-06T07:00:00Z');
const hourMs = 3_600_000;
/** What the quotas leave of slices that take so many tokens each, where `hash` says how many. */
const planOf = (needs: readonly number[], quota: typeof emptyGroupState.quota, reserveShare = 0.2) =>
  planBatch(slicesOf(needs), { quota, learned: {} }, { estimate, reserveShare, nowMs });
const estimate = ({ hash }: { hash: string }) => ({ calls: 1, requests: 1, tokens: Number(hash), units: 0 });
const bucket = (remaining: number, most: number) => ({ remaining, most, at: nowMs });
const asked = (plan: ReturnType<typeof planBatch>) =>
  plan.kind === 'go' ? plan.slices.map(({ report }) => Number(report.hash)) : plan;

test('of a batch that leaves no reserve those slices go that do, in their order', () => {
  expect(asked(planOf([40, 40], { tokensPerHour: bucket(100, 100) }))).toEqual([40, 40]);
  expect(asked(planOf([40, 41], { tokensPerHour: bucket(100, 100) }))).toEqual([40]);
  expect(asked(planOf([70, 20, 50, 10], { tokensPerHour: bucket(80, 100) }))).toEqual([20, 10]);
  expect(asked(planOf([5, 5, 5], { potentiallyThresholdedRequestsPerHour: bucket(3, 10) }))).toEqual([5]);
  const hour = { kind: 'defer', bucket: 'tokensPerHour', notBefore: nowMs + hourMs };
  expect(asked(planOf([70, 61], { tokensPerHour: bucket(80, 100) }))).toEqual(hour);
  const errors = planOf([1], { serverErrorsPerProjectPerHour: bucket(1, 10) });
  expect(errors).toMatchObject({ kind: 'defer', bucket: 'serverErrorsPerProjectPerHour' });
  expect(asked(planOf([1_000], { concurrentRequests: bucket(0, 10) }))).toEqual([1_000]);
});

test('what leaves no reserve of any bucket goes alone when that is nearly full, and never of nothing', () => {
  const full = planOf([90, 500], { tokensPerHour: bucket(90, 100), tokensPerDay: bucket(500, 500) });
  expect(full).toMatchObject({ kind: 'go', oversize: { bucket: 'tokensPerHour', tokens: 90 } });
  expect(asked(full)).toEqual([90]);
  expect(asked(planOf([90, 500], { tokensPerHour: bucket(89, 100) }))).toMatchObject({ kind: 'defer' });
  expect(asked(planOf([500], { tokensPerHour: bucket(90, 100) }))).toEqual([500]);
  expect(asked(planOf([90], { tokensPerHour: bucket(0, 0) }))).toMatchObject({ kind: 'defer' });
  const other = { tokensPerHour: bucket(100, 100), tokensPerDay: bucket(100, 1_000) };
  expect(asked(planOf([90], other))).toMatchObject({ kind: 'defer', bucket: 'tokensPerDay' });
});

test('every slice goes in the end, whatever it takes, though a probe takes tokens of every full bucket', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 10 }),
      fc.constantFrom(0, 0.1, 0.2, 0.5),
      (needs, probe, reserveShare) => {
        let waiting = slicesOf(needs);
        let state = emptyGroupState;
        let now = nowMs;
        for (let hour = 0; waiting.length > 0; hour++) {
          expect(hour).toBeLessThan(needs.length + 1);
          let left = 100 - probe;
          const note = (tokens: number) => {
            state = learn(state, [{ tokens, quotaRemaining: { tokensPerHour: left } }], [], now);
          };
          note(probe);
          for (;;) {
            const plan = planBatch(waiting, state, { estimate, reserveShare, nowMs: now });
            if (plan.kind === 'defer' || waiting.length === 0) break;
            const tokens = plan.slices.reduce((sum, { report }) => sum + Number(report.hash), 0);
            if (plan.oversize === undefined) expect(left - tokens).toBeGreaterThanOrEqual(100 * reserveShare);
            else expect(plan.slices.length).toBe(1);
            left = Math.max(0, left - tokens);
            waiting = waiting.filter((slice) => !plan.slices.includes(slice));
            note(tokens);
          }
          now += hourMs;
        }
      },
    ),
  );
});

test('what a bucket no longer fills up to is forgotten slowly, once it was full again', () => {
  const read = (state: typeof emptyGroupState, remaining: number, at: number) =>
    learn(state, [{ tokens: 1, quotaRemaining: { tokensPerHour: remaining } }], [], at);
  let state = read(emptyGroupState, 999, nowMs);
  state = read(state, 99, nowMs + hourMs - 1);
  expect(state.quota.tokensPerHour).toEqual({ remaining: 99, most: 1_000, at: nowMs + hourMs - 1 });
  for (let hour = 1; hour <= 30; hour++) state = read(state, 99, nowMs + (hour + 1) * hourMs);
  expect(state.quota.tokensPerHour?.most).toBe(100);
});
