import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Bundle, bundleForTest } from '../bundle-for-test.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly events: readonly Record<string, unknown>[];
}

let command: Bundle;
beforeAll(async () => {
  command = await bundleForTest({ path: 'command/tributary-sdk.ts' });
});
afterAll(() => command.remove());

let dir: string;
let url: string;
let received: Received[];
/** Asked for each request, by its number from 0; undefined leaves it without an answer. */
let answer: (count: number) => number | undefined;
let count: number;
let stopServer: () => void;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tributary-send-'));
  received = [];
  answer = () => 200;
  count = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const status = answer(count++);
    if (status === undefined) return;
    if (status < 300) {
      const { url: path = '', headers } = request;
      received.push({ path, headers, events: readEvents(Buffer.concat(chunks)) });
    }
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stopServer = () => {
    server.close();
    server.closeAllConnections();
  };
});

afterEach(() => {
  stopServer();
  rmSync(dir, { recursive: true, force: true });
});

function readEvents(body: Buffer): Record<string, unknown>[] {
  const json = (body[0] === 0x1f ? gunzipSync(body) : body).toString();
  return json.startsWith('[')
    ? JSON.parse(json)
    : json
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
}

function start(...args: string[]) {
  const child = spawn(process.execPath, [command.path, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]).then(([stdout, stderr, code]) => ({ stdout, stderr, code }));
  return { child, ended };
}
const run = (...args: string[]) => start(...args).ended;
const send = (...args: string[]) => run('send', '--url', url, ...args);
const write = (name: string, content: string) => {
  const path = join(dir, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
};
const event = (n: number, appid = 'shop') => ({
  appid,
  xwho: `user${n}`,
  xwhat: 'seen',
  xwhen: 1768000000000 + n,
  xcontext: { $lib: 'Java', text: '易' },
});
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `${JSON.stringify(event(from + index))}\n`).join('');
const whos = () => received.flatMap(({ events }) => events.map(({ xwho }) => xwho));
const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('the command send', () => {
  test('delivers what the SDKs of Python, Node and Java wrote, in requests of a project each', async () => {
    const python = JSON.stringify(event(1)).replaceAll('":', '": ').replaceAll(',"', ', "');
    write('python/datas_2026010203.log', `${python}\n${python.replace('user1', 'user2')}\n`);
    write(
      'node/datas_202601023.log',
      `${JSON.stringify(event(3))} \n${JSON.stringify(event(4, 'other'))} \n`,
    );
    write('java/datas_20260102.log', JSON.stringify(event(5)));
    write('java/notes.txt', 'nobody sends this');
    const { code, stdout, stderr } = await send(dir);
    expect({ code, stderr: stderr.match(/reject|undelivered/) }).toEqual({ code: 0, stderr: null });
    expect(received.map(({ path, events }) => [path, events.map(({ xwho }) => xwho)])).toEqual([
      ['/up?appid=shop', ['user5']],
      ['/up?appid=shop', ['user3']],
      ['/up?appid=other', ['user4']],
      ['/up?appid=shop', ['user1', 'user2']],
    ]);
    expect(received[3]?.events[0]).toEqual(event(1));
    expect(stdout).toContain('datas_2026010203.log: 2 events sent, complete');
  });

  test('tells the other dialects by their keys, folders or flags', async () => {
    const growing = {
      eventType: 'CUSTOM',
      eventName: 'seen',
      deviceId: 'd',
      dataSourceId: 's',
      projectKey: 'p',
    };
    const item = { id: '1', key: 'sku', dataSourceId: 's', projectKey: 'p' };
    const file = write('mixed.log', [growing, item].map((it) => `${JSON.stringify(it)}\n`).join(''));
    const own = '{"id":"a-0","name":"seen","user_id":"u"}\n';
    const inFolder = write('tributary/my%20key/datas_20260102.log', own);
    const elsewhere = write('own.log', own);
    expect(await send(file, inFolder)).toMatchObject({ code: 0 });
    expect(received.map(({ path }) => path.replace(/stm=\d+/, 'stm'))).toEqual([
      expect.stringMatching(/^\/(v3\/projects\/p\/collect|projects\/p\/collect\/item)\?stm$/),
      expect.stringMatching(/^\/(v3\/projects\/p\/collect|projects\/p\/collect\/item)\?stm$/),
      '/v1/events',
    ]);
    expect(received[2]?.headers.authorization).toBe('Bearer my key');
    expect(await send(elsewhere)).toMatchObject({ code: 1, stderr: expect.stringContaining('--key') });
    expect(await send('--key', 'other', elsewhere)).toMatchObject({ code: 0 });
    expect(received[3]?.headers.authorization).toBe('Bearer other');
    expect(received[3]?.events).toEqual([JSON.parse(own)]);
  });

  test('sends no line twice when it is run again, and what was added since', async () => {
    const file = write('datas_2026010203.log', `${lines(0, 250)}{"appid":"shop","xwho":"user2`);
    expect(await send(file)).toMatchObject({ code: 0, stdout: expect.stringContaining('not whole yet') });
    expect(received.map(({ events }) => events.length).sort()).toEqual([100, 100, 50]);
    appendFileSync(file, JSON.stringify(event(250)).slice('{"appid":"shop","xwho":"user2'.length));
    await send(file);
    appendFileSync(file, `\n${lines(251, 260)}`);
    await send(file);
    await send(file);
    const expected = Array.from({ length: 260 }, (_, n) => `user${n}`);
    expect(whos().sort()).toEqual(expected.sort());
    await send('--state', join(dir, 'state'), file);
    expect(whos().length).toBe(520);
    expect(readdirSync(join(dir, 'state'))).toEqual([
      expect.stringMatching(/^datas_2026010203.log-\w+\.cursor$/),
    ]);
    expect(await send('--restart', file)).toMatchObject({ code: 0 });
    expect(whos().length).toBe(780);
  });

  test('stops where the server fails, and goes on there with the same requests', async () => {
    const file = write('datas_2026010203.log', lines(0, 1000));
    answer = (request) => (request < 4 ? 200 : 503);
    const failed = await send('--retries', '1', '--connections', '2', file);
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining('answered 503') });
    expect(received.length).toBe(4);
    // What it had done when it was first shown, and why it waited.
    expect(failed.stderr).toMatch(/datas_2026010203\.log: \d+ events sent, \d+%, [\d,]+\/s/);
    answer = () => 200;
    expect(await send(file)).toMatchObject({ code: 0 });
    expect(whos().length).toBe(1000);
    expect(new Set(whos()).size).toBe(1000);
    expect(received.every(({ events }) => Number(String(events[0]?.xwho).slice(4)) % 100 === 0)).toBe(true);
  });

  test('stops where the server refuses, or keeps what it refused apart', async () => {
    const file = write('datas_2026010203.log', lines(0, 150));
    answer = () => 400;
    expect(await send(file)).toMatchObject({ code: 1, stderr: expect.stringContaining('answered 400') });
    expect(existsSync(`${file}.rejected`)).toBe(false);
    answer = (request) => (request % 2 === 0 ? 400 : 200);
    count = 0;
    expect(await send('--skip-refused', '--connections', '1', file)).toMatchObject({ code: 3 });
    expect(readFileSync(`${file}.rejected`, 'utf8')).toBe(lines(0, 100));
    expect(whos().length).toBe(50);
  });

  test('keeps lines that are no events apart, and sends the others', async () => {
    const bad = ['{"appid":"shop","xcontext":{"n":NaN}}', '[1]', '{"some":"thing"}'];
    const file = write('datas_2026010203.log', `\ufeff${lines(0, 1)}${bad.join('\n')}\n\n${lines(1, 2)}`);
    expect(await send(file)).toMatchObject({ code: 3, stdout: expect.stringContaining('3 lines rejected') });
    expect(whos()).toEqual(['user0', 'user1']);
    expect(readFileSync(`${file}.rejected`, 'utf8')).toBe(`${bad.join('\n')}\n`);
    expect(await send(file)).toMatchObject({ code: 0 });
  });

  test('finishes what is under way at Ctrl-C, and sends the rest the next time', async () => {
    const file = write('datas_2026010203.log', lines(0, 3000));
    const sending = start('send', '--url', url, '--connections', '2', file);
    answer = (request) => {
      if (request === 4) sending.child.kill('SIGINT');
      return 200;
    };
    expect(await sending.ended).toMatchObject({ code: 130 });
    expect(whos().length).toBeLessThan(3000);
    expect(await send(file)).toMatchObject({ code: 0 });
    expect(whos().length).toBe(3000);
    expect(new Set(whos()).size).toBe(3000);
  });

  test('sends again after kill -9 only what was under way', async () => {
    const file = write('datas_2026010203.log', lines(0, 3000));
    answer = (request) => (request < 6 ? 200 : undefined);
    const sending = start('send', '--url', url, '--connections', '2', file);
    await until(() => count === 8);
    expect(await send(file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('sends this file already'),
    });
    sending.child.kill('SIGKILL');
    await sending.ended;
    answer = () => 200;
    expect(await send(file)).toMatchObject({ code: 0 });
    expect(new Set(whos()).size).toBe(3000);
    expect(whos().length).toBe(3000);
  });

  test('sends nothing of a file that is not the one its cursor is of', async () => {
    const file = write('datas_2026010203.log', lines(0, 10));
    await send(file);
    writeFileSync(file, lines(20, 40));
    expect(await send(file)).toMatchObject({ code: 1, stderr: expect.stringContaining('another file') });
    expect(whos().length).toBe(10);
  });

  test('reads lines that are longer than what it reads at a time', async () => {
    const long = { ...event(1), xcontext: { text: '易'.repeat(3_000_000) } };
    const file = write('datas_2026010203.log', `${JSON.stringify(long)}\n${lines(2, 3)}`);
    expect(await send(file)).toMatchObject({ code: 0 });
    expect(whos().sort()).toEqual(['user1', 'user2']);
  });

  test('tells how it is used', async () => {
    const missing = join(dir, 'missing');
    const expected = [
      [['--help'], { code: 0, stdout: expect.stringContaining('Usage: tributary-sdk send') }],
      [['--version'], { code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) }],
      [[], { code: 2, stderr: expect.stringContaining('Usage') }],
      [['post'], { code: 2 }],
      [['send', missing], { code: 2, stderr: expect.stringContaining('--url') }],
      [['send', '--url', url], { code: 2 }],
      [['send', '--url', 'nowhere', missing], { code: 2, stderr: expect.stringContaining('http://') }],
      [['send', '--url', url, '--dialect', 'latin', missing], { code: 2 }],
      [['send', '--url', url, '--nonsense', missing], { code: 2 }],
      [['send', '--url', url, missing], { code: 1, stderr: expect.stringContaining('ENOENT') }],
    ] as const;
    const outcomes = await Promise.all(expected.map(([args]) => run(...args)));
    for (const [index, outcome] of outcomes.entries())
      expect(outcome).toMatchObject(expected[index]?.[1] ?? {});
  });
});
