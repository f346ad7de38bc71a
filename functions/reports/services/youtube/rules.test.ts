import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addDays, endOfDay, hourMs } from '../calendar.ts';
import { type Evidence, judgeDay } from './rules.ts';

const settings = { minLagHours: 12, deadlineHours: 120, zeroHours: 72 };
const timeZone = 'America/Los_Angeles';

interface Day extends Partial<Omit<Evidence, 'now' | 'timeZone'>> {
  /** Hours after the day's end. */
  readonly age: number;
}

function judge({ age, date = '2026-06-05', ...seen }: Day) {
  const given = { watermark: date, hasRow: true, otherRows: 6, otherDays: 6, ...seen };
  return judgeDay({ ...given, date, timeZone, now: endOfDay(date, timeZone) + age * hourMs }, settings);
}

describe('a Pacific day of a channel', () => {
  test('is never asked for before its end and the least lag, on days of 23 and 25 hours too', () => {
    for (const date of ['2026-06-05', '2026-03-08', '2026-11-01']) {
      expect(judge({ date, age: 11.9 })).toMatchObject({ verdict: 'waiting', rule: 'R0_too_early' });
      expect(judge({ date, age: 12 })).toMatchObject({ verdict: 'available', rule: 'watermark' });
    }
  });

  test('is complete when the watermark has reached it, and not before', () => {
    expect(judge({ age: 40, watermark: '2026-06-04', hasRow: false }).rule).toBe('waiting_watermark');
    expect(judge({ age: 40, watermark: null, hasRow: false }).rule).toBe('waiting_watermark');
    expect(judge({ age: 40, watermark: '2026-06-09' }).rule).toBe('watermark');
  });

  test('without a row is a zero once others have theirs, where the channel has none on most days', () => {
    expect(judge({ age: 40, hasRow: false, otherRows: 1 }).rule).toBe('watermark_zero');
    expect(judge({ age: 40, hasRow: false, otherRows: 2, otherDays: 2 }).rule).toBe('watermark_zero');
  });

  test('without a row of a channel that mostly has one is waited for up to three days', () => {
    expect(judge({ age: 71, hasRow: false }).rule).toBe('waiting_own_row');
    expect(judge({ age: 72, hasRow: false }).rule).toBe('watermark_zero');
  });

  test('that YouTube does not give by the deadline is taken as it is', () => {
    expect(judge({ age: 119, watermark: null, hasRow: false }).verdict).toBe('waiting');
    expect(judge({ age: 120, watermark: null, hasRow: false })).toMatchObject({
      verdict: 'forced',
      rule: 'R5_forced',
    });
  });

  test('that is complete stays so with a later watermark, and none waits beyond the deadline', () => {
    const days = fc.record({
      age: fc.double({ min: -30, max: 200, noNaN: true }),
      watermark: fc.option(fc.integer({ min: -5, max: 5 }).map((days) => addDays('2026-06-05', days))),
      hasRow: fc.boolean(),
      otherRows: fc.integer({ min: 0, max: 6 }),
      otherDays: fc.constant(6),
    });
    fc.assert(
      fc.property(days, (day) => {
        const { verdict, notBefore } = judge(day);
        if (day.age >= settings.deadlineHours) expect(verdict).not.toBe('waiting');
        if (day.age < settings.minLagHours) expect([verdict, notBefore === null]).toEqual(['waiting', false]);
        if (verdict === 'available' && day.watermark !== null) {
          expect(judge({ ...day, watermark: addDays(day.watermark, 1) }).verdict).toBe('available');
        }
      }),
    );
  });
});
