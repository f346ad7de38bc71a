import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Storage } from '@google-cloud/storage';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { noFaults } from '../../local/storage/faults.ts';
import { type StorageServer, startStorage } from '../../local/storage/index.ts';
import { openBucket } from '../google/cloud-storage.ts';
import { type LiveOptions, type LiveSettings, openSettings, readSettings } from './live-settings.ts';
import { InvalidSettings } from './parse-settings.ts';
import { type Settings, settingsSchema } from './settings.ts';
import { openSettingsSource, settingsLocation } from './settings-source.ts';

const defaults = settingsSchema.parse({});
const naming = (project: string) => JSON.stringify({ projects: { [project]: {} } });
const names = (settings: Settings | undefined) => settings && Object.keys(settings.projects);

let reports: string[] = [];
const opened: LiveSettings[] = [];
afterEach(() => {
  for (const settings of opened.splice(0)) settings.close();
  reports = [];
});

function follow(source: LiveOptions['source'], given: Partial<LiveOptions> = {}): LiveSettings {
  const settings = openSettings({
    source,
    mayBeAbsent: false,
    maximumAgeMs: 5,
    report: (severity, message) => reports.push(`${severity} ${message}`),
    ...given,
  });
  opened.push(settings);
  return settings;
}

const noBucket = (): never => {
  throw new Error('a file has no bucket');
};

test('without a source there are the defaults', async () => {
  expect(follow(undefined).current()).toEqual(defaults);
  expect(await readSettings(undefined, false)).toEqual(defaults);
});

test('a place is a path or an object of Cloud Storage', () => {
  for (const place of ['settings.json', '/etc/tributary/settings.json', 'gs://bucket/a/b.json']) {
    expect(settingsLocation.safeParse(place).success).toBe(true);
  }
  for (const place of ['gs://bucket', 'gs://bucket/', 'gs:///object', 'https://example.com/settings.json']) {
    expect(settingsLocation.safeParse(place).error?.issues[0]?.message).toBe(
      'must be a path or gs://BUCKET/OBJECT',
    );
  }
});

describe('settings in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-settings-'));
  const path = join(folder, 'settings.json');
  /** Whole or not at all. */
  const write = (text: string) => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  const source = () => openSettingsSource(path, noBucket);
  const read = () => readSettings(source(), false);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => write(naming('first')));

  test('are there at once, and follow the file without being asked', async () => {
    const settings = follow(source());
    expect(names(settings.current())).toEqual(['first']);
    write(naming('second'));
    await expect.poll(() => reports).toEqual([`INFO settings read again from ${path}`]);
    expect(names(settings.current())).toEqual(['second']);
  });

  test('keep the last good version where the next is invalid, say so once, and follow the one after', async () => {
    const settings = follow(source());
    write('{"projects": 1}');
    await expect.poll(() => reports.length).toBe(1);
    expect(reports[0]).toContain(`ERROR settings kept as they were: ${path} is invalid`);
    expect(reports[0]).toContain('at projects');
    await wait(100);
    expect(reports).toHaveLength(1);
    expect(names(settings.current())).toEqual(['first']);
    write(naming('third'));
    await expect.poll(() => names(settings.current())).toEqual(['third']);
    expect(reports).toHaveLength(2);
  });

  test('keep the last good version while the file is gone, which is said once', async () => {
    const settings = follow(source(), { mayBeAbsent: true });
    rmSync(path);
    await expect.poll(() => reports.length).toBe(1);
    expect(reports[0]).toContain(`${path} cannot be read: there is nothing`);
    await wait(100);
    expect(names(settings.current())).toEqual(['first']);
    write(naming('first'));
    await expect.poll(() => reports.length).toBe(2);
    expect(reports[1]).toBe(`INFO settings read again from ${path}`);
  });

  test('may come later where they may be absent: until then the defaults hold', async () => {
    rmSync(path);
    const settings = follow(source(), { mayBeAbsent: true });
    expect(settings.current()).toEqual(defaults);
    expect(await readSettings(source(), true)).toEqual(defaults);
    write(naming('late'));
    await expect.poll(() => names(settings.current())).toEqual(['late']);
    expect(names(await readSettings(source(), true))).toEqual(['late']);
    expect(reports).toEqual([`INFO settings read again from ${path}`]);
  });

  test('are not looked at again before they are old enough', async () => {
    const settings = follow(source(), { maximumAgeMs: 3_600_000 });
    write(naming('second'));
    await wait(50);
    expect(names(settings.current())).toEqual(['first']);
    expect(names(await read())).toEqual(['second']);
  });

  test.each([
    ['cut off', () => write('{'), `${path} is not JSON`],
    ['not there', () => rmSync(path), `${path} cannot be read: there is nothing`],
  ])('are refused at the start where the first version is %s', async (_, spoil, message) => {
    spoil();
    expect(() => follow(source())).toThrow(InvalidSettings);
    expect(() => follow(source())).toThrow(message);
    await expect(read()).rejects.toThrow(InvalidSettings);
    await expect(read()).rejects.toThrow(message);
    expect(reports).toEqual([]);
  });

  test('are refused at the start where the path is a folder', () => {
    expect(() => follow(openSettingsSource(folder, noBucket))).toThrow(`${folder} cannot be read: EISDIR`);
  });
});

describe('settings in a bucket', () => {
  const location = 'gs://settings/tributary/settings.json';
  const faults = noFaults();
  let server: StorageServer;
  let file: ReturnType<ReturnType<Storage['bucket']>['file']>;

  const source = () =>
    openSettingsSource(location, (bucket) =>
      openBucket(bucket, { LOCAL_STORAGE: `127.0.0.1:${server.port}` }),
    );

  beforeAll(async () => {
    process.env.METADATA_SERVER_DETECTION = 'none';
    server = await startStorage({ port: 0, file: ':memory:', faults });
    const google = new Storage({ projectId: 'local', apiEndpoint: `http://127.0.0.1:${server.port}` });
    const [bucket] = await google.createBucket('settings');
    file = bucket.file('tributary/settings.json');
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    await file.save(naming('first'));
  });
  afterEach(() => {
    Object.assign(faults, noFaults());
  });

  test('are there once the bucket has answered, and follow the object', async () => {
    const settings = follow(source());
    expect(settings.current()).toBeUndefined();
    await settings.ready;
    expect(names(settings.current())).toEqual(['first']);
    await file.save(naming('second'));
    await expect.poll(() => names(settings.current())).toEqual(['second']);
    expect(reports).toEqual([`INFO settings read again from ${location}`]);
    expect(names(await readSettings(source(), false))).toEqual(['second']);
  });

  test('are downloaded again only where the generation has changed', async () => {
    const bucket = openBucket('settings', { LOCAL_STORAGE: `127.0.0.1:${server.port}` });
    let [finds, reads] = [0, 0];
    const counting = openSettingsSource(location, () => ({
      find: (name, withinMs) => {
        finds++;
        return bucket.find(name, withinMs);
      },
      read: (name, generation, withinMs) => {
        reads++;
        return bucket.read(name, generation, withinMs);
      },
      close: bucket.close,
    }));
    const settings = follow(counting);
    await expect.poll(() => finds).toBeGreaterThan(5);
    expect(reads).toBe(1);
    await file.save(naming('second'));
    await expect.poll(() => names(settings.current())).toEqual(['second']);
    expect(reads).toBe(2);
  });

  test('keep the last good version where the next is invalid, and say so once', async () => {
    const settings = follow(source());
    await settings.ready;
    await file.save('{"projects": {"shop": {"dialects": ["amplitude"]}}}');
    await expect.poll(() => reports.length).toBe(1);
    expect(reports[0]).toContain(`settings kept as they were: ${location} is invalid`);
    await wait(100);
    expect(reports).toHaveLength(1);
    expect(names(settings.current())).toEqual(['first']);
    await expect(readSettings(source(), false)).rejects.toThrow(InvalidSettings);
    await file.save('{"projects": 2}');
    await expect.poll(() => reports.length).toBe(2);
  });

  test('keep the last good version while the bucket cannot be reached, and say once that it cannot and that it can', async () => {
    const settings = follow(source());
    await settings.ready;
    faults.unavailableRate = 1;
    await expect.poll(() => reports.length, { timeout: 60_000 }).toBe(1);
    expect(reports[0]).toContain(
      `ERROR settings kept as they were: ${location} cannot be read: Cloud Storage`,
    );
    expect(names(settings.current())).toEqual(['first']);
    faults.unavailableRate = 0;
    await expect.poll(() => reports.length, { timeout: 60_000 }).toBe(2);
    expect(reports[1]).toBe(`INFO settings can be read again from ${location}`);
  });

  test('are none at all before there was a good version, then follow the first that there is', async () => {
    await file.save('{');
    const settings = follow(source());
    await settings.ready;
    expect(settings.current()).toBeUndefined();
    expect(reports).toEqual([
      expect.stringContaining(`ERROR there are no settings: ${location} is not JSON`),
    ]);
    await file.delete();
    await expect.poll(() => reports.length).toBe(2);
    expect(reports[1]).toBe(`ERROR there are no settings: ${location} cannot be read: there is nothing`);
    await file.save(naming('mended'));
    await expect.poll(() => names(settings.current())).toEqual(['mended']);
  });

  test('may come later where they may be absent', async () => {
    await file.delete();
    const settings = follow(source(), { mayBeAbsent: true });
    await settings.ready;
    expect(settings.current()).toEqual(defaults);
    await file.save(naming('late'));
    await expect.poll(() => names(settings.current())).toEqual(['late']);
    expect(reports).toEqual([`INFO settings read again from ${location}`]);
  });

  test('cannot be read afresh while the bucket is down, which is no fault of theirs', async () => {
    faults.unavailableRate = 1;
    await expect(readSettings(source(), true)).rejects.toThrow('Cloud Storage answered 503');
    await expect(readSettings(source(), true)).rejects.not.toBeInstanceOf(InvalidSettings);
  });
});
