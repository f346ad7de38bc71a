import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readText } from '../../../test/repository-files.ts';
import { services } from '../services/index.ts';
import { InvalidConfiguration, parseConfiguration, shippedDefaults } from './parse-configuration.ts';

const parse = (text: string) => parseConfiguration(text, 'reports.yaml', services);

function problemsOf(given: object | string): readonly string[] {
  try {
    parse(typeof given === 'string' ? given : JSON.stringify(given));
  } catch (error) {
    if (error instanceof InvalidConfiguration) return error.problems;
    throw error;
  }
  return [];
}

const site = (key: string, ...ids: string[]) => ({
  key,
  properties: ids.map((propertyId) => ({ propertyId })),
});

describe('a configuration', () => {
  test('of a site and a channel is enough: the shipped reports and maps come with it', () => {
    const { reports, poll, maps } = parse(`
# YAML, with comments
sites:
  - key: example.com
    properties: [{ propertyId: "123456789" }, { propertyId: "987654321", role: amp, waitForData: false }]
contentOwners: [{ key: network, id: ExampleNetwork, credential: /secrets/network.json }]
channels: [{ key: reviews, ids: [UCexample0000000000000001], owner: network }]
`);
    expect(reports.map(({ key }) => key)).toEqual([
      'site_summary',
      'site_users_weekly',
      'site_users_monthly',
      'site_articles',
      'site_countries',
      'site_sources',
      'site_referrers',
      'site_referrer_articles',
      'site_social',
      'site_devices',
      'site_devices_monthly',
      'channel_summary',
      'channel_stats',
      'channel_countries',
      'channel_videos',
      'channel_traffic_sources',
    ]);
    expect(poll.repullDays).toEqual([1, 2, 3, 7, 28]);
    expect(maps).toHaveProperty('countries.length', 18);
  });

  test('is as docs/reports.md shows it, and has the reports that it lists', () => {
    const guide = readText('docs/reports.md');
    const { reports } = parse(/```yaml\n([\s\S]*?)```/.exec(guide)?.[1] ?? '');
    const listed = [...guide.matchAll(/^\| (`(?:site|channel)_.*?)\|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, key]) => key),
    );
    expect(reports.map(({ key }) => key).sort()).toEqual(['site_browsers', ...listed].sort());
  });

  test('may be the shipped file itself, which pulls nothing yet', () => {
    const given = readText('infra/reports.default.json');
    expect(parse(given).reports).toHaveLength(16);
    expect(JSON.parse(given)).toEqual(shippedDefaults);
  });

  test('replaces a shipped report by one of its key, and takes of the others those that it names', () => {
    const own = { key: 'site_summary', source: 'google_analytics', metrics: ['eventCount'] };
    const given = {
      sites: [site('a', '1')],
      defaultReports: ['site_devices', 'site_summary'],
      reports: [own],
    };
    const { reports } = parse(JSON.stringify(given));
    expect(reports.map(({ key, metrics }) => [key, metrics])).toEqual([
      ['site_summary', ['eventCount']],
      ['site_devices', ['totalUsers', 'screenPageViews']],
    ]);
    expect(parse(JSON.stringify({ ...given, defaultReports: false, reports: [] })).reports).toEqual([]);
  });

  test('replaces one map and keeps the other shipped ones', () => {
    const { maps } = parse('maps: { countries: [France] }');
    expect(maps).toMatchObject({ countries: ['France'], socialSources: { 't.co': 'X' } });
  });
});

describe('what is wrong is named by its place, with what to write instead', () => {
  const owner = { key: 'network', id: 'Example', credential: 'TOKEN' };
  const channel = { key: 'reviews', ids: ['UCexample0000000000000001'], owner: 'network' };
  test.each<[string, object | string, string[]]>([
    [
      'a property id of UA',
      { sites: [site('a', 'UA-1234-1')] },
      [
        'sites[0].properties[0].propertyId: must be the digits of a GA4 property id, as in "123456789" (no UA- and no G-)',
      ],
    ],
    ['a misspelt field', { sits: [] }, ['sits: there is no such field. Did you mean sites?']],
    [
      'a field that is missing',
      { sites: [{ properties: [{ propertyId: '1' }] }] },
      ['sites[0].key: is missing; it must be a string'],
    ],
    [
      'an unknown zone',
      { sites: [{ key: 'a', properties: [{ propertyId: '1', timeZone: 'Mars/Base' }] }] },
      ['sites[0].properties[0].timeZone: must be a name of the tz database, as in Europe/London'],
    ],
    [
      'a property of two sites',
      { sites: [site('a', '1'), site('b', '1')] },
      ['sites[1].properties[0].propertyId: property 1 is also one of a: a property belongs to one site'],
    ],
    [
      'an owner that is not there',
      { contentOwners: [owner], channels: [{ ...channel, owner: 'netwrk' }] },
      ['channels[0].owner: netwrk is no key of contentOwners: network'],
    ],
    [
      'a report of a site that is not there',
      {
        sites: [site('example', '1')],
        reports: [{ key: 'mine', source: 'google_analytics', metrics: ['eventCount'], on: ['exmple'] }],
      },
      ['reports[0].on[0]: exmple is no key of this file. Did you mean example?'],
    ],
    [
      'a list that is no map',
      {
        reports: [
          {
            key: 'mine',
            source: 'google_analytics',
            metrics: ['eventCount'],
            filter: [{ dimension: 'country', in: '@lands' }],
          },
        ],
      },
      [
        'reports[0].filter[0]: @lands is no list of maps: write one of @countries, @socialSources, @pathDeny, @sourceDeny',
      ],
    ],
    [
      'a ratio of a metric that is not summed',
      {
        reports: [
          {
            key: 'mine',
            source: 'google_analytics',
            metrics: ['screenPageViews', 'totalUsers'],
            ratios: [{ name: 'views_per_user', numerator: 'screenPageViews', denominator: ['totalUsers'] }],
          },
        ],
      },
      [
        'reports[0].ratios[0]: totalUsers must be among metrics and one that adds up: the parts of a ratio are summed before they are divided',
      ],
    ],
    [
      'weeks of YouTube',
      { reports: [{ key: 'mine', source: 'youtube', metrics: ['views'], grain: 'week' }] },
      ['reports[0].grain: must be day or month: YouTube gives no weeks'],
    ],
    ['a ladder that descends', { poll: { repullDays: [3, 2] } }, ['poll.repullDays: must ascend']],
    ['no YAML', 'sites: [', ['Flow sequence in block collection must be sufficiently indented']],
  ])('%s', (_, given, expected) => {
    const problems = problemsOf(given);
    expect(problems).toHaveLength(expected.length);
    for (const [index, problem] of expected.entries()) expect(problems[index]).toContain(problem);
  });

  test('an unknown service, with those that there are', () => {
    const [problem] = problemsOf({ reports: [{ key: 'mine', source: 'facebook', metrics: ['likes'] }] });
    expect(problem).toMatch(/^reports\[0\]\.source: .*google_analytics.*youtube/);
  });

  test('everything at once, not only the first', () => {
    expect(problemsOf({ sites: [site('A b', 'x')], poll: { lookbackDays: 0 } })).toHaveLength(3);
  });

  test('whatever the file holds, never with another error', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom('sites', 'maps', 'reports', 'poll', 'groups', 'x'),
        (value, field) => {
          problemsOf({ [field]: value });
          problemsOf(JSON.stringify(value));
        },
      ),
      { numRuns: 30 },
    );
  });
});
