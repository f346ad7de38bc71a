import { describe, expect, test } from 'vitest';
import { InvalidSettings, parseSettings } from './parse-settings.ts';
import { judgeProject, settingsOf, settingsSchema } from './settings.ts';

const judge = (settings: object, project = 'shop') =>
  judgeProject(settingsSchema.parse(settings), project, 'analysys');

describe('a project', () => {
  test('is taken whatever its name while the settings name none', () => {
    expect(judge({})).toBe('accepted');
  });

  test('that is named is taken in every dialect, or in those that it is allowed', () => {
    expect(judge({ projects: { shop: {} } })).toBe('accepted');
    expect(judge({ projects: { shop: { dialects: ['segment', 'analysys'] } } })).toBe('accepted');
    expect(judge({ projects: { shop: { dialects: ['segment'] } } })).toBe('dialect_not_allowed');
  });

  test('that is not named is unknown once others are, unless unknown ones are to be accepted', () => {
    expect(judge({ projects: { other: {} } })).toBe('unknown_project');
    expect(judge({ projects: { other: {} }, unknownProjects: 'accept' })).toBe('accepted');
    expect(judge({ unknownProjects: 'quarantine' })).toBe('unknown_project');
  });

  test('is not known for being called like a member of every object', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(judge({ projects: { shop: {} } }, name)).toBe('unknown_project');
    }
  });

  test('is judged by its exact name', () => {
    expect(judge({ projects: { Shop: {} } })).toBe('unknown_project');
  });
});

describe('the settings of a project', () => {
  test('are the defaults where it is not named, or says nothing', () => {
    const settings = settingsSchema.parse({ projects: { shop: {} } });
    const defaults = { dedup: 'on', eventTime: 'sender' };
    expect(settingsOf(settings, 'shop')).toEqual(defaults);
    expect(settingsOf(settings, 'blog')).toEqual(defaults);
    expect(settingsOf(settings, 'constructor')).toEqual(defaults);
  });

  test('say whose anonymous events are, and which aliases count no more', () => {
    const voided = ['0123456789abcdef0123456789abcdef'];
    const settings = settingsSchema.parse({
      projects: {
        shop: { identity: { policy: 'devices_to_one_user', order: 'received_at', voided } },
        blog: { identity: {} },
      },
    });
    expect(settingsOf(settings, 'shop').identity).toEqual({
      policy: 'devices_to_one_user',
      order: 'received_at',
      voided,
    });
    expect(settingsOf(settings, 'blog').identity).toEqual({ order: 'occurred_at', voided: [] });
    expect(settingsOf(settings, 'elsewhere').identity).toBeUndefined();
  });
});

describe('an invalid file is refused, naming the file and', () => {
  test.each([
    ['the place in text that is not JSON', '{"projects": {', /^settings\.json is not JSON: .*position|line/],
    [
      'the field of a wrong type',
      '{"projects": {"shop": {"dialects": "segment"}}}',
      /→ at projects\.shop\.dialects/,
    ],
    [
      'a dialect that does not exist',
      '{"projects": {"shop": {"dialects": ["amplitude"]}}}',
      /projects\.shop\.dialects\[0\]/,
    ],
    [
      'a project that may speak nothing',
      '{"projects": {"shop": {"dialects": []}}}',
      /projects\.shop\.dialects/,
    ],
    [
      'a field that is misspelt, and those that there are',
      '{"project": {}}',
      /Unrecognized key: "project"\. There are: \$schema, projects, /,
    ],
    [
      'a field of a project that is misspelt, and those that there are',
      '{"projects": {"shop": {"event_time": "ignore"}}}',
      /Unrecognized key: "event_time"\. There are: dialects, debug, .*eventTime, rateLimit\n\s+→ at projects\.shop$/,
    ],
    [
      'a debug mode that does not exist',
      '{"projects": {"shop": {"debug": "on"}}}',
      /expected one of 0\|1\|2\n\s+→ at projects\.shop\.debug/,
    ],
    [
      'a switch that is neither on nor off',
      '{"projects": {"shop": {"dedup": false}}}',
      /expected one of "on"\|"off"\n\s+→ at projects\.shop\.dedup/,
    ],
    [
      'a policy of identity that does not exist',
      '{"projects": {"shop": {"identity": {"policy": "last_wins"}}}}',
      /"one_to_one"\|"devices_to_one_user"\n\s+→ at projects\.shop\.identity\.policy/,
    ],
    [
      'a voided alias that is no event_id',
      '{"projects": {"shop": {"identity": {"voided": ["0123456789abcdef0123456789abcdef", "ann"]}}}}',
      /expected the event_id of an alias: 32 digits of 0 to 9 and a to f\n\s+→ at projects\.shop\.identity\.voided\[1\]/,
    ],
    [
      'one voided alias where a list belongs',
      '{"projects": {"shop": {"identity": {"voided": "0123456789abcdef0123456789abcdef"}}}}',
      /expected array, received string\n\s+→ at projects\.shop\.identity\.voided/,
    ],
    [
      'a rate that lets nothing pass',
      '{"projects": {"shop": {"rateLimit": {"eventsPerSecond": 0}}}}',
      /expected number to be >0\n\s+→ at projects\.shop\.rateLimit\.eventsPerSecond/,
    ],
    [
      'a limit without its rate',
      '{"projects": {"shop": {"rateLimit": {"burst": 10}}}}',
      /→ at projects\.shop\.rateLimit\.eventsPerSecond/,
    ],
    [
      'a policy that does not exist',
      '{"unknownProjects": "drop"}',
      /"accept"\|"quarantine"[\s\S]*→ at unknownProjects/,
    ],
    ['a cap below 0', '{"unknownProjectsPerDay": -1}', /→ at unknownProjectsPerDay/],
    [
      "a window beyond BigQuery's ten years",
      '{"timeWindow": {"pastDays": 4000, "futureDays": 1}}',
      /→ at timeWindow\.pastDays/,
    ],
    ['half a window', '{"timeWindow": {"pastDays": 30}}', /→ at timeWindow\.futureDays/],
    ['something that is no object', '[]', /expected object/],
  ])('%s', (_, text, message) => {
    const parse = () => parseSettings(text, 'settings.json');
    expect(parse).toThrow(InvalidSettings);
    expect(parse).toThrow(message);
    expect(parse).toThrow(/^settings\.json is (not JSON|invalid)/);
  });

  test('every problem is named at once', () => {
    const parse = () => parseSettings('{"unknownProjects": 1, "timeWindow": 2}', 'settings.json');
    expect(parse).toThrow(/unknownProjects[\s\S]*timeWindow/);
  });
});

test('what a file leaves out has its default, and $schema may be given', () => {
  expect(parseSettings('{"$schema": "infra/settings.schema.json"}', 'settings.json')).toEqual({
    $schema: 'infra/settings.schema.json',
    projects: {},
    unknownProjectsPerDay: 1000,
    timeWindow: { pastDays: 3640, futureDays: 1 },
  });
});
