import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBuckets } from '../../local/buckets.ts';
import { noFaults } from '../../local/storage/faults.ts';
import { startStorage } from '../../local/storage/index.ts';
import { openBucket } from '../../shared/google/cloud-storage.ts';
import type { AppendRows } from './append-rows.ts';
import { readGroupState } from './group-state.ts';
import { refreshExtras } from './refresh-extras.ts';
import { type StartedServices, startServices } from './services/start-for-test.ts';
import { addSpentUnits, readSpentUnits } from './spent-units.ts';

// 120 videos to be described are three calls of one unit, the counters of two channels one.
const channels = ['UCexample0000000000000001', 'UCexample0000000000000002'];
const owners = ['One', 'Two'];
const configuration = {
  contentOwners: owners.map((id) => ({ key: id.toLowerCase(), id, credential: 'YOUTUBE_OWNER' })),
  channels: channels.map((id, index) => ({
    key: `channel-${index}`,
    ids: [id],
    owner: owners[index]?.toLowerCase(),
  })),
  youtube: { unitsPerDay: 5 },
};
let started: StartedServices;
let storage: Awaited<ReturnType<typeof startStorage>>;
let store: { bucket: ReturnType<typeof openBucket>; callWithinMs: number };

beforeAll(async () => {
  started = await startServices(
    {
      seed: 5,
      contentOwners: owners.map((id) => ({ id, displayName: id })),
      channels: channels.map((id, index) => ({
        id,
        title: id,
        owner: owners[index] ?? '',
        viewsPerDay: 100,
      })),
    },
    '2026-06-20T12:00:00Z',
    configuration,
  );
  storage = await startStorage({ port: 0, file: ':memory:', faults: noFaults() });
  await createBuckets('local', storage.port, ['reports']);
  const bucket = openBucket('reports', { LOCAL_STORAGE: `127.0.0.1:${storage.port}` });
  store = { bucket, callWithinMs: 5_000 };
});
afterAll(async () => {
  store.bucket.close();
  await Promise.all([storage.close(), started.apis.close()]);
});

/** What a poll of an instance that has just started does; `append` stands for a BigQuery that stores. */
async function refresh(group: string, append: AppendRows = async () => {}) {
  started.calls.length = 0;
  const { youtube } = started.reopen();
  const ids = Array.from({ length: 120 }, (_, index) => `video${index}`);
  const recorded: typeof started.calls = [];
  const context = {
    ...started.context,
    recordCall: (call: (typeof recorded)[number]) => recorded.push(call),
  };
  await refreshExtras(youtube, group, await readGroupState(store, 'youtube', group), {
    ...store,
    append,
    store: { readUndescribed: async () => ids },
    now: started.context.now,
    log: () => {},
    context,
  });
  return readGroupState(store, 'youtube', group);
}

const spent = () => readSpentUnits(store, 'youtube', started.context.now());
const asked = () =>
  Object.entries(started.apis.calls()).reduce(
    (sum, [name, { calls }]) => sum + (name.startsWith('youtube_data') ? calls : 0),
    0,
  );

test('the units of a day are kept to by instances and owners together, and there are new ones after midnight Pacific', async () => {
  const first = await refresh('one');
  expect([await spent(), asked()]).toEqual([4, 4]);
  expect(first.quota.unitsPerDay).toMatchObject({ remaining: 1 });

  const second = await refresh('two');
  expect([await spent(), asked()]).toEqual([5, 5]);
  expect(second.holds).toMatchObject([{ kind: 'deferred', reason: 'units_per_day' }]);
  expect(new Date(second.holds[0]?.until ?? 0).toISOString()).toBe('2026-06-21T07:00:00.000Z');

  started.apis.clock.set('2026-06-21T07:30:00Z');
  expect(await spent()).toBe(0);
  await refresh('two');
  expect([await spent(), asked()]).toEqual([4, 9]);
});

test('units count also where their answers could not be stored', async () => {
  started.apis.clock.set('2026-06-22T07:30:00Z');
  await expect(refresh('one', () => Promise.reject(new Error('BigQuery is down')))).rejects.toThrow('down');
  expect(await spent()).toBe(1);
});

test('units that several instances add at once are all there', async () => {
  const startedAt = new Date('2026-06-23T12:00:00Z');
  const add = () =>
    addSpentUnits(store, 'youtube', [
      { units: 2, startedAt },
      { units: null, startedAt },
    ]);
  await Promise.all([add(), add(), add()]);
  expect(await readSpentUnits(store, 'youtube', startedAt.getTime())).toBe(6);
});
