import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coveredStep, extraStep, nextStep } from './ladder.ts';
import { compareAttempts } from './restate.ts';
import { tinyRow } from './service-for-test.ts';
import { dayMs } from './services/calendar.ts';

const ladder = [1, 2, 3, 7, 28];

describe('the ladder', () => {
  test('is climbed step by step, however late each reading is', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 40, noNaN: true }), { minLength: 1 }), (ages) => {
        let covered = 0;
        for (const age of ages.sort((one, other) => one - other)) {
          const next = covered === 0 ? { step: 1 } : nextStep(ladder, covered, null);
          if (next === null || (covered > 0 && age < next.step)) continue;
          const step = coveredStep(ladder, age * dayMs);
          expect(step).toBeGreaterThan(covered);
          covered = step;
        }
      }),
    );
  });

  test('of one step is one reading', () => {
    expect(coveredStep([1], 5 * dayMs)).toBe(1);
    expect(nextStep([1], 1, null)).toBeNull();
  });

  test.each([
    [3, null],
    [4, null],
    [7, 14],
    [13, null],
    [14, null],
    [28, 56],
    [31, null],
    [56, null],
  ])('gets a step between its own after much has changed on day %s: %s', (age, extra) => {
    expect(extraStep(ladder, age * dayMs)).toBe(extra);
  });

  test('takes the step between before its own', () => {
    expect(nextStep(ladder, 7, 14)).toEqual({ step: 14, isExtra: true });
    expect(nextStep(ladder, 14, 14)).toEqual({ step: 28, isExtra: false });
    expect(nextStep(ladder, 28, 56)).toEqual({ step: 56, isExtra: true });
  });
});

describe('what has changed', () => {
  const metrics = [{ name: 'views', kind: 'additive' }];
  const attempts = fc.dictionary(fc.constantFrom('IE', 'NO', 'SE', 'PL', '(not set)'), fc.nat(1_000));
  const rowsOf = (views: Record<string, number>) =>
    Object.entries(views).map(([name, n]) => tinyRow(name, n));

  test('adds up: before plus the changes of each row is after, and nothing has changed only where nothing has', () => {
    fc.assert(
      fc.property(attempts, attempts, (before, after) => {
        const restated = compareAttempts(rowsOf(before), rowsOf(after), metrics);
        const names = new Set([...Object.keys(before), ...Object.keys(after)]);
        let delta = 0;
        for (const name of names) delta += Math.abs((after[name] ?? 0) - (before[name] ?? 0));
        const [views] = restated.metrics;
        expect(views?.absDelta ?? 0).toBe(delta);
        expect(restated.rowsAdded - restated.rowsRemoved).toBe(
          Object.keys(after).length - Object.keys(before).length,
        );
        const isSame =
          JSON.stringify(Object.entries(before).sort()) === JSON.stringify(Object.entries(after).sort());
        expect(restated.metrics.length === 0).toBe(isSame);
        if (views !== undefined)
          expect(Math.abs((views.after ?? 0) - (views.before ?? 0))).toBeLessThanOrEqual(delta);
      }),
    );
  });

  test('is no matter of the order of rows or of dimensions', () => {
    const one = { dimensions: { a: '1', b: '2' }, metrics: { views: 1n }, isOther: false };
    const same = { ...one, dimensions: { b: '2', a: '1' } };
    expect(compareAttempts([one, tinyRow('IE', 2)], [tinyRow('IE', 2), same], metrics).metrics).toEqual([]);
  });

  test.each([
    [1_000, 1_005, false],
    [1_000, 1_006, true],
    [0, 1, true],
  ])('from %s to %s is much: %s', (before, after, isLarge) => {
    expect(compareAttempts([tinyRow('IE', before)], [tinyRow('IE', after)], metrics)).toMatchObject({
      isLarge,
    });
  });
});
