import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFreePorts } from './processes/ports.ts';
import { type NamedPort, namedPorts, parseStart } from './start-options.ts';

let dataDir: string;
let flags: string[];
let bigqueryPort: number;
let ingestPort: number;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tributary-start-'));
  const names = Object.keys(namedPorts) as NamedPort[];
  const free = await findFreePorts(names.length);
  const ports = Object.fromEntries(names.map((name, index) => [name, free[index]!]));
  ({ ingest: ingestPort = 0, bigquery: bigqueryPort = 0 } = ports);
  flags = names.flatMap((name) => [`--${namedPorts[name].flag}`, String(ports[name])]);
  flags.push('--data', join(dataDir, 'data'));
});

const running = new Set<ChildProcess>();

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(dataDir, { recursive: true, force: true });
});

function run(script: string, args: string[]): ChildProcess {
  const child = spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url)), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

async function finish(child: ChildProcess) {
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { stdout, stderr, code };
}

// The first command of README.md.
test('--sample --exit shows what became of its traffic, and ends with 0', async () => {
  // In a new folder also when it is tried again.
  await rm(join(dataDir, 'data'), { recursive: true, force: true });
  const { stdout, stderr, code } = await finish(run('start.ts', [...flags, '--sample', '--exit']));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const shown of ['Events by name', 'Profiles', 'Items', 'Deliveries', 'Quarantine']) {
    expect(stdout).toContain(shown);
  }
  expect(stdout).toContain('events shows 35 new events and none of an earlier run.');
  expect(stdout).toMatch(/sample-web +resent +5 +10/);
  expect(stdout).toMatch(/sample-server +bad_xwho +event +1/);
  expect(stdout).toMatch(/sample-server +invalid_json +request +1/);
  expect(stdout).toMatch(/sample-web +alias +customer-1001/);
  // Five ids of four people: one of them looked both signed out and in.
  expect(stdout).toMatch(/sample-web +view_item +8 +4 /);
  expect(stdout).toMatch(/sample-web +customer-1010 +NULL +\{.*"level":"gold"/);
  expect(stdout).toMatch(/sample-web +product +shoes-42 +\{.*"price":129\.95/);
  expect(stdout).toContain('2 to add, 1 to change, 3 to remove; committed in');
  expect(stdout).toMatch(/properties\/300000001 +www\.example\.com +dana@example\.com +direct +viewer/);
});

test('npm start serves in a folder that was stopped before, shows each batch, answers queries, and Ctrl-C ends it with 0', async () => {
  const start = run('start.ts', flags);
  const finished = finish(start);
  let shown = '';
  start.stdout!.on('data', (chunk: Buffer) => {
    shown += chunk;
  });
  const until = async (wanted: string) => {
    while (!shown.includes(wanted)) await wait(20);
  };
  await until('Ctrl-C stops');
  const event = { appid: 'shop', xwho: 'a', xwhat: 'view', xwhen: Date.now(), xcontext: {} };
  await fetch(`http://127.0.0.1:${ingestPort}/up`, {
    method: 'POST',
    body: JSON.stringify([event, { ...event, xwho: 1 }]),
  });
  await until('1 quarantined');

  const query = ['SELECT project, xwhat FROM events', '--port', String(bigqueryPort)];
  const refused = await finish(run('query.ts', query));
  expect(refused).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('Unrecognized name: xwhat'),
  });
  const asked = await finish(
    run('query.ts', [
      "SELECT 7 AS n, 'a,b' AS s, CAST(NULL AS STRING) AS z",
      '--format',
      'csv',
      ...query.slice(1),
    ]),
  );
  expect(asked).toEqual({ code: 0, stdout: 'n,s,z\r\n7,"a,b",\r\n', stderr: '' });

  start.kill('SIGINT');
  await until('Stopping');
  // npm passes on what the terminal has sent already; the second must not cut the draining short.
  start.kill('SIGINT');
  const { code, stdout, stderr } = await finished;
  expect(stdout).toMatch(/shop +analysys +1 event, 1 quarantined/);
  expect(await readdir(join(dataDir, 'data'))).not.toContain('bigquery.duckdb.wal');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('a taken port is named with its flag, and nothing is started', async () => {
  const server = createServer().listen(bigqueryPort, '127.0.0.1');
  await once(server, 'listening');
  const { code, stdout, stderr } = await finish(run('start.ts', flags));
  server.close();
  expect(stderr).toBe(
    `Port ${bigqueryPort} is taken: is npm start running already? Another one is chosen with --bigquery-port (BIGQUERY_PORT).\n`,
  );
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
});

test('a query says that npm start is not running', async () => {
  const { code, stderr } = await finish(run('query.ts', ['SELECT 1', '--port', String(bigqueryPort)]));
  expect(stderr).toContain(`Nothing listens on port ${bigqueryPort}`);
  expect(code).toBe(1);
});

describe('the options of npm start', () => {
  test('a flag wins over its variable, and a variable over the default', () => {
    const parsed = parseStart(['--pubsub-port', '1111'], { PUBSUB_PORT: '2222', BIGQUERY_PORT: '3333' });
    expect(parsed).toMatchObject({
      kind: 'options',
      options: {
        dataDir: '.tributary',
        ports: {
          ingest: 8080,
          pubsub: 1111,
          bigquery: 3333,
          googleApis: 9070,
          monitoring: 9075,
          adminApi: 9080,
        },
      },
    });
  });

  test('every problem is said at once, by flag and variable', () => {
    const parsed = parseStart(
      ['--ingest-port', 'x', '--settings', '/nowhere', '--exit', '--pubsub-port', '9050'],
      {},
    );
    expect(parsed).toEqual({
      kind: 'invalid',
      message: [
        '--ingest-port (INGEST_PORT) must be a whole number from 1 to 65535, not "x".',
        '--bigquery-port must differ from --pubsub-port; both are 9050.',
        '--settings (SETTINGS) must be an existing file; there is no /nowhere.',
        '--exit needs --sample.',
      ].join('\n'),
    });
  });

  test('--help tells every flag', () => {
    const parsed = parseStart(['--help'], {});
    expect(parsed.kind === 'help' && parsed.text).toContain('--storage-port');
  });
});
