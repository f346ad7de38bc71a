import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createBuckets } from '../../local/buckets.ts';
import { type StorageFaults, type StorageServer, startStorage } from '../../local/storage/index.ts';
import { type ObjectStore, openBucket } from '../../shared/google/cloud-storage.ts';
import { type LeaseLost, type LeaseOptions, leaseObject, takeLease } from './lease.ts';
import { emptyState, type FoldState, openState, stateObject } from './state.ts';

const noFaults: StorageFaults = {
  unavailableRate: 0,
  delayMs: 0,
  storedThenLostRate: 0,
  random: Math.random,
};
const faults = { ...noFaults };
let server: StorageServer;
let bucket: ObjectStore;
let options: LeaseOptions;
let now: number;
let buckets = 0;

beforeAll(async () => {
  server = await startStorage({ port: 0, file: ':memory:', faults });
});
afterAll(() => server.close());
beforeEach(async () => {
  Object.assign(faults, noFaults);
  const name = `fold-${++buckets}`;
  await createBuckets('local', server.port, [name]);
  bucket = openBucket(name, { LOCAL_STORAGE: `127.0.0.1:${server.port}` });
  now = 1_000_000;
  options = { bucket, now: () => now, callWithinMs: 2_000, lastsMs: 120_000 };
  return () => bucket.close();
});

const lost = expect.objectContaining<Partial<LeaseLost>>({ message: 'another tick has taken over' });
/** Writes over whatever there is, also while it is being renewed. */
const put = async (name: string, text: string): Promise<void> => {
  const object = { name, data: Buffer.from(text), contentType: 'application/json', metadata: {} };
  for (;;) {
    const generation = (await bucket.find(name, 2_000))?.generation ?? '0';
    if ((await bucket.write(object, generation, 2_000)).kind === 'written') return;
  }
};

describe('the lease', () => {
  test('is of one at a time, also where many ask at the same moment', async () => {
    const taken = await Promise.all(Array.from({ length: 8 }, () => takeLease(options)));
    expect(taken.filter((lease) => lease !== undefined)).toHaveLength(1);
    expect(await takeLease(options)).toBeUndefined();
    await Promise.all(taken.map((lease) => lease?.release()));
  });

  test('is given back for the next one', async () => {
    const first = await takeLease(options);
    await first?.check();
    await first?.release();
    const second = await takeLease(options);
    expect(second?.holder).not.toBe(first?.holder);
    await second?.release();
  });

  test('of one who died is taken when its time is over, and not before, by one of those who wait', async () => {
    const dead = await takeLease(options);
    now += 119_999;
    expect(await takeLease(options)).toBeUndefined();
    now += 1;
    const taken = await Promise.all(Array.from({ length: 8 }, () => takeLease(options)));
    const [heir, ...others] = taken.filter((lease) => lease !== undefined);
    expect(others).toEqual([]);
    await heir?.check();
    await expect(dead?.check()).rejects.toEqual(lost);
    // The dead one does not take it along.
    await dead?.release();
    await heir?.check();
    expect(await takeLease(options)).toBeUndefined();
    await heir?.release();
  });

  test('lasts as long as its holder renews it, and is lost where another has taken it', async () => {
    const lease = await takeLease({ ...options, lastsMs: 80 });
    for (let times = 0; times < 3; times++) {
      now += 60;
      // Renewed at the new time.
      const { generation } = (await bucket.find(leaseObject, 2_000)) ?? {};
      await expect.poll(async () => (await bucket.find(leaseObject, 2_000))?.generation).not.toBe(generation);
      await lease?.check();
    }
    await put(leaseObject, JSON.stringify({ holder: 'other', expiresAt: now + 10_000 }));
    const isLost = async () =>
      lease?.check().then(
        () => undefined,
        (error: unknown) => error,
      );
    await expect.poll(isLost).toEqual(lost);
    await lease?.release();
    expect(await takeLease(options)).toBeUndefined();
  });

  test('is taken though the answer to taking it was lost', async () => {
    Object.assign(faults, { storedThenLostRate: 1 });
    // The tries after the first find the object changed, by that first one.
    const lease = await takeLease(options);
    Object.assign(faults, noFaults);
    await lease?.check();
    expect(lease).toBeDefined();
    await lease?.release();
  });

  test('that is no lease is nobody’s', async () => {
    await put(leaseObject, 'not a lease');
    const lease = await takeLease(options);
    expect(lease).toBeDefined();
    await lease?.release();
  });
});

describe('the state', () => {
  const stateAt = (foldedAt: number): FoldState => ({ ...emptyState, foldedAt });
  const open = (holder: string) => openState({ bucket, holder, callWithinMs: 2_000 });

  test('is read as it was written, write after write', async () => {
    const store = open('a');
    expect(await store.read()).toBeUndefined();
    await store.write(stateAt(1));
    await store.write(stateAt(2));
    expect(await open('b').read()).toEqual(stateAt(2));
  });

  test('of one who was overtaken never wins', async () => {
    const [old, heir] = [open('a'), open('b')];
    await old.read();
    await heir.read();
    await heir.write(stateAt(2));
    await expect(old.write(stateAt(1))).rejects.toThrow('another tick has written the state');
    await expect(old.write(stateAt(1))).rejects.toThrow('another tick has written the state');
    expect(await open('c').read()).toEqual(stateAt(2));
    await heir.write(stateAt(3));
  });

  test('is written though the answer was lost', async () => {
    const store = open('a');
    Object.assign(faults, { storedThenLostRate: 1 });
    await store.write(stateAt(1));
    Object.assign(faults, noFaults);
    await store.write(stateAt(2));
    expect(await open('b').read()).toEqual(stateAt(2));
  });

  test.each(['{', '{"version":2}', '[]'])(
    'that cannot be read (%s) is none, and is replaced',
    async (text) => {
      await put(stateObject, text);
      const store = open('a');
      expect(await store.read()).toBeUndefined();
      await store.write(stateAt(1));
      expect(await open('b').read()).toEqual(stateAt(1));
    },
  );
});
