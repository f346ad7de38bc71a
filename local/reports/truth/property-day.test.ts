import { expect, test } from 'vitest';
import { type SeedInput, seedSchema } from '../seed.ts';
import { makePropertyDay, zoneSpans } from './property-day.ts';

type Property = NonNullable<SeedInput['properties']>[number];

function make(property: Partial<Property>, day: string, root = 9) {
  const [seed] = seedSchema.parse({
    seed: 1,
    properties: [{ id: '1', host: 'h', timeZone: 'UTC', viewsPerHour: 30, ...property }],
  }).properties;
  if (seed === undefined) throw new Error('The seed has one property.');
  return makePropertyDay(seed, root, zoneSpans(seed), day);
}

const hours = (day: ReturnType<typeof make>) => day.cells.map(({ hour }) => hour);
const start = (day: ReturnType<typeof make>) => new Date(day.cells[0]?.start ?? 0).toISOString();
const views = (day: ReturnType<typeof make>) => day.views.reduce((sum, it) => sum + it, 0);

test('a day is made of the seed alone', () => {
  const [one, again] = [make({}, '2025-06-02'), make({}, '2025-06-02')];
  expect(again).toEqual(one);
  expect(make({}, '2025-06-02', 10).views).not.toEqual(one.views);
});

test('the hours of a zone begin where its clock does', () => {
  const whole = Array.from({ length: 24 }, (_, hour) => hour);
  const india = make({ timeZone: 'Asia/Kolkata' }, '2025-06-02');
  expect(start(india)).toBe('2025-06-01T18:30:00.000Z');
  expect(hours(india)).toEqual(whole);
  const nepal = make({ timeZone: 'Asia/Kathmandu' }, '2025-06-02');
  expect(start(nepal)).toBe('2025-06-01T18:15:00.000Z');
  expect(hours(nepal)).toEqual(whole);
});

test('the day on which clocks go forward lacks an hour, and the day on which they go back has one twice', () => {
  const spring = hours(make({ timeZone: 'Australia/Adelaide' }, '2025-10-05'));
  expect(spring).toHaveLength(23);
  expect(spring).not.toContain(2);
  const autumn = hours(make({ timeZone: 'Australia/Adelaide' }, '2025-04-06'));
  expect(autumn.filter((hour) => hour === 2)).toHaveLength(2);
});

test('each hour of a change of zone has the label of the zone that was in force', () => {
  const day = make(
    {
      timeZone: 'Europe/London',
      zoneChanges: [{ at: '2025-05-14T10:00:00Z', timeZone: 'America/New_York' }],
    },
    '2025-05-14',
  );
  // Eleven hours in London, then from six in the morning in New York on: five labels come again.
  expect(hours(day)).toEqual([
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    ...Array.from({ length: 18 }, (_, it) => it + 6),
  ]);
});

test('traffic is about what the seed says, and nothing on zero days and in silences', () => {
  const mean =
    Array.from({ length: 28 }, (_, index) =>
      views(make({}, `2025-06-${String(index + 1).padStart(2, '0')}`)),
    ).reduce((sum, it) => sum + it, 0) / 28;
  expect(mean / 24).toBeGreaterThan(24);
  expect(mean / 24).toBeLessThan(36);
  expect(views(make({ zeroDays: ['2025-06-02'] }, '2025-06-02'))).toBe(0);
  const silent = make(
    { silences: [{ from: '2025-06-02T06:00:00Z', to: '2025-06-02T18:00:00Z' }] },
    '2025-06-02',
  );
  expect(Math.max(...[...silent.cell].filter((cell) => cell < 12))).toBe(5);
  expect([...silent.cell].some((cell) => cell >= 18)).toBe(true);
});

test('hours come out of order, visits and engagement after views, and nothing during an outage of processing', () => {
  const arrivals = make({ lag: { jitterHours: 4 } }, '2025-06-02').cells.map(({ arrival }) => arrival);
  const came = arrivals.map(({ views: at }) => at);
  expect(came).not.toEqual([...came].sort((a, b) => a - b));
  for (const { views: at, users, engagement } of arrivals) {
    expect(users).toBeGreaterThanOrEqual(at);
    expect(engagement).toBeGreaterThanOrEqual(at);
  }
  const outage = { from: '2025-06-02T12:00:00Z', to: '2025-06-03T12:00:00Z' };
  for (const { arrival } of make({ processingOutages: [outage] }, '2025-06-02').cells) {
    for (const at of Object.values(arrival)) {
      expect(at < Date.parse(outage.from) || at >= Date.parse(outage.to)).toBe(true);
    }
  }
});

test('as many days are restated as the seed says, some after day 28', () => {
  const rates = { lateRate: 0.3, movedRate: 0.3, removedRate: 0, afterDay28Rate: 0.5 };
  const days = Array.from({ length: 300 }, (_, index) => {
    const day = new Date(Date.UTC(2025, 0, 1) + index * 86_400_000).toISOString().slice(0, 10);
    const { restatements } = make({ viewsPerHour: 0, restatements: rates }, day);
    return restatements.map(({ kind, at }) => ({ kind, age: (at - Date.parse(day)) / 86_400_000 - 1 }));
  }).flat();
  const share = (kind: string) => days.filter((it) => it.kind === kind).length / 300;
  expect(share('late')).toBeGreaterThan(0.2);
  expect(share('late')).toBeLessThan(0.4);
  expect(share('removed')).toBe(0);
  expect(days.filter(({ age }) => age > 28).length / days.length).toBeGreaterThan(0.4);
  expect(Math.min(...days.map(({ age }) => age))).toBeGreaterThan(1);
});
