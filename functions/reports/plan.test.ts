import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packBatches } from './plan.ts';
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
