import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type StartedServices, startServices } from '../start-for-test.ts';

const hour = 3_600_000;
let started: StartedServices;
const steady = { lag: { stragglerRate: 0, splitRate: 0 } };

beforeAll(async () => {
  started = await startServices(
    {
      seed: 11,
      properties: [
        {
          id: '1',
          host: 'busy.example.com',
          timeZone: 'Europe/London',
          viewsPerHour: 60,
          shape: 'flat',
          ...steady,
        },
        {
          id: '2',
          host: 'quiet.example.com',
          timeZone: 'America/New_York',
          viewsPerHour: 2,
          shape: 'flat',
          ...steady,
        },
        {
          id: '3',
          host: 'zero.example.com',
          timeZone: 'Asia/Kolkata',
          viewsPerHour: 60,
          zeroDays: ['2026-06-10'],
          ...steady,
        },
        {
          id: '4',
          host: 'moved.example.com',
          timeZone: 'Europe/London',
          viewsPerHour: 60,
          shape: 'flat',
          zoneChanges: [{ at: '2026-06-10T09:00:00Z', timeZone: 'Asia/Tokyo' }],
          ...steady,
        },
        {
          id: '5',
          host: 'gone.example.com',
          timeZone: 'UTC',
          viewsPerHour: 20,
          deletedAt: '2026-06-11T00:00:00Z',
          ...steady,
        },
        {
          id: '6',
          host: 'stuck.example.com',
          timeZone: 'UTC',
          viewsPerHour: 60,
          shape: 'flat',
          processingOutages: [{ from: '2026-06-10T12:00:00Z', to: '2026-06-30T00:00:00Z' }],
          ...steady,
        },
        { id: '7', host: 'eager.example.com', timeZone: 'UTC', viewsPerHour: 20, ...steady },
      ],
    },
    '2026-06-11T00:00:00Z',
    {
      sites: [
        ...['1', '2', '3', '4', '5', '6'].map((id) => ({
          key: `site-${id}`,
          properties: [{ propertyId: id }],
        })),
        { key: 'site-7', properties: [{ propertyId: '7', waitForData: false }] },
      ],
    },
  );
});
afterAll(() => started.apis.close());
beforeEach(() => {
  started.apis.clock.set('2026-06-10T12:00:00Z');
  started.calls.length = 0;
});

const hoursAfter = (end: string) => (started.context.now() - Date.parse(end)) / hour;
const poll = async (id: string, ...dates: string[]) => started.pollUntilJudged(started.analytics, id, dates);

describe('a property', () => {
  test('that is busy is judged within hours, by a full day, without a call before its end', async () => {
    const [judged] = await poll('1', '2026-06-10');
    expect(judged).toMatchObject({
      verdict: 'available',
      rule: 'R1_full',
      flags: [],
      proof: { timeZone: 'Europe/London', labels: 24, hoursMask: 2 ** 24 - 1, lastHour: 23 },
    });
    expect(hoursAfter('2026-06-10T23:00:00Z')).toBeLessThan(12);
    // The first poll knows no zone yet, and asks when the day could be over in the first of all zones.
    expect(started.calls.every(({ startedAt }) => startedAt >= new Date('2026-06-10T14:00:00Z'))).toBe(true);
  });

  test('on the day that its clock springs forward has 23 hours, and is judged like any other', async () => {
    started.apis.clock.set('2026-03-29T12:00:00Z');
    const [judged] = await poll('1', '2026-03-29');
    expect(judged).toMatchObject({ rule: 'R1_full', proof: { labels: 23 } });
    expect(hoursAfter('2026-03-29T23:00:00Z')).toBeLessThan(12);
  });

  test('that is quiet never has 24 hours, and is judged all the same', async () => {
    const [judged] = await poll('2', '2026-06-10');
    expect(judged).toMatchObject({ verdict: 'available', rule: 'R3_stable' });
    expect(judged?.proof.hoursMask).toBeLessThan(2 ** 24 - 1);
    expect(hoursAfter('2026-06-11T04:00:00Z')).toBeLessThan(36);
  });

  test('without one hit on a day has a true zero, after two days and a look at the week', async () => {
    const [judged] = await poll('3', '2026-06-10');
    expect(judged).toMatchObject({
      verdict: 'available',
      rule: 'R4_zero',
      proof: { events: 0, because: { weekEvents: expect.any(Number) } },
    });
    expect(hoursAfter('2026-06-10T18:30:00Z')).toBeGreaterThan(48);
  });

  test('whose data does not come is forced at the deadline, and flagged', async () => {
    started.apis.clock.set('2026-06-11T12:00:00Z');
    const [judged] = await poll('6', '2026-06-10');
    expect(judged).toMatchObject({ verdict: 'forced', rule: 'R5_forced', flags: ['forced'] });
    expect(hoursAfter('2026-06-11T00:00:00Z')).toBeGreaterThan(72);
  });

  test('whose zone changed is judged by the new one, and its days are flagged', async () => {
    started.apis.clock.set('2026-06-10T02:00:00Z');
    const [entity] = started.analytics.entities.filter(({ entityId }) => entityId === '4');
    if (entity === undefined) throw new Error('There is none.');
    const ask = (dates: string[], history: Parameters<typeof started.analytics.probe>[0]['history']) =>
      started.analytics.probe(
        { probeGroup: '4', open: [{ entity, gate: 'day', dates }], history },
        started.context,
      );
    const before = await ask(['2026-06-08'], []);
    expect(before.availability).toMatchObject([{ proof: { timeZone: 'Europe/London' } }]);
    const history = before.availability.map((it) => ({ ...it, probedAt: new Date(started.context.now()) }));
    started.apis.clock.set('2026-06-12T03:00:00Z');
    const after = await ask(['2026-06-10'], history);
    expect(after.availability).toMatchObject([
      {
        flags: ['zone_changed'],
        proof: { timeZone: 'Asia/Tokyo', zoneChanged: { from: 'Europe/London', to: 'Asia/Tokyo' } },
      },
    ]);
  });

  test('of which a probe comes in part is not judged by it', async () => {
    started.apis.clock.set('2026-06-11T12:00:00Z');
    started.faults({ fault: 'short_page', times: 1 });
    const [entity] = started.analytics.entities.filter(({ entityId }) => entityId === '1');
    if (entity === undefined) throw new Error('There is none.');
    const open = [{ entity, gate: 'day', dates: ['2026-06-10'] }];
    const outcome = await started.analytics.probe({ probeGroup: '1', open, history: [] }, started.context);
    expect(outcome.availability).toEqual([]);
    expect(outcome.failures).toMatchObject([{ kind: 'transient', reason: 'short_page', notBefore: null }]);
  });

  test('that was deleted stops alone, with an alert', async () => {
    started.apis.clock.set('2026-06-12T12:00:00Z');
    const entities = started.analytics.entities.filter(
      ({ entityId }) => entityId === '5' || entityId === '1',
    );
    const open = entities.map((entity) => ({ entity, gate: 'day', dates: ['2026-06-10'] }));
    const outcome = await started.analytics.probe({ probeGroup: '5', open, history: [] }, started.context);
    expect(outcome.failures).toMatchObject([{ kind: 'stopped_entity', entityId: '5', alert: true }]);
    expect(outcome.availability.map(({ entityId }) => entityId)).toEqual(['1']);
  });

  test('that is not waited for is available when its day is over, by the rule that says so', async () => {
    const [judged] = await poll('7', '2026-06-10');
    expect(judged).toMatchObject({ verdict: 'available', rule: 'no_wait' });
    expect(hoursAfter('2026-06-11T00:00:00Z')).toBeLessThanOrEqual(5);
    // One to know the zone.
    expect(started.calls).toHaveLength(1);
  });
});

test('one call answers for all open days of a property', async () => {
  started.apis.clock.set('2026-06-12T12:00:00Z');
  const judged = await started.pollUntilJudged(started.analytics, '1', [
    '2026-06-08',
    '2026-06-09',
    '2026-06-10',
  ]);
  expect(judged).toHaveLength(3);
  expect(started.calls.length).toBeLessThanOrEqual(2);
});
