import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type StartedServices, startServices } from '../functions/reports/services/start-for-test.ts';
import { describeProof } from './reports-proof.ts';

let started: StartedServices;
const channel = 'UCexample0000000000000001';

beforeAll(async () => {
  started = await startServices(
    {
      seed: 9,
      properties: [
        { id: '1', host: 'big.example.com', timeZone: 'Europe/London', viewsPerHour: 300 },
        {
          id: '2',
          host: 'quiet.example.com',
          timeZone: 'Europe/London',
          viewsPerHour: 2,
          shape: 'flat',
          zeroDays: ['2026-03-28'],
        },
      ],
      contentOwners: [{ id: 'Network', displayName: 'Network' }],
      channels: [{ id: channel, title: 'One', owner: 'Network', viewsPerDay: 400 }],
    },
    '2026-03-29T12:00:00Z',
    {
      sites: ['1', '2'].map((propertyId) => ({ key: `site-${propertyId}`, properties: [{ propertyId }] })),
      contentOwners: [{ key: 'network', id: 'Network', credential: 'YOUTUBE_OWNER' }],
      channels: [{ key: 'one', ids: [channel], owner: 'network' }],
    },
  );
});
afterAll(() => started.apis.close());

const judge = async (service: 'analytics' | 'youtube', entityId: string, date: string, gate?: string) => {
  started.apis.clock.set('2026-03-29T12:00:00Z');
  const [judged] = await started.pollUntilJudged(started[service], entityId, [date], gate);
  return { ...judged, told: describeProof(judged?.proof ?? {}) };
};

describe('a proof in words', () => {
  test('of a day of 23 hours tells the hours, what came in them and since when nothing changed', async () => {
    const { rule, told } = await judge('analytics', '1', '2026-03-29');
    expect(rule).toBe('R1_full');
    expect(told.seen).toEqual([
      expect.stringMatching(/^the day is one of Europe\/London$/),
      'it has 23 hours',
      expect.stringMatching(
        /^23 of 23 hours have data, with [\d,]+ visits and [\d,]+ users by the hour: 00, 02-23$/,
      ),
      expect.stringMatching(/^[\d,]+ events$/),
      expect.stringMatching(/^[\d,]+ views$/),
      'the last hour with data is 23',
      expect.stringMatching(/^hash [0-9a-f]{12} of what was seen$/),
      expect.stringMatching(/^\d+ hours after the day have data$/),
    ]);
    expect(told.because.at(-1)).toMatch(
      /^nothing of the day has changed since 2026-03-\d\d \d\d:\d\d:\d\d UTC$/,
    );
  });

  test('of a day without anything tells of the week around it', async () => {
    const { rule, told } = await judge('analytics', '2', '2026-03-28');
    expect(rule).toBe('R4_zero');
    expect(told.seen).toContain('no hour has data');
    expect(told.because).toEqual([
      expect.stringMatching(/^[\d.]+ hours after the day's end$/),
      expect.stringMatching(/^the seven days up to it have [\d,]+ events$/),
    ]);
  });

  test('of a channel tells how far the owner has come and what the channel has', async () => {
    const { rule, told } = await judge('youtube', channel, '2026-03-27', 'subscribers');
    expect(rule).toBe('watermark');
    expect(told.seen).toEqual([
      'the day is one of America/Los_Angeles',
      expect.stringMatching(/^the owner's days reach 2026-03-\d\d$/),
      expect.stringMatching(/^asked for comments, .*subscribersGained, subscribersLost, views$/),
    ]);
    expect(told.because).toContain('the channel has a row of the day');
    expect(told.because).toContain('it has rows of 6 of the 6 days before');
  });

  test('tells what it does not know by its name, whatever is nested in it', () => {
    const proof = { newThing: { leastEvents: 1200, hours: [1, 2], none: null }, because: { someList: [] } };
    expect(describeProof(proof)).toEqual({
      seen: ['new thing (least events 1,200, hours 1 2)'],
      because: ['some list none'],
    });
  });
});
