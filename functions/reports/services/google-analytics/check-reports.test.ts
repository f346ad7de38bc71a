import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type StartedServices, startServices } from '../start-for-test.ts';

let started: StartedServices;
const sites = [{ key: 'one', properties: [{ propertyId: '1' }] }];

beforeAll(async () => {
  started = await startServices(
    { seed: 3, properties: [{ id: '1', host: 'www.example.com', timeZone: 'UTC', viewsPerHour: 20 }] },
    '2026-06-20T12:20:00Z',
    { sites },
  );
});
afterAll(() => started.apis.close());

const check = (report: object) =>
  started
    .reopen({
      sites,
      defaultReports: false,
      reports: [{ key: 'mine', source: 'google_analytics', ...report }],
    })
    .analytics.checkReports(started.context);

describe('before the first pull', () => {
  test('nothing is wrong with the shipped reports', async () => {
    expect(await started.analytics.checkReports(started.context)).toEqual([]);
    started.apis.resetCalls();
  });

  test('a second check may be of those properties alone that could not be asked', async () => {
    expect(await started.analytics.checkReports(started.context, ['another'])).toEqual([]);
    expect(started.apis.calls()).not.toHaveProperty('google_analytics getMetadata');
    await started.analytics.checkReports(started.context, ['1']);
    expect(started.apis.calls()['google_analytics getMetadata']).toMatchObject({ calls: 1 });
  });

  test.each([
    [{ metrics: ['screenPageVews'] }, 'metrics', 'screenPageVews', 'Did you mean screenPageViews?'],
    [{ metrics: ['pageviews'] }, 'metrics', 'pageviews', 'Did you mean screenPageViews?'],
    [
      { metrics: ['sessions'], dimensions: ['socialNetwork'] },
      'dimensions',
      'socialNetwork',
      'Did you mean derive: [socialNetwork] of sessionSource?',
    ],
    [
      { metrics: ['sessions'], filter: [{ dimension: 'contry', in: ['France'] }] },
      'filter',
      'contry',
      'Did you mean country?',
    ],
  ])(
    'a name that does not exist is named with the one that was meant: %j',
    async (report, field, name, hint) => {
      expect(await check(report)).toEqual([
        { report: 'mine', entityId: '1', field, name, message: expect.stringContaining(hint) },
      ]);
    },
  );

  test('names that cannot go together are named too', async () => {
    const problems = await check({ dimensions: ['itemName'], metrics: ['screenPageViews'] });
    expect(problems.map(({ name, field }) => [name, field])).toContainEqual(['screenPageViews', 'metrics']);
    expect(problems[0]?.message).toContain('make a report of its own for it');
  });

  test('a property that may not be read is a problem of access, told once', async () => {
    started.faults({ fault: 'permission_denied' });
    const problems = await started.reopen({ sites }).analytics.checkReports(started.context);
    started.faults();
    expect(problems).toMatchObject([
      { report: '*', entityId: '1', field: 'access', name: 'permission_denied' },
    ]);
  });
});
