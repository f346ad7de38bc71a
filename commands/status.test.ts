import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type LocalCloud, startLocal } from '../local/index.ts';
import { readText } from '../test/repository-files.ts';
import { openClients } from './status-clients.ts';
import { pathMetrics, readParts } from './status-read.ts';
import type { Report } from './status-report.ts';
import { advise, describeReport } from './status-text.ts';

/** What is delivered or appended at least once: again where an answer comes late. The view `events` shows each event once. */
const atLeast = (least: number) => expect.schemaMatching(z.number().min(least));

const script = fileURLToPath(new URL('status.ts', import.meta.url));

async function run(flags: string[], environment: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, [script, ...flags], {
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { stdout, stderr, code };
}

describe('the status of a running cloud', () => {
  let dataDir: string;
  let cloud: LocalCloud;
  let environment: NodeJS.ProcessEnv;
  let clients: ReturnType<typeof openClients>;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'tributary-status-'));
    const soon = { METRICS_INTERVAL_SECONDS: '1' };
    cloud = await startLocal({
      dataDir,
      ports: 'free',
      functions: ['ingest', 'load', 'replay', 'fold'],
      environment: { ingest: soon, load: soon },
    });
    const { ports } = cloud;
    environment = {
      PUBSUB_PORT: String(ports.pubsub),
      BIGQUERY_PORT: String(ports.bigquery),
      STORAGE_PORT: String(ports.storage),
      GOOGLE_APIS_PORT: String(ports.googleApis),
      MONITORING_PORT: String(ports.monitoring),
    };
    clients = openClients('local', 'tributary-spill', environment);
  });
  afterAll(async () => {
    await clients?.close();
    await cloud?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const post = async (...events: object[]) => {
    const body = JSON.stringify(
      events.map((change) => ({
        appid: 'shop',
        xwho: 'visitor',
        xwhat: 'view',
        xwhen: Date.now(),
        xcontext: {},
        ...change,
      })),
    );
    expect((await fetch(`${cloud.urls.ingest}/up`, { method: 'POST', body })).status).toBe(200);
  };

  /** Reads until it is as expected: metrics come a few seconds late. */
  async function untilTold(expected: object): Promise<Awaited<ReturnType<typeof readParts>>> {
    const options = { project: 'local', dataset: 'tributary', hours: 24, withinMs: 20_000 };
    const began = Date.now();
    for (;;) {
      const parts = await readParts(clients, options);
      try {
        expect(parts).toMatchObject(expected);
        return parts;
      } catch (error) {
        if (Date.now() - began > 60_000) throw error;
        await wait(200);
      }
    }
  }

  test('says that all is well where nothing has come yet', async () => {
    const { stdout, stderr, code } = await run([], environment);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toMatch(/received +0 +accepted 0 +quarantined 0 +duplicate 0 +dropped 0 +limited 0/);
    expect(stdout).toContain('last event      none within a week');
    expect(stdout).toMatch(/All is well: nothing is open\.\n$/);
  });

  test('tells what became of every event, from the lines that the functions log', async () => {
    await post({}, {}, { xwho: 7 });
    await post({ xwhat: '' });
    await untilTold({
      path: {
        kind: 'told',
        value: {
          received: 4,
          accepted: 2,
          quarantined: 2,
          dropped: 0,
          messagesPublished: atLeast(2),
          delivered: atLeast(2),
          appended: atLeast(2),
          refused: 0,
        },
      },
      queue: { kind: 'told', value: { undelivered: 0, deadLetters: 0 } },
      quarantine: {
        kind: 'told',
        value: [
          { reason: 'bad_xwhat', project: 'shop', open: 1, replayable: 1 },
          { reason: 'bad_xwho', project: 'shop', open: 1, replayable: 1 },
        ],
      },
      lastEvent: { kind: 'told', value: expect.any(Date) },
      fold: { kind: 'told', value: { waiting: 0 } },
    });
    const { stdout, stderr } = await run(['--format', 'json'], environment);
    expect(stderr).toBe('');
    const report: Report & { advice: string[] } = JSON.parse(stdout);
    expect(report).toMatchObject({ project: 'local', path: { kind: 'told', value: { received: 4 } } });
    expect(report.advice).toContain(`  npm run replay -- --where "reason = 'bad_xwho'"`);
  });

  test('tells what waits for BigQuery and what was spilled, until both are through', async () => {
    await cloud.setFaults({ bigquery: { refuseAppends: true } });
    await post({ xwhat: 'waits' });
    await untilTold({ queue: { kind: 'told', value: { undelivered: atLeast(1) } } });
    await cloud.setFaults({ pubsub: { publishUnavailableRate: 1 } });
    await post({ xwhat: 'spilled' });
    await untilTold({
      path: { kind: 'told', value: { messagesSpilled: 1 } },
      spill: { kind: 'told', value: { objects: 1, bytes: expect.any(Number), isWhole: true } },
    });
    await cloud.setFaults({ bigquery: { refuseAppends: false }, pubsub: { publishUnavailableRate: 0 } });
    await cloud.runJob('replay-drain');
    await untilTold({
      path: { kind: 'told', value: { accepted: 4, appended: atLeast(4) } },
      queue: { kind: 'told', value: { undelivered: 0 } },
      spill: { kind: 'told', value: { objects: 0 } },
    });
    const shown = 'SELECT name, COUNT(*) AS events FROM tributary.events GROUP BY name ORDER BY name';
    expect((await clients.bigquery.query(shown))[0]).toEqual([
      { name: 'spilled', events: 1 },
      { name: 'view', events: 2 },
      { name: 'waits', events: 1 },
    ]);
  });

  test('counts a line that comes twice once, since the local log is handed on until that is answered', async () => {
    const metrics = { 'tributary.ingest.events.limited': 3 };
    const entry = { message: 'metrics', function: 'ingest', interval_seconds: 1, metrics };
    const body = JSON.stringify({ service: 'ingest', insertId: 'line-1', entry });
    for (let time = 0; time < 2; time++) {
      const url = `${cloud.urls.googleApis}/_local/log-entry`;
      expect((await fetch(url, { method: 'POST', body })).status).toBe(200);
    }
    await untilTold({ path: { kind: 'told', value: { limited: 3 } } });
  });

  test('tells the rest where one service does not answer', async () => {
    const { stdout, code } = await run([], { ...environment, MONITORING_PORT: '1' });
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nundelivered {5}not told: .*ECONNREFUSED/);
    expect(stdout).toMatch(/quarantine {6}2 events/);
    expect(stdout).toContain('Not told: path, queue.');
  });
});

test('where nothing answers it says so, how to start it, and exits 1', async () => {
  const { stdout, stderr, code } = await run([], {
    MONITORING_PORT: '1',
    BIGQUERY_PORT: '2',
    STORAGE_PORT: '3',
  });
  expect(code).toBe(1);
  expect(stdout).toContain('Nothing could be reached.');
  expect(stderr).toContain('start it with npm start');
});

test.each([
  [['--hours', '0'], '--hours must be a whole number from 1 to 720, not "0".'],
  [['--dataset', 'a-b'], '--dataset (DATASET) must be'],
])('what it does not understand it refuses: %j', async (flags, message) => {
  const { stderr, code } = await run(flags, {});
  expect(code).toBe(1);
  expect(stderr).toContain(message);
});

test('the metrics that it asks for are those of infra/log-metrics.json', () => {
  const { metrics } = JSON.parse(readText('infra/log-metrics.json')) as { metrics: { name: string }[] };
  const names = metrics.map(({ name }) => name);
  for (const name of Object.values(pathMetrics)) expect(names).toContain(name);
});

describe('what to do', () => {
  const at = new Date('2026-01-02T00:00:00Z');
  const counts = Object.fromEntries(Object.keys(pathMetrics).map((key) => [key, 0])) as Record<
    keyof typeof pathMetrics,
    number
  >;
  const told = <T>(value: T) => ({ kind: 'told', value }) as const;
  const well: Report = {
    project: 'local',
    at,
    hours: 24,
    path: told(counts),
    queue: told({ undelivered: 0, oldestSeconds: 0, deadLetters: 0 }),
    spill: told({ objects: 0, bytes: 0, oldest: undefined, isWhole: true }),
    quarantine: told([]),
    lastEvent: told(undefined),
    fold: told({ waiting: 0, oldest: undefined }),
  };
  const ago = (seconds: number) => new Date(at.getTime() - seconds * 1000);
  const inQuarantine = { reason: 'bad_xwho', project: 'shop', open: 3, replayable: 2, oldest: ago(90_000) };

  test.each<[string, Partial<Report>, string[]]>([
    ['nothing', {}, ['All is well: nothing is open.']],
    [
      'wait where messages are on their way',
      { queue: told({ undelivered: 2, oldestSeconds: 3, deadLetters: 0 }) },
      ['2 messages are on their way to BigQuery.'],
    ],
    [
      'look at load where they wait for long',
      { queue: told({ undelivered: 2, oldestSeconds: 7_200, deadLetters: 0 }) },
      ['The oldest message waits for 2 h: the log of load says what it cannot append.'],
    ],
    [
      'wait for replay where batches were spilled',
      { spill: told({ objects: 1, bytes: 10, oldest: ago(60), isWhole: true }) },
      ['Spilled batches are on their way: replay drains the bucket every minute.'],
    ],
    [
      'redrive what was given up',
      { queue: told({ undelivered: 0, oldestSeconds: 0, deadLetters: 5 }) },
      ['5 messages were given up: mend what the log of load names, then npm run redrive.'],
    ],
    [
      'look at replay where batches stay spilled',
      { spill: told({ objects: 1, bytes: 10, oldest: ago(3_600), isWhole: true }) },
      ['Spilled batches wait for long: the log of replay says why it does not drain the bucket.'],
    ],
    [
      'wait for fold where something has just come in',
      { fold: told({ waiting: 3, oldest: ago(300) }) },
      ['All is well: nothing is open.'],
    ],
    [
      'look at fold where operations wait for long',
      { fold: told({ waiting: 3, oldest: ago(7_200) }) },
      ['Identity and profiles are 2 h behind: the log of fold says why, and npm run fold goes on.'],
    ],
    [
      'replay what can be, once its cause is mended',
      { quarantine: told([inQuarantine]) },
      [
        'Once the cause is mended, in the settings or in the code, replay what is in quarantine:',
        `  npm run replay -- --where "reason = 'bad_xwho'"`,
        '1 of quarantine were kept in part only and cannot be replayed.',
      ],
    ],
    [
      'know of senders that were refused',
      { path: told({ ...counts, requestsUnstored: 4 }) },
      ['4 requests were answered 503: their senders had to send again.'],
    ],
    ['ask again', { queue: { kind: 'unavailable', reason: 'away' } }, ['Not told: queue.']],
  ])('is to %s', (_, change, lines) => {
    expect(advise({ ...well, ...change })).toEqual(lines);
  });

  test('is told after what is open, and a project cannot forge the terminal', () => {
    const shown = describeReport({
      ...well,
      quarantine: told([{ ...inQuarantine, project: 'a\u001b[2Jb\nc' }]),
    });
    expect(shown).not.toContain('\u001b');
    expect(shown).toMatch(/\n {2}bad_xwho {2}a\ufffd\[2Jb\ufffdc {5}3 {2}25 h\n/);
  });
});
