import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Bundle, bundleForTest } from '../bundle-for-test.ts';
import { batch } from '../collectors/batch.ts';
import type { DeliveryTrouble } from '../delivery/route.ts';
import { createLineRoute, type Sink, startSink } from './sink-for-test.ts';

let adder: Bundle;
beforeAll(async () => {
  adder = await bundleForTest({ path: 'spool/add-for-test.ts' });
});
afterAll(() => adder.remove());

let dir: string;
let sink: Sink;
const children: ChildProcess[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tributary-spool-'));
  sink = await startSink();
});

afterEach(async () => {
  vi.useRealTimers();
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await sink.stop();
  rmSync(dir, { recursive: true, force: true });
});

const quick = { maxAgeMs: 20, backoffMs: 20, backoffCeilingMs: 50 };
const open = (url: string, more: Partial<Parameters<typeof batch>[0]> = {}) =>
  batch({ url, spool: dir, ...quick, ...more });
const logs = () =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.log'));
const storedLines = () => sink.stored.flat();
const unreachable = 'http://127.0.0.1:9';

/** Another process that adds events; `until` decides on each line of its output whether `lines` resolves. */
function startAdding(url: string, name: string, count: number, then: 'exit' | 'stay' = 'stay') {
  const child = spawn(process.execPath, [adder.path, url, dir, name, String(count), then], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines: string[] = [];
  const waiting: { readonly until: () => boolean; readonly go: () => void }[] = [];
  const look = () => {
    for (const one of [...waiting]) if (one.until()) one.go();
  };
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    look();
  });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const having = (start: string) => lines.filter((line) => line.startsWith(`${start} `));
  return {
    child,
    exited,
    lines,
    /** The events whose `add` had returned. */
    added: () => having('added').map((line) => line.slice('added '.length)),
    having,
    wait: (until: () => boolean) =>
      new Promise<void>((go) => {
        waiting.push({ until, go });
        look();
      }),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** The next process that uses the folder: here this one. */
async function deliverTheRest(): Promise<void> {
  const next = open(sink.url);
  next.open?.(createLineRoute());
  await next.flush();
  expect(await next.close()).toEqual({ undelivered: [], kept: 0 });
}

describe('a spool', () => {
  test('gives what a process took before kill -9 to the next one, while the server was away', async () => {
    const adding = startAdding(unreachable, 'a', 100_000);
    await adding.wait(() => adding.added().length >= 500);
    await adding.kill();
    await deliverTheRest();
    const stored = storedLines();
    expect(stored.length).toBe(new Set(stored).size);
    expect(stored).toEqual(expect.arrayContaining(adding.added()));
    // The last may be one whose call had not returned.
    expect(stored.length - adding.added().length).toBeLessThanOrEqual(1);
    expect(logs()).toEqual([]);
  });

  test('loses nothing to kill -9 in the middle of deliveries, and what is sent again is the same batch', async () => {
    sink.answer = (count) => (count % 3 === 0 ? { status: 500, keep: count % 2 === 0 } : { status: 200 });
    for (const name of ['a', 'b', 'c']) {
      const adding = startAdding(sink.url, name, 100_000);
      await adding.wait(() => adding.added().length >= 300);
      await adding.kill();
      await deliverTheRest();
      const stored = storedLines();
      expect(stored).toEqual(expect.arrayContaining(adding.added()));
    }
    const requests = [...sink.stored, ...sink.refused];
    for (const request of requests) {
      const first = request[0];
      // Copies of an event travel with the same neighbours, or ids that come of content would differ.
      expect(
        requests.filter((other) => other.includes(first ?? '')).every((it) => it.join() === request.join()),
      ).toBe(true);
    }
    expect(logs()).toEqual([]);
  });

  test('keeps what a process that just ends has not delivered', async () => {
    const adding = startAdding(unreachable, 'a', 55, 'exit');
    await adding.exited;
    expect(adding.lines.at(-1)).toBe('done');
    expect(logs()).not.toEqual([]);
    await deliverTheRest();
    expect(storedLines().sort()).toEqual(adding.added().sort());
  });

  test('rejects what the disk does not take, tells of it, and takes more when there is room again', async () => {
    const adding = startAdding(unreachable, 'a', 100_000);
    const limit = (bytes: string) =>
      execFileSync('prlimit', ['--pid', String(adding.child.pid), `--fsize=${bytes}`]);
    await adding.wait(() => adding.added().length >= 100);
    // Files may not grow over 500 bytes: in the middle of a line.
    limit('500:unlimited');
    await adding.wait(() => adding.having('rejected').length >= 30);
    expect(adding.having('trouble')[0]).toContain('EFBIG');
    limit('0:unlimited');
    const rejected = adding.having('rejected').length;
    await adding.wait(() => adding.having('rejected').length >= rejected + 30);
    limit('unlimited:unlimited');
    const before = adding.added().length;
    await adding.wait(() => adding.added().length >= before + 100);
    await adding.kill();
    await deliverTheRest();
    const stored = storedLines();
    expect(stored).toEqual(expect.arrayContaining(adding.added()));
    expect(stored.length - adding.added().length).toBeLessThanOrEqual(1);
    const refused = adding.having('rejected').map((line) => line.split(' ')[2]);
    expect(stored.filter((line) => refused.includes(line))).toEqual([]);
  });

  test('is shared by processes, and none takes what another that lives has', async () => {
    const adding = [startAdding(sink.url, 'a', 400), startAdding(sink.url, 'b', 400)];
    const own = open(sink.url);
    await Promise.all(adding.map((one) => one.wait(() => one.lines.at(-1) === 'done')));
    await own.add(createLineRoute(), '{"id":"own"}');
    await own.flush();
    for (const one of adding) await one.kill();
    await own.close();
    await deliverTheRest();
    const stored = storedLines();
    expect(stored).toEqual(expect.arrayContaining([...adding.flatMap((one) => one.added()), '{"id":"own"}']));
    expect(new Set(stored).size).toBe(801);
    // Only what was under way at the kill may be there twice.
    expect(stored.length).toBeLessThan(801 + 2 * 4 * 20);
  });
});

test('a spool counts a process as gone that is dead but not yet waited for by its parent', async () => {
  const script = '"$@" & echo "pid $!"; exec sleep 600';
  const command = [process.execPath, adder.path, unreachable, dir, 'a', '50'];
  const parent = spawn('sh', ['-c', script, 'sh', ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(parent);
  let pid = 0;
  for await (const line of createInterface({ input: parent.stdout })) {
    if (line.startsWith('pid ')) pid = Number(line.slice(4));
    if (line === 'done') break;
  }
  process.kill(pid, 'SIGKILL');
  while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) await wait(5);
  await deliverTheRest();
  expect(storedLines().length).toBe(50);
});

describe('a spool in one process', () => {
  test('keeps at close what it could not deliver, and forgets what was delivered', async () => {
    const route = createLineRoute('test/lines', 2);
    const away = open(unreachable);
    for (const id of [1, 2, 3]) await away.add(route, `{"id":${id}}`);
    expect(await away.close({ timeoutMs: 50 })).toEqual({ undelivered: [], kept: 3 });
    await expect(away.add(route, '{}')).rejects.toMatchObject({ code: 'COLLECTOR_CLOSED' });
    const back = open(sink.url);
    await back.add(route, '{"id":4}');
    await back.flush();
    expect(sink.stored).toEqual([['{"id":1}', '{"id":2}'], ['{"id":3}'], ['{"id":4}']]);
    expect(await back.close()).toEqual({ undelivered: [], kept: 0 });
    expect(readdirSync(dir)).toEqual([]);
  });

  test('keeps what was sent half because the server took no larger bodies', async () => {
    let open413 = true;
    sink.answer = () => {
      const status = open413 ? 413 : sink.stored.length === 0 ? 200 : 500;
      open413 = false;
      return { status };
    };
    const halving = open(sink.url);
    const route = createLineRoute();
    for (const id of [1, 2, 3, 4]) await halving.add(route, `{"id":${id}}`);
    void halving.flush();
    // The whole, and then the second half, which follows the first.
    await expect.poll(() => sink.refused.length).toBeGreaterThan(1);
    expect(await halving.close({ timeoutMs: 0 })).toEqual({ undelivered: [], kept: 2 });
    sink.answer = () => ({ status: 200 });
    await deliverTheRest();
    expect(sink.stored).toEqual([
      ['{"id":1}', '{"id":2}'],
      ['{"id":3}', '{"id":4}'],
    ]);
  });

  test('fills its batches while the server is away, however long', async () => {
    const away = open(unreachable, { connections: 1, maxAgeMs: 1 });
    const route = createLineRoute('test/lines', 50);
    for (let id = 0; id < 201; id++) {
      await away.add(route, `{"id":${id}}`);
      if (id % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
    }
    await away.close({ timeoutMs: 0 });
    expect(logs().length).toBeLessThanOrEqual(6);
  });

  test('reads batches from the disk that it does not hold in memory', async () => {
    const route = createLineRoute('test/lines', 5);
    const away = await startSink();
    away.answer = () => ({ status: 503 });
    const collector = open(away.url, { queueBytes: 1 });
    const lines = Array.from({ length: 50 }, (_, id) => `{"id":${id},"text":"é\\n"}`);
    for (const line of lines) await collector.add(route, line);
    away.answer = () => ({ status: 200 });
    await collector.flush();
    expect(away.stored.flat().sort()).toEqual([...lines].sort());
    await collector.close();
    await away.stop();
  });

  test('keeps routes apart, also those whose names are no names of folders', async () => {
    const names = ['analysys/a', '../out', 'x'.repeat(2000), 'growingio/é/collect'];
    const away = open(unreachable);
    for (const name of names) await away.add(createLineRoute(name), JSON.stringify({ name }));
    await away.close({ timeoutMs: 0 });
    const back = open(sink.url);
    for (const name of names) {
      back.open?.(createLineRoute(name));
      await back.flush();
      expect(sink.stored.at(-1)).toEqual([JSON.stringify({ name })]);
    }
    await back.close();
  });

  test('refuses when the folder is full, or asks to wait and takes it all the same', async () => {
    const route = createLineRoute();
    const refusing = open(unreachable, { spoolBytes: 20, whenFull: 'refuse' });
    for (const id of [1, 2]) await refusing.add(route, `{"id":"${id}"}`);
    await expect(refusing.add(route, '{"id":3}')).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    expect(await refusing.close({ timeoutMs: 0 })).toEqual({ undelivered: [], kept: 2 });
    sink.answer = () => ({ status: 503 });
    const waiting = open(sink.url, { spoolBytes: 20 });
    const adds = [1, 2, 3, 4].map((id) => waiting.add(route, `{"id":"${id}"}`));
    const first = await Promise.race([adds[3], new Promise((resolve) => setTimeout(resolve, 100, 'waits'))]);
    expect(first).toBe('waits');
    sink.answer = () => ({ status: 200 });
    await Promise.all(adds);
    await waiting.flush();
    expect(storedLines().length).toBe(6);
    await waiting.close();
  });

  test('adopts what a process on another machine left, once it has shown no life for a while', async () => {
    const folder = join(dir, '0123456789ab.1.1.elsewhere-1', 'test/lines');
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'datas_2026010100-0123456789ab-000000000.log'),
      '{"id":1}\nno JSON\n{"id":2}\n{"i',
    );
    const early = open(sink.url);
    early.open?.(createLineRoute());
    await early.close();
    expect(sink.stored).toEqual([]);
    const old = new Date(Date.now() - 600_000);
    utimesSync(join(dir, '0123456789ab.1.1.elsewhere-1'), old, old);
    const troubles: DeliveryTrouble[] = [];
    const late = open(sink.url, { onError: (trouble) => troubles.push(trouble) });
    late.open?.(createLineRoute());
    await late.close();
    expect(sink.stored).toEqual([['{"id":1}', '{"id":2}']]);
    expect(troubles).toMatchObject([{ kind: 'spool', detail: expect.stringContaining('1 lines') }]);
    expect(readdirSync(dir)).toEqual([]);
  });

  test('leaves to others what they adopted while its process slept, and takes more', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const slept = open(sink.url, { maxAgeMs: 1_000_000 });
    await slept.add(createLineRoute(), '{"id":1}');
    const [name = ''] = readdirSync(dir);
    renameSync(join(dir, name), join(dir, 'free.0123456789ab'));
    const other = open(sink.url);
    other.open?.(createLineRoute());
    await other.close();
    expect(sink.stored).toEqual([['{"id":1}']]);
    vi.setSystemTime(Date.now() + 600_000);
    await slept.add(createLineRoute(), '{"id":2}');
    await slept.flush();
    expect(sink.stored).toEqual([['{"id":1}'], ['{"id":2}']]);
    expect(await slept.close()).toEqual({ undelivered: [], kept: 0 });
  });

  test('sends again what it was sending when it fell asleep, whatever it took since', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    sink.answer = () => ({ status: 503 });
    const slept = open(sink.url);
    await slept.add(createLineRoute(), '{"id":1}');
    await expect.poll(() => sink.refused.length).toBeGreaterThan(0);
    const [name = ''] = readdirSync(dir);
    renameSync(join(dir, name), join(dir, 'free.0123456789ab'));
    const other = open(unreachable);
    vi.setSystemTime(Date.now() + 600_000);
    await slept.add(createLineRoute(), '{"id":2}');
    const before = sink.refused.length;
    await expect.poll(() => sink.refused.length).toBeGreaterThan(before + 4);
    sink.answer = () => ({ status: 200 });
    // Closing waits for what is still its own: the first is the other's by now.
    await expect.poll(() => sink.stored.toSorted()).toEqual([['{"id":1}'], ['{"id":2}']]);
    await slept.close();
    await other.close({ timeoutMs: 0 });
  });
});
