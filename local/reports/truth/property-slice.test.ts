import { expect, test } from 'vitest';
import { createReportsApis } from '../index.ts';
import { seedSchema } from '../seed.ts';

const restatements = { lateRate: 0, movedRate: 0, removedRate: 0, afterDay28Rate: 0 };

/** Views by source of a day in June, of a property whose days are all restated in one way. */
function createViews(changed: object) {
  const apis = createReportsApis({
    seed: seedSchema.parse({
      seed: 6,
      properties: [
        {
          id: '1',
          host: 'h',
          timeZone: 'UTC',
          viewsPerHour: 80,
          restatements: { ...restatements, ...changed },
        },
      ],
    }),
  });
  return (at?: string) => {
    const slice = apis.truthOf({
      propertyId: '1',
      from: '2025-06-02',
      to: '2025-06-02',
      dimensions: ['sessionSourceMedium'],
      metrics: ['screenPageViews'],
      ...(at === undefined ? {} : { at }),
    });
    const rows = new Map(slice.rows.map((row) => [row.dimensions[0], row.metrics[0] ?? 0]));
    return { rows, total: slice.totals[0] ?? 0 };
  };
}

// All of the day has come by then, and restatements come a day after its end at the soonest.
const FIRST = '2025-06-03T20:00:00Z';

test('traffic without a source moves to google / organic: its row vanishes, and the total stays', () => {
  const views = createViews({ movedRate: 1 });
  const [before, after] = [views(FIRST), views()];
  const moved = before.rows.get('(not set) / (not set)') ?? 0;
  expect(moved).toBeGreaterThan(0);
  expect(after.rows.has('(not set) / (not set)')).toBe(false);
  expect(after.rows.get('google / organic')).toBe((before.rows.get('google / organic') ?? 0) + moved);
  expect(after.total).toBe(before.total);
});

test('hits that come in late are shown only then, and hits that are taken out no more', () => {
  const late = createViews({ lateRate: 1 });
  expect(late().total).toBeGreaterThan(late(FIRST).total);
  const removed = createViews({ removedRate: 1 });
  expect(removed().total).toBeLessThan(removed(FIRST).total);
});

test('a day that is not restated stays as it was', () => {
  const views = createViews({});
  expect(views()).toEqual(views(FIRST));
});
