import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addDays,
  countDays,
  dayAt,
  endOfDay,
  endOfPeriod,
  hourLabels,
  hourMs,
  isTimeZone,
  listPeriods,
  startOfDay,
  startOfPeriod,
  weekday,
} from './calendar.ts';

const hours = (date: string, zone: string) => (endOfDay(date, zone) - startOfDay(date, zone)) / hourMs;

describe('the hours of a day', () => {
  test.each([
    ['2026-03-28', 'Europe/London', 24, 24],
    ['2026-03-29', 'Europe/London', 23, 23],
    ['2026-10-25', 'Europe/London', 25, 24],
    ['2026-03-08', 'America/New_York', 23, 23],
    ['2026-11-01', 'America/New_York', 25, 24],
    ['2026-06-01', 'Asia/Kolkata', 24, 24],
    ['2026-06-01', 'Asia/Kathmandu', 24, 24],
    // Half an hour is left out, so every label is there.
    ['2026-10-04', 'Australia/Lord_Howe', 23.5, 24],
    ['2026-04-05', 'Australia/Lord_Howe', 24.5, 24],
    // Midnight itself is left out.
    ['2026-04-24', 'Africa/Cairo', 23, 23],
  ])('of %s in %s take %d hours and have %d labels', (date, zone, elapsed, labels) => {
    expect(hours(date, zone)).toBe(elapsed);
    expect(hourLabels(date, zone)).toHaveLength(labels);
  });

  test('leave out the one that the clock jumps over', () => {
    expect(hourLabels('2026-03-29', 'Europe/London')).not.toContain(1);
    expect(hourLabels('2026-04-24', 'Africa/Cairo')).not.toContain(0);
  });
});

const dates = fc.date({ min: new Date('2016-01-01'), max: new Date('2035-12-31'), noInvalidDate: true });
const zones = fc.constantFrom(
  'UTC',
  'Europe/London',
  'America/Los_Angeles',
  'America/St_Johns',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
);

test('every instant lies in the day that its zone shows, and days follow each other without a gap', () => {
  fc.assert(
    fc.property(dates, zones, (instant, zone) => {
      const day = dayAt(instant.getTime(), zone);
      expect(startOfDay(day, zone)).toBeLessThanOrEqual(instant.getTime());
      expect(endOfDay(day, zone)).toBeGreaterThan(instant.getTime());
      expect(dayAt(startOfDay(day, zone), zone)).toBe(day);
      expect(dayAt(startOfDay(day, zone) - 1, zone)).toBe(addDays(day, -1));
    }),
    { numRuns: 300 },
  );
});

describe('periods', () => {
  test('of weeks run from Monday to Sunday, so that the week before ends the day before (no day is in neither)', () => {
    expect(startOfPeriod('week', '2018-06-03')).toBe('2018-05-28');
    expect(endOfPeriod('week', '2018-05-27')).toBe('2018-05-27');
    expect(startOfPeriod('week', '2018-05-27')).toBe('2018-05-21');
  });

  test('of months end with their last day, in leap years too', () => {
    expect(endOfPeriod('month', '2024-02-01')).toBe('2024-02-29');
    expect(endOfPeriod('month', '2026-12-31')).toBe('2026-12-31');
    expect(startOfPeriod('month', '2024-02-29')).toBe('2024-02-01');
  });

  test('divide all days: each is in one, which begins after the one before has ended', () => {
    fc.assert(
      fc.property(dates, fc.constantFrom('day' as const, 'week' as const, 'month' as const), (day, grain) => {
        const date = day.toISOString().slice(0, 10);
        const [start, end] = [startOfPeriod(grain, endOfPeriod(grain, date)), endOfPeriod(grain, date)];
        expect(start <= date && date <= end).toBe(true);
        expect(endOfPeriod(grain, addDays(start, -1))).toBe(addDays(start, -1));
        expect(listPeriods(grain, start, end)).toEqual([end]);
        if (grain === 'week')
          expect([weekday(start), weekday(end), countDays(start, end)]).toEqual([1, 0, 6]);
      }),
    );
  });
});

test('a zone is known by the name that the tz database has for it', () => {
  expect(['Europe/London', 'Mars/Base'].map(isTimeZone)).toEqual([true, false]);
});
