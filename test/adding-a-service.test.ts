import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfiguration } from '../functions/reports/configuration/parse-configuration.ts';
import type { ServiceModule } from '../functions/reports/services/service.ts';
import { type StartedReports, startReports } from '../functions/reports/start-for-test.ts';
import { ROOT, readText } from './repository-files.ts';

// The page is followed word for word: its blocks become files of a copy of the repository that is links but for them.
const blocks = new Map(
  [...readText('docs/adding-a-service.md').matchAll(/^```(?:ts|yaml) (\S+)\n([\s\S]*?)^```$/gm)].map(
    ([, path = '', text = '']) => [path, text],
  ),
);
let folder: string;
let reports: StartedReports;
const asked: string[] = [];
let answer: (show: string, date: string) => { status: number; body?: object };
const host = createServer((request, response) => {
  const [, show = '', date = ''] = /^\/v1\/shows\/(\d+)\/days\/([\d-]+)$/.exec(request.url ?? '') ?? [];
  asked.push(date);
  const { status, body } = answer(show, date);
  response.writeHead(status).end(JSON.stringify(body));
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'adding-a-service-'));
  const link = async (path: string) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await symlink(join(ROOT, path), join(folder, path));
  };
  const beside = await readdir(join(ROOT, 'functions/reports/services'));
  const linked = beside
    .filter((name) => name !== 'index.ts')
    .map((name) => `functions/reports/services/${name}`);
  for (const path of [
    'shared',
    'node_modules',
    'package.json',
    'functions/reports/configuration',
    ...linked,
  ]) {
    await link(path);
  }
  for (const [path, text] of blocks) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const config = { extends: join(ROOT, 'tsconfig.json'), include: ['functions/reports/services/index.ts'] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
  await once(host.listen(0, '127.0.0.1'), 'listening');
  reports = await startReports({ nowMs: Date.parse('2026-03-06T03:00:00Z') });
}, 60_000);
afterAll(async () => {
  host.close();
  await reports.close();
  await rm(folder, { recursive: true, force: true });
});

test('the page has a file for each part of a service, and the same files as the others', async () => {
  expect(
    [...blocks.keys()].filter((path) => path.includes('/podcasts/')).map((path) => path.split('/').at(-1)),
  ).toEqual(['configuration.ts', 'execute-query.ts', 'data-available.ts', 'run-report.ts', 'index.ts']);
  expect(blocks.get('functions/reports/services/index.ts')).toBe(
    readText('functions/reports/services/index.ts')
      .replace(
        'import type { ServiceModule }',
        "import { podcasts } from './podcasts/index.ts';\nimport type { ServiceModule }",
      )
      .replace(/\];\n$/, ', podcasts];\n'),
  );
});

test('the page tells of everything that a service may leave out, and of what it may not be given', () => {
  const [page, types] = [
    readText('docs/adding-a-service.md'),
    readText('functions/reports/services/service.ts'),
  ];
  const optional = [...types.matchAll(/^ {2}(?:readonly )?(\w+)\?[(:]/gm)].map(([, name = '']) => name);
  expect(optional).toEqual(expect.arrayContaining(['weigh', 'unitsSpent']));
  const untold = optional.filter((name) => !new RegExp(`\\b${name}\\b`).test(page));
  expect(untold).toEqual([]);
});

test('what it tells to write passes the compiler', async () => {
  const compiled = promisify(execFile)(join(ROOT, 'node_modules/.bin/tsc'), ['--noEmit', '-p', folder]);
  expect(await compiled.catch(({ stdout }: { stdout: string }) => ({ stdout }))).toMatchObject({
    stdout: '',
  });
}, 30_000);

test('the service that comes of it waits for complete days, pulls them, and stops with a show that is refused', async () => {
  const { services } = (await import(join(folder, 'functions/reports/services/index.ts'))) as {
    services: readonly ServiceModule[];
  };
  const { port } = host.address() as AddressInfo;
  const environment = { PODCASTS_URL: `http://127.0.0.1:${port}` };
  const configuration = parseConfiguration(blocks.get('reports.yaml') ?? '', 'reports.yaml', services);
  const opened = services.map((module) => module.open(configuration, environment));
  const late = '2026-03-05';
  answer = (_, date) => ({
    status: 200,
    body: {
      complete: date !== late,
      total: 30,
      downloads: [
        { country: 'IE', count: 10 },
        { country: 'NO', count: 20 },
      ],
    },
  });
  const poll = async () => {
    const polled = await reports.poll({ services: opened });
    for (const order of await reports.ordered()) {
      expect(await reports.pull(order, { services: opened })).toMatchObject({ kind: 'done' });
    }
    return polled;
  };
  expect(await poll()).toMatchObject({ settled: 2, ordered: 4, failed: 0 });
  // Two days that are complete were asked about and read, each once for both reports.
  expect(asked).toEqual(['2026-03-03', '2026-03-04', '2026-03-05', '2026-03-03', '2026-03-04']);
  const rows = await reports.query(`
    SELECT report, entity_key, CAST(date AS STRING) AS date, JSON_VALUE(dimensions, '$.country') AS country,
      JSON_VALUE(metrics, '$.downloads') AS downloads
    FROM report_current WHERE source = 'podcasts' AND date = '2026-03-04' ORDER BY report, country`);
  expect(rows).toEqual([
    {
      report: 'show_countries',
      entity_key: 'evening-news',
      date: '2026-03-04',
      country: 'IE',
      downloads: '10',
    },
    {
      report: 'show_countries',
      entity_key: 'evening-news',
      date: '2026-03-04',
      country: 'NO',
      downloads: '20',
    },
    {
      report: 'show_summary',
      entity_key: 'evening-news',
      date: '2026-03-04',
      country: null,
      downloads: '30',
    },
  ]);
  expect(
    await reports.query(`SELECT DISTINCT reconciled FROM report_slices WHERE source = 'podcasts'`),
  ).toEqual([{ reconciled: true }]);

  answer = () => ({ status: 404 });
  for (const hours of [2, 3]) {
    reports.clock.nowMs = Date.parse('2026-03-06T03:00:00Z') + hours * 3_600_000;
    await poll();
  }
  expect(reports.logged.filter(({ severity }) => severity === 'ERROR')).toMatchObject([
    {
      source: 'podcasts',
      entity_id: '1201',
      message: 'The host of podcasts refuses show 1201 (404). Is its id right?',
    },
  ]);
}, 60_000);
