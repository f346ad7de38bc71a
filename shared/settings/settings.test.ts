import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { judgeProject, settingsSchema } from './settings.ts';
import { InvalidSettings, openSettings, parseSettings } from './settings-file.ts';

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
    ['a field that is misspelt', '{"project": {}}', /Unrecognized key: "project"/],
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

describe('live settings', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-settings-'));
  const path = join(folder, 'settings.json');
  const open = async (maximumAgeMs = 1) => {
    const reports: string[] = [];
    const report = (message: string) => reports.push(message);
    return { ...(await openSettings({ path, maximumAgeMs, report })), reports };
  };
  const write = (settings: unknown) => writeFileSync(path, JSON.stringify(settings));
  const names = (settings: { projects: object }) => Object.keys(settings.projects);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => {
    write({ projects: { first: {} } });
  });

  test('follow their file', async () => {
    const settings = await open();
    expect(names(settings.current())).toEqual(['first']);
    write({ projects: { second: {} } });
    await expect.poll(() => names(settings.current())).toEqual(['second']);
    expect(settings.reports).toEqual([`settings read again from ${path}`]);
  });

  test('keep the last good version where the next is invalid, say so once, and follow the one after', async () => {
    const settings = await open();
    writeFileSync(path, '{"projects": 1}');
    await expect
      .poll(() => {
        settings.current();
        return settings.reports.length;
      })
      .toBe(1);
    expect(settings.reports[0]).toContain(`settings kept as they were: ${path} is invalid`);
    for (let time = 0; time < 5; time++) {
      expect(names(settings.current())).toEqual(['first']);
      await wait(10);
    }
    expect(settings.reports).toHaveLength(1);
    write({ projects: { third: {} } });
    await expect.poll(() => names(settings.current())).toEqual(['third']);
  });

  test('keep the last good version while the file is gone', async () => {
    const settings = await open();
    rmSync(path);
    await expect
      .poll(() => {
        settings.current();
        return settings.reports[0];
      })
      .toContain('cannot be read');
    expect(names(settings.current())).toEqual(['first']);
  });

  test('are not looked at again before they are old enough', async () => {
    const settings = await open(3_600_000);
    write({ projects: { second: {} } });
    for (let time = 0; time < 5; time++) {
      expect(names(settings.current())).toEqual(['first']);
      await wait(5);
    }
  });

  test('are the defaults without a file, and refused where the first version cannot be used', async () => {
    const settings = await openSettings({ path: undefined, maximumAgeMs: 1, report: () => {} });
    expect(settings.current()).toEqual(settingsSchema.parse({}));
    rmSync(path);
    await expect(open()).rejects.toThrow(InvalidSettings);
    await expect(open()).rejects.toThrow(`${path} cannot be read`);
    writeFileSync(path, '{');
    await expect(open()).rejects.toThrow(`${path} is not JSON`);
  });
});
