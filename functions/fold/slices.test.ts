import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ageCounts,
  type Counts,
  coarsen,
  dayMs,
  findChanged,
  hourMs,
  minuteMs,
  mostSlices,
  type Slice,
  windowStart,
} from './slices.ts';

const at = (text: string) => Date.parse(text);
const slice = (from: string, to: string): Slice => ({ from: at(from), to: at(to) });
const covers = (slices: readonly Slice[], ms: number) => slices.some(({ from, to }) => from <= ms && ms < to);

describe('changed slices', () => {
  test('are the minutes with more rows than are folded, neighbours as one', () => {
    const folded: Counts = { '2026-03-01T12:00': 4, '2026-03-01T12:01': 2, '2026-03-01T12:05': 1 };
    const found = { ...folded, '2026-03-01T12:01': 3, '2026-03-01T12:02': 1, '2026-03-01T13:00': 9 };
    expect(findChanged(folded, found, minuteMs)).toEqual([
      slice('2026-03-01T12:01Z', '2026-03-01T12:03Z'),
      slice('2026-03-01T13:00Z', '2026-03-01T13:01Z'),
    ]);
    expect(findChanged(found, found, minuteMs)).toEqual([]);
  });

  test('are days before the window', () => {
    expect(findChanged({ '2025-12-31': 5 }, { '2025-12-31': 6, '2026-01-01': 1 }, dayMs)).toEqual([
      slice('2025-12-31T00:00Z', '2026-01-02T00:00Z'),
    ]);
  });

  test('stay as they are while they are few, and are at most so many, none of them lost', () => {
    const starts = fc.uniqueArray(fc.nat({ max: 40_000 }), { maxLength: 3_000, size: 'max' });
    fc.assert(
      fc.property(starts, fc.constantFrom(minuteMs, hourMs, dayMs), (numbers, spacing) => {
        const slices = numbers.map((number) => ({
          from: number * spacing,
          to: number * spacing + minuteMs,
        }));
        const few = coarsen(slices);
        expect(few.length).toBeLessThanOrEqual(mostSlices);
        for (const { from, to } of slices) {
          expect(covers(few, from) && covers(few, to - 1)).toBe(true);
        }
        const minutes = few.reduce((sum, { from, to }) => sum + (to - from) / minuteMs, 0);
        if (numbers.length <= mostSlices) expect(minutes).toBe(numbers.length);
        expect(coarsen(few)).toEqual(few);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the window of minutes', () => {
  test('begins with a day, and has at least eight', () => {
    expect(windowStart(at('2026-03-10T15:30:00Z'))).toBe(at('2026-03-02T00:00:00Z'));
    expect(windowStart(at('2026-03-10T00:00:00Z'))).toBe(at('2026-03-02T00:00:00Z'));
  });

  test('moves on without anything seeming to change: its minutes become days', () => {
    const minutes = { '2026-03-01T23:59': 2, '2026-03-01T00:00': 3, '2026-03-02T00:00': 4 };
    const aged = ageCounts(minutes, { '2026-02-28': 7 }, at('2026-03-02T00:00:00Z'));
    expect(aged).toEqual({
      minutes: { '2026-03-02T00:00': 4 },
      days: { '2026-02-28': 7, '2026-03-01': 5 },
    });
    expect(findChanged(aged.days, { '2026-02-28': 7, '2026-03-01': 5 }, dayMs)).toEqual([]);
  });
});
