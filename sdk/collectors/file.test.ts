import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { AnalysysTracker } from '../analysys-tracker.ts';
import { type Bundle, bundleForTest } from '../bundle-for-test.ts';
import type { DeliveryTrouble } from '../delivery/route.ts';
import { createLineRoute, startSink } from '../spool/sink-for-test.ts';
import { Tracker } from '../tracker.ts';
import { debug } from './debug.ts';
import { file } from './file.ts';

let writer: Bundle;
beforeAll(async () => {
  writer = await bundleForTest({ path: 'collectors/write-for-test.ts' });
});
afterAll(() => writer.remove());

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tributary-file-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(dir, { recursive: true, force: true });
});

const route = createLineRoute('analysys/test');
const files = () => readdirSync(dir).sort();
const read = (name: string) => readFileSync(join(dir, name), 'utf8');

function startWriting(...args: string[]) {
  const child = spawn(process.execPath, [writer.path, dir, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const told: string[] = [];
  let wanted = { count: Infinity, go: () => {} };
  createInterface({ input: child.stdout }).on('line', (line) => {
    told.push(line);
    if (told.length >= wanted.count) wanted.go();
  });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    child,
    told,
    exited,
    having: (count: number) =>
      new Promise<void>((go) => {
        wanted = { count, go };
      }),
  };
}

describe('the file collector', () => {
  test('names its files by the local hour or day, as the vendors do', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date(2026, 0, 2, 3, 4) });
    const hourly = file({ dir: join(dir, 'deep/hour') });
    await hourly.add(route, '{"n":1}');
    vi.setSystemTime(new Date(2026, 0, 2, 4));
    await hourly.add(route, '{"n":2}');
    const daily = file({ dir, rotate: 'day' });
    await daily.add(route, '{"n":1,\n"m":2}');
    expect(readdirSync(join(dir, 'deep/hour')).sort()).toEqual([
      'datas_2026010203.log',
      'datas_2026010204.log',
    ]);
    expect(read('datas_20260102.log')).toBe('{"n":1, "m":2}\n');
    expect(await hourly.close()).toEqual({ undelivered: [], kept: 2 });
    await daily.close();
    await expect(daily.add(route, '{}')).rejects.toMatchObject({ code: 'COLLECTOR_CLOSED' });
  });

  test('keeps the events of routes apart that do not name their project', async () => {
    const collector = file({ dir, rotate: 'day' });
    await new AnalysysTracker({ appId: 'shop', collector }).track('device', 'seen');
    await new Tracker({ key: 'shop', collector }).track({ userId: 'u' }, 'seen');
    await collector.close();
    const paths = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.log'),
    );
    expect(paths.some((path) => /^datas_\d{8}\.log$/.test(path))).toBe(true);
    expect(paths.some((path) => /^tributary\/shop\/datas_\d{8}\.log$/.test(path))).toBe(true);
  });

  test('writes batches when they are full, old or flushed, and tells each caller of its own', async () => {
    const collector = file({ dir, rotate: 'day', batchEvents: 3, maxAgeMs: 20 });
    const adds = [1, 2].map((n) => collector.add(route, `{"n":${n}}`));
    expect(files()).toEqual([]);
    adds.push(collector.add(route, '{"n":3}'));
    const [name = ''] = files();
    expect(read(name)).toBe('{"n":1}\n{"n":2}\n{"n":3}\n');
    await Promise.all(adds);
    const late = collector.add(route, '{"n":4}');
    await late;
    expect(read(name).split('\n').length).toBe(5);
    const last = collector.add(route, '{"n":5}');
    await collector.flush();
    await last;
    expect(read(name).split('\n').length).toBe(6);
    expect(await collector.close()).toEqual({ undelivered: [], kept: 5 });
  });

  test('is shared by processes, whose lines stay whole, also those that end without closing it', async () => {
    const writing = ['a', 'b', 'c'].map((name, index) =>
      startWriting(name, '301', String(1 + index * 10), index === 0 ? '' : 'exit'),
    );
    await Promise.all(writing.map(({ exited }) => exited));
    const ids = files().flatMap((name) =>
      read(name)
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    );
    expect(ids.sort()).toEqual(
      ['a', 'b', 'c'].flatMap((name) => Array.from({ length: 301 }, (_, n) => `${name}-${n}`)).sort(),
    );
  });

  test('has what was written on disk after kill -9, and the next process begins a line of its own', async () => {
    const writing = startWriting('a', '1000000', '1', 'stay');
    await writing.having(200);
    writing.child.kill('SIGKILL');
    await writing.exited;
    const [name = ''] = files();
    const ids = new Set(
      read(name)
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line).id),
    );
    expect(writing.told.filter((id) => !ids.has(id))).toEqual([]);
    appendFileSync(join(dir, name), '{"a part');
    await startWriting('b', '2', '1').exited;
    expect(read(name).split('\n').slice(-4, -2)).toEqual(['{"a part', expect.stringContaining('"b-0"')]);
  });

  test('goes on in a new file when that of the hour was sent and deleted', async () => {
    const collector = file({ dir });
    await collector.add(route, '{"n":1}');
    rmSync(join(dir, files()[0] ?? ''));
    await collector.add(route, '{"n":2}');
    expect(read(files()[0] ?? '')).toBe('{"n":2}\n');
    await collector.close();
  });

  test('rejects what the disk does not take, and tells of it', async () => {
    const troubles: DeliveryTrouble[] = [];
    const blocked = join(dir, 'blocked');
    const single = file({ dir: blocked, onError: (trouble) => troubles.push(trouble) });
    const batched = file({ dir: blocked, batchEvents: 2, onError: (trouble) => troubles.push(trouble) });
    rmSync(blocked, { recursive: true });
    writeFileSync(blocked, 'a file where the folder was');
    await expect(single.add(route, '{"n":1}')).rejects.toMatchObject({ code: 'EEXIST' });
    const adds = [1, 2].map((n) => batched.add(route, `{"n":${n}}`));
    for (const add of adds) await expect(add).rejects.toMatchObject({ code: 'EEXIST' });
    // Nobody looks at the promise, and the process goes on.
    void single.add(route, '{"n":3}');
    void batched.add(route, '{"n":4}');
    expect(await batched.close()).toEqual({
      undelivered: [{ route: 'analysys/test', json: '{"n":4}' }],
      kept: 0,
    });
    expect(troubles.map(({ kind }) => kind)).toEqual(['spool', 'spool', 'spool', 'spool']);
  });
});

test('debug prints, and sends if it is given a url', async () => {
  const printed: string[] = [];
  const print = (line: string) => printed.push(line);
  const silent = debug({ print });
  expect(await silent.add(route, '{"n":1}')).toBeUndefined();
  expect(await silent.close()).toEqual({ undelivered: [], kept: 0 });
  const sink = await startSink();
  const sending = debug({ url: sink.url, print });
  expect(await sending.add(route, '{"n":2}')).toEqual({ kind: 'delivered' });
  sink.answer = () => ({ status: 400 });
  expect(await sending.add(route, '{"n":3}')).toMatchObject({ kind: 'refused' });
  await sending.flush();
  await sending.close();
  await sink.stop();
  expect(sink.stored).toEqual([['{"n":2}']]);
  expect(printed).toEqual([
    'analysys/test {"n":1}',
    'analysys/test {"n":2}',
    'analysys/test {"kind":"delivered"}',
    'analysys/test {"n":3}',
    'analysys/test {"kind":"refused","detail":"the sink answered 400"}',
  ]);
});
