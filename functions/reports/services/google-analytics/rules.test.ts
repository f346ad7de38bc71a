import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addDays, endOfDay, hourLabels, hourMs } from '../calendar.ts';
import { judgeTooEarly } from '../judge-too-early.ts';
import { type Evidence, expectHours, type HourCounts, judgeDay, type Sighting } from './rules.ts';

const settings = {
  minLagHours: 4,
  settleHours: 48,
  deadlineHours: 72,
  quietAlpha: 1e-3,
  unchangedMinutes: 50,
};
const counts = (events: number): HourCounts => ({
  events,
  views: events,
  sessions: events,
  users: events,
  engagementSeconds: events * 10,
});

interface Day {
  date?: string;
  timeZone?: string;
  /** Hours after the day's end. */
  age: number;
  /** Labels with events; default all. */
  hours?: readonly number[];
  watermarkHours?: number;
  /** Ages of earlier probes that saw the same. */
  sameAt?: readonly number[];
  /** Ages of earlier probes that saw one event fewer. */
  lessAt?: readonly number[];
  expected?: number | null;
  /** In each hour; default 5, of a quiet site. */
  events?: number;
  emptyReason?: string;
  isRestricted?: boolean;
  weekEvents?: number | null;
  /** What the hour of this label has otherwise; all have, where no label is given. */
  label?: number;
  lacks?: Partial<HourCounts>;
}

function evidence(day: Day): Evidence {
  const {
    date = '2026-06-10',
    timeZone = 'Europe/London',
    age,
    watermarkHours = 6,
    expected = null,
    events = 5,
  } = day;
  const end = endOfDay(date, timeZone);
  const labels = day.hours ?? hourLabels(date, timeZone);
  const see = (at: number, events: number): Sighting => ({
    at: end + at * hourMs,
    timeZone,
    hours: new Map(
      labels.map((label) => [
        label,
        { ...counts(events), ...(label === (day.label ?? label) ? day.lacks : {}) },
      ]),
    ),
  });
  const earlier = [
    ...(day.sameAt ?? [age - 1]).map((at) => see(at, events)),
    ...(day.lessAt ?? []).map((at) => see(at, events - 1)),
  ].sort((one, other) => other.at - one.at);
  return {
    date,
    now: end + age * hourMs,
    sighting: see(age, events),
    watermarkHours,
    earlier,
    expected: expected === null ? null : new Map(Array.from({ length: 24 }, (_, label) => [label, expected])),
    emptyReason: day.emptyReason ?? null,
    isRestricted: day.isRestricted ?? false,
    weekEvents: day.weekEvents === undefined ? null : day.weekEvents,
  };
}

const ruleOf = (day: Day) => judgeDay(evidence(day), settings).rule;
const without = (...labels: number[]) =>
  Array.from({ length: 24 }, (_, label) => label).filter((label) => !labels.includes(label));

describe('R0: a day', () => {
  test('is never asked for before its end and the least lag, and says when it may be', () => {
    const end = endOfDay('2026-06-10', 'Asia/Kolkata');
    expect(judgeTooEarly('2026-06-10', 'Asia/Kolkata', end + 3.99 * hourMs, settings)).toMatchObject({
      verdict: 'waiting',
      rule: 'R0_too_early',
      notBefore: end + 4 * hourMs,
    });
    expect(judgeTooEarly('2026-06-10', 'Asia/Kolkata', end + 4 * hourMs, settings)).toBeUndefined();
  });
});

describe('R1: a day whose hours all have events', () => {
  test('is complete once two hours after it have come and nothing has changed for an hour', () => {
    expect(ruleOf({ age: 6 })).toBe('R1_full');
    expect(ruleOf({ age: 6, watermarkHours: 2 })).toBe('R1_full');
    expect(ruleOf({ age: 6, watermarkHours: 1 })).toBe('waiting_later_data');
    expect(ruleOf({ age: 25, watermarkHours: 0, sameAt: [21] })).toBe('R1_full');
    expect(ruleOf({ age: 6, sameAt: [], lessAt: [5] })).toBe('waiting_later_data');
    expect(ruleOf({ age: 6, sameAt: [5.9], lessAt: [5] })).toBe('waiting_later_data');
  });

  test('waits for longer where it is late already: what is slow comes at long intervals', () => {
    expect(ruleOf({ age: 8, sameAt: [7] })).toBe('R1_full');
    expect(ruleOf({ age: 12, sameAt: [10.1] })).toBe('waiting_later_data');
    expect(ruleOf({ age: 12, sameAt: [10] })).toBe('R1_full');
    expect(ruleOf({ age: 30, sameAt: [26.1] })).toBe('waiting_later_data');
    expect(ruleOf({ age: 30, sameAt: [26] })).toBe('R1_full');
  });

  test('waits for the people of an hour that has events, and for the engagement of one with many visits', () => {
    const partly = { label: 13, age: 6, sameAt: [4] };
    expect(ruleOf({ ...partly, lacks: { users: 0 } })).toBe('waiting_later_data');
    expect(ruleOf({ ...partly, lacks: { sessions: 0 } })).toBe('waiting_later_data');
    expect(ruleOf({ ...partly, events: 40, lacks: { engagementSeconds: 0 } })).toBe('waiting_later_data');
    // Few visits may all be short.
    expect(ruleOf({ ...partly, events: 5, lacks: { engagementSeconds: 0 } })).toBe('R1_full');
    expect(ruleOf({ ...partly, age: 49, sameAt: [44], lacks: { users: 0 } })).toBe('R1_full');
  });

  test('knows an hour that lacks something by the others that have it, be it one', () => {
    const full = { age: 6, sameAt: [4] };
    expect(ruleOf({ ...full, lacks: { users: 0 } })).toBe('R1_full');
    expect(ruleOf({ ...full, lacks: { sessions: 0 } })).toBe('R1_full');
    expect(ruleOf({ ...full, events: 40, lacks: { engagementSeconds: 0 } })).toBe('R1_full');
    const one = { ...full, events: 1, label: 13 };
    expect(ruleOf({ ...one, lacks: { users: 0 } })).toBe('waiting_later_data');
    expect(ruleOf({ ...one, lacks: { sessions: 0 } })).toBe('waiting_later_data');
    expect(ruleOf({ ...full, label: 13, events: 8, lacks: { engagementSeconds: 0 } })).toBe(
      'waiting_later_data',
    );
    expect(ruleOf({ ...full, label: 13, events: 7, lacks: { engagementSeconds: 0 } })).toBe('R1_full');
    const engage = (seen: Sighting) => ({
      ...seen,
      hours: new Map(seen.hours).set(9, { ...counts(8), engagementSeconds: 1 }),
    });
    const given = evidence({ ...full, events: 8, lacks: { engagementSeconds: 0 } });
    const engaged = { ...given, sighting: engage(given.sighting), earlier: given.earlier.map(engage) };
    expect(judgeDay(engaged, settings).rule).toBe('waiting_later_data');
  });

  test('needs no later hour from the first day after it on, to the minute, and two before', () => {
    expect(ruleOf({ age: 24, watermarkHours: 0, sameAt: [20] })).toBe('R1_full');
    expect(ruleOf({ age: 23.99, watermarkHours: 1, sameAt: [19] })).toBe('waiting_later_data');
  });

  test.each([
    ['2026-03-29', 'Europe/London', 23],
    ['2026-10-25', 'Europe/London', 24],
    ['2026-03-08', 'America/New_York', 23],
    ['2026-11-01', 'America/New_York', 24],
    ['2026-10-04', 'Australia/Lord_Howe', 24],
    ['2026-06-10', 'Asia/Kathmandu', 24],
  ])('on %s in %s has %d labels, and each must be there', (date, timeZone, count) => {
    const labels = hourLabels(date, timeZone);
    expect(labels).toHaveLength(count);
    expect(ruleOf({ date, timeZone, age: 6 })).toBe('R1_full');
    for (const label of labels) {
      expect(ruleOf({ date, timeZone, age: 6, hours: labels.filter((it) => it !== label) })).toBe(
        'waiting_missing_hours',
      );
    }
  });
});

describe('R2: a quiet day', () => {
  test('is complete where its empty hours were to be expected, at once or after a day', () => {
    expect(ruleOf({ age: 6, hours: without(3), expected: 0.4 })).toBe('R2_quiet');
    expect(ruleOf({ age: 6, hours: without(3), expected: 3 })).toBe('waiting_missing_hours');
    expect(ruleOf({ age: 25, hours: without(3), expected: 3, sameAt: [21] })).toBe('R2_quiet');
    expect(ruleOf({ age: 25, hours: without(3), expected: 7 })).toBe('waiting_missing_hours');
  });

  test('whose many empty hours are unlikely together waits for what R3 says and no longer', () => {
    const hours = [8, 9, 10, 11, 12, 13];
    expect(ruleOf({ age: 25, hours, expected: 1 })).toBe('waiting_missing_hours');
    expect(ruleOf({ age: 25, hours, expected: 1, sameAt: [21] })).toBe('R3_stable');
  });

  test('waits for two later hours, since empty hours before midnight are what lag looks like', () => {
    expect(ruleOf({ age: 25, hours: without(22, 23), expected: 0.2, watermarkHours: 1 })).toBe(
      'waiting_missing_hours',
    );
    expect(ruleOf({ age: 25, hours: without(22, 23), expected: 0.2, watermarkHours: 2, sameAt: [21] })).toBe(
      'R2_quiet',
    );
  });
});

describe('R2 to the last', () => {
  test('holds up to half an event in the first day and seven after it, and never of a full or an empty day', () => {
    const young = { age: 6, hours: without(3) };
    expect(ruleOf({ ...young, expected: 0.5 })).toBe('R2_quiet');
    expect(ruleOf({ ...young, expected: 0.51 })).toBe('waiting_missing_hours');
    const old = { age: 24, hours: without(3), sameAt: [20.1] };
    expect(ruleOf({ ...old, expected: 6.9 })).toBe('waiting_missing_hours');
    expect(ruleOf({ ...old, sameAt: [20], expected: 6.9, events: 50 })).toBe('R2_quiet');
    expect(ruleOf({ ...old, sameAt: [20], expected: 6.91, events: 50 })).toBe('waiting_missing_hours');
    expect(ruleOf({ age: 6, hours: [], expected: 0 })).toBe('waiting_empty');
    expect(ruleOf({ age: 6, hours: [9], expected: 0 })).toBe('R2_quiet');
    expect(ruleOf({ age: 6, expected: 0, lacks: { users: 0 }, label: 3 })).toBe('waiting_later_data');
    expect(ruleOf({ ...young, expected: 0, lacks: { users: 0 }, label: 4 })).toBe('waiting_missing_hours');
    expect(ruleOf({ ...young, expected: 0, sameAt: [], lessAt: [5] })).toBe('waiting_missing_hours');
  });
});

describe('the proof', () => {
  test('tells how many hours before midnight have nothing, and which hours have nothing', () => {
    const because = (hours: readonly number[], given: Partial<Day> = {}) =>
      judgeDay(evidence({ age: 6, hours, expected: 0.1, ...given }), settings).because;
    expect(because(without(3))).toMatchObject({ missing: [3], trailing: 0 });
    expect(because(without(3, 22, 23))).toMatchObject({ missing: [3, 22, 23], trailing: 2 });
    expect(because([], { sameAt: [5] })).toMatchObject({ trailing: 24 });
    const spring = { date: '2026-03-29', timeZone: 'Europe/London' };
    expect(because(without(1, 23), spring)).toMatchObject({ missing: [23], trailing: 1 });
  });
});

describe('R3: without history', () => {
  test('a day is complete after a day in which four hours changed nothing', () => {
    expect(ruleOf({ age: 25, hours: without(3), sameAt: [21] })).toBe('R3_stable');
    expect(ruleOf({ age: 25, hours: without(3), sameAt: [21.1] })).toBe('waiting_missing_hours');
    expect(ruleOf({ age: 23.9, hours: without(3), sameAt: [10] })).toBe('waiting_missing_hours');
    expect(ruleOf({ age: 26, hours: without(3), sameAt: [20, 25], lessAt: [23] })).toBe(
      'waiting_missing_hours',
    );
  });

  test('a day of a site that has events in every hour otherwise waits two days for hours that are missing', () => {
    const busy = { hours: without(3), sameAt: [19, 43], events: 50 };
    expect(ruleOf({ ...busy, age: 25 })).toBe('waiting_missing_hours');
    expect(ruleOf({ ...busy, age: 48 })).toBe('R3_stable');
    expect(ruleOf({ ...busy, age: 48, expected: 50 })).toBe('waiting_missing_hours');
  });

  test('a day that nobody looked at before all that can come late had come needs no second look', () => {
    expect(ruleOf({ age: 24 * 400, hours: without(3, 4, 5), sameAt: [] })).toBe('R3_stable');
    expect(ruleOf({ age: 24 * 400, hours: [9], sameAt: [], watermarkHours: 0 })).toBe('R3_stable');
    expect(ruleOf({ age: 24 * 400, sameAt: [] })).toBe('R1_full');
  });
});

describe('R4: a day without one event', () => {
  const empty = { hours: [], sameAt: [40], weekEvents: 500 } as const;
  test('is a true zero two days later, where the API answers for the week and hides nothing', () => {
    expect(ruleOf({ ...empty, age: 48 })).toBe('R4_zero');
    expect(ruleOf({ ...empty, age: 47.9 })).toBe('waiting_empty');
    expect(ruleOf({ ...empty, age: 50, weekEvents: null })).toBe('waiting_empty');
    expect(ruleOf({ ...empty, age: 50, emptyReason: 'OTHER' })).toBe('waiting_empty');
    expect(ruleOf({ ...empty, age: 50, isRestricted: true })).toBe('waiting_empty');
  });
});

describe('R5: at the deadline', () => {
  test('a day is taken as it is and flagged, whatever is missing', () => {
    expect(judgeDay(evidence({ age: 72, hours: without(3), expected: 9 }), settings)).toMatchObject({
      verdict: 'forced',
      rule: 'R5_forced',
    });
    expect(ruleOf({ age: 71.9, hours: without(3), expected: 9 })).toBe('waiting_missing_hours');
    expect(ruleOf({ age: 72, hours: [], sameAt: [60] })).toBe('R5_forced');
  });
});

const anyDay = fc.record<Day>(
  {
    date: fc
      .date({ min: new Date('2020-01-01'), max: new Date('2030-12-31'), noInvalidDate: true })
      .map((it) => it.toISOString().slice(0, 10)),
    timeZone: fc.constantFrom(
      'UTC',
      'Europe/London',
      'America/St_Johns',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
    ),
    age: fc.double({ min: -30, max: 100, noNaN: true }),
    hours: fc.subarray(without()),
    watermarkHours: fc.integer({ min: 0, max: 48 }),
    sameAt: fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { maxLength: 4 }),
    lessAt: fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { maxLength: 4 }),
    expected: fc.option(fc.double({ min: 0, max: 10, noNaN: true })),
    weekEvents: fc.option(fc.nat(1000)),
  },
  { requiredKeys: ['age'] },
);

describe('whatever was seen', () => {
  test('no day is judged before its end and the least lag, and none waits beyond the deadline', () => {
    fc.assert(
      fc.property(anyDay, (day) => {
        const { verdict } = judgeDay(evidence(day), settings);
        if (day.age < settings.minLagHours) expect(verdict).toBe('waiting');
        if (day.age >= settings.deadlineHours) expect(verdict).not.toBe('waiting');
      }),
    );
  });

  test('one more hour with events, or one more after the day, never takes back that it is complete', () => {
    fc.assert(
      fc.property(anyDay, fc.integer({ min: 0, max: 23 }), (day, label) => {
        const before = judgeDay(evidence(day), settings);
        if (before.verdict !== 'available' || (day.hours ?? without()).length === 0) return;
        const more = { ...day, watermarkHours: (day.watermarkHours ?? 6) + 1 };
        expect(judgeDay(evidence(more), settings).verdict).toBe('available');
        const hours = [...new Set([...(day.hours ?? without()), label])];
        expect(judgeDay(evidence({ ...day, hours }), settings).verdict).toBe('available');
      }),
    );
  });

  test('what waits says when another look can change something, never later than the next rule of time', () => {
    fc.assert(
      fc.property(anyDay, (day) => {
        const given = evidence(day);
        const { verdict, notBefore } = judgeDay(given, settings);
        if (verdict !== 'waiting' || notBefore === null) return;
        expect(notBefore).toBeGreaterThan(given.now);
        expect(notBefore).toBeLessThanOrEqual(
          endOfDay(given.date, given.sighting.timeZone) + settings.deadlineHours * hourMs,
        );
      }),
    );
  });
});

describe('what an hour is expected to hold', () => {
  const sighting = (sessions: number): Sighting => ({
    at: 0,
    timeZone: 'UTC',
    hours: new Map([[9, { ...counts(9), sessions }]]),
  });
  test('is the mean of the same weekday of four to eight weeks, in visits; with fewer nothing is expected', () => {
    const weeks = (count: number) =>
      new Map(
        Array.from({ length: count }, (_, week) => [addDays('2026-06-10', -7 * (week + 1)), sighting(week)]),
      );
    expect(expectHours('2026-06-10', weeks(3))).toBeNull();
    expect(expectHours('2026-06-10', weeks(4))?.get(9)).toBe(1.5);
    expect(expectHours('2026-06-10', weeks(12))?.get(9)).toBe(3.5);
    expect(expectHours('2026-06-10', weeks(4))?.get(3)).toBe(0);
  });
});
