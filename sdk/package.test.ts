import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BuiltSdk, buildSdk } from '../scripts/build-sdk.ts';
import { version } from './version.ts';

const execute = promisify(execFile);
const root = resolve(import.meta.dirname, '..');

let folder: string;
let built: BuiltSdk;
/** A project of somebody else's that has installed the tarball and nothing besides. */
let project: string;
let packed: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sdk-package-'));
  built = await buildSdk(root, join(folder, 'dist'));
  const { stdout } = await npm(folder, 'pack', './dist', '--json');
  const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  packed = files.map(({ path }) => path);
  project = join(folder, 'project');
  await mkdir(project);
  await writeFile(join(project, 'package.json'), '{ "name": "somebody-elses", "private": true }');
  await npm(project, 'install', join(folder, filename));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the default entry is under 15 KB, minified and gzipped', () => {
  console.log(`tributary-sdk: ${built.entryBytes} bytes, minified and gzipped`);
  expect(built.entryBytes).toBeLessThan(15_000);
  expect(built.entryBytes).toBeGreaterThan(5_000);
});

test('the version is that which the events name', () => {
  expect(built.version).toBe(version);
});

test('the tarball holds modules, declarations, licences and the README, and no sources', () => {
  const others = packed.filter((path) => !/^(esm|cjs)\/(\w+\.js|package\.json|types\/.+\.d\.ts)$/.test(path));
  expect(others.sort()).toEqual(['LICENSE', 'LICENSE-snappyjs', 'README.md', 'package.json']);
  expect(packed.filter((path) => /-for-test|\.test\./.test(path))).toEqual([]);
});

test('nothing else is installed with it', async () => {
  expect((await readdir(join(project, 'node_modules'))).filter((name) => !name.startsWith('.'))).toEqual([
    'tributary-sdk',
  ]);
  const description = JSON.parse(await readFile(installed('package.json'), 'utf8'));
  for (const kind of ['dependencies', 'optionalDependencies', 'peerDependencies', 'scripts'])
    expect(description).not.toHaveProperty(kind);
});

test('its modules import what Node has and nothing else', async () => {
  const modules = packed.filter((path) => path.endsWith('.js'));
  const imported = await Promise.all(
    modules.map(async (path) => importsOf(await readFile(installed(path), 'utf8'))),
  );
  expect(imported.flat()).toContain('node:http');
  expect(imported.flat().filter((name) => !builtinModules.includes(name.replace(/^node:/, '')))).toEqual([]);
});

test('it is written with what the language has in Node 20', async () => {
  await tsc('-p', join(root, 'sdk'), '--noEmit');
});

describe('a program', () => {
  const program = `
    const sink = createServer((request, response) => {
      request.resume().on('end', () => response.end('{"code":200}'));
      requests.push(request.url.replace(/\\?.*/, ''));
    }).listen(0, '127.0.0.1', async () => {
      const url = 'http://127.0.0.1:' + sink.address().port;
      const oneByOne = immediate({ url });
      const together = batch({ url, spool: 'spool-' + process.pid });
      await new AnalysysTracker({ appId: 'shop', collector: oneByOne }).track('device', 'viewed', { page: 1 });
      const growing = { projectId: 'shop', dataSourceId: 'web', collector: oneByOne };
      for (const codec of [json, snappy({ xor: true }), protobuf])
        await new GrowingTracker({ ...growing, codec }).trackCustomEvent('viewed', { loginUserId: 'user' });
      const tracker = new Tracker({ key: 'shop', collector: together });
      for (let i = 0; i < 3; i++) await tracker.track({ userId: 'user' }, 'viewed', { page: i });
      const { undelivered, kept } = await tracker.close();
      await oneByOne.close();
      sink.close();
      console.log(JSON.stringify({ requests, undelivered, kept }));
    });
    const requests = [];
  `;
  const names = '{ AnalysysTracker, batch, GrowingTracker, immediate, json, Tracker }';
  const programs = {
    'module.mjs': `
      import { createServer } from 'node:http';
      import ${names} from 'tributary-sdk';
      import { protobuf } from 'tributary-sdk/protobuf';
      import { snappy } from 'tributary-sdk/snappy';
      ${program}`,
    'common.cjs': `
      const { createServer } = require('node:http');
      const ${names} = require('tributary-sdk');
      const { protobuf } = require('tributary-sdk/protobuf');
      const { snappy } = require('tributary-sdk/snappy');
      ${program}`,
  };

  test.each(Object.entries(programs))(
    '%s sends with every tracker and ends, on each Node there is',
    async (name, text) => {
      await writeFile(join(project, name), text);
      for (const node of await findNodes()) {
        const { stdout, stderr } = await execute(node, [name], { cwd: project });
        expect({ ...JSON.parse(stdout), stderr }).toEqual({
          requests: ['/up', ...Array(3).fill('/v3/projects/shop/collect'), '/v1/events'],
          undelivered: [],
          kept: 0,
          stderr: '',
        });
      }
    },
  );

  const typed = `
    import { AnalysysTracker, batch, type BatchOptions, type CloseReport, type Collector, GrowingTracker, immediate, json, Tracker } from 'tributary-sdk';
    import { protobuf } from 'tributary-sdk/protobuf';
    import { snappy } from 'tributary-sdk/snappy';
    const options: BatchOptions = { url: 'http://127.0.0.1', spool: 'folder' };
    const collector: Collector = batch(options);
    export const growing = [json, protobuf, snappy({ xor: true })].map(
      (codec) => new GrowingTracker({ projectId: 'shop', dataSourceId: 'web', collector, codec }),
    );
    export const analysys = new AnalysysTracker({ appId: 'shop', collector: immediate(options) });
    const delivery = await new Tracker({ key: 'shop', collector }).track({ userId: 'user' }, 'viewed', { page: 1 });
    if (delivery?.kind === 'delivered') delivery.verdict?.event_id?.toUpperCase();
    export const report: CloseReport = await collector.close({ timeoutMs: 100 });
  `;
  const wrong = `
    import { batch, Tracker } from 'tributary-sdk';
    import { snappy } from 'tributary-sdk/snappy';
    batch({ url: 5 });
    new Tracker({ key: 'shop' });
    snappy({ xor: 'yes' });
  `;
  const inFunction = typed.replace(
    /const delivery = ([\s\S]*)$/,
    (rest) =>
      `export async function run() { ${rest.replace('export const report', 'const report')} return report; }`,
  );
  const resolutions = [
    { name: 'NodeNext of a module', file: 'typed.mts', text: typed, flags: ['--module', 'nodenext'] },
    { name: 'NodeNext of CommonJS', file: 'typed.cts', text: inFunction, flags: ['--module', 'nodenext'] },
    {
      name: 'of bundlers',
      file: 'typed.ts',
      text: typed,
      flags: ['--module', 'preserve', '--moduleResolution', 'bundler'],
    },
  ];

  test.each(resolutions)(
    'in TypeScript finds the types by the resolution $name',
    async ({ file, text, flags }) => {
      // No types of Node's: the declarations stand alone.
      const strict = [
        '--noEmit',
        '--strict',
        '--skipLibCheck',
        'false',
        '--types',
        '',
        '--target',
        'es2022',
        ...flags,
      ];
      const wrongFile = `wrong-${file}`;
      await writeFile(join(project, file), text);
      await writeFile(join(project, wrongFile), wrong);
      const { stdout } = await tsc(...strict, file, wrongFile).catch((error: { stdout: string }) => error);
      const found = stdout.split('\n').filter((line) => line.includes('error'));
      const at = (line: string) => line.replace(/\((\d+),\d+\): error (TS\d+).*/, ' $1 $2');
      const expected = ['4 TS2322', '5 TS2741', '6 TS2322'];
      expect(found.map(at)).toEqual(expected.map((error) => `${wrongFile} ${error}`));
    },
  );
});

test('the command is there once it is installed', async () => {
  const { stdout } = await npm(project, 'exec', '--', 'tributary-sdk', '--help');
  expect(stdout).toContain('tributary-sdk send');
});

const installed = (path: string) => join(project, 'node_modules/tributary-sdk', path);

function npm(cwd: string, ...flags: string[]) {
  return execute('npm', [...flags.slice(0, 1), '--offline', '--no-audit', '--no-fund', ...flags.slice(1)], {
    cwd,
  });
}

function tsc(...flags: string[]) {
  return execute(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...flags], {
    cwd: project,
  });
}

/** Both kinds of modules: `from "x"`, `import "x"`, `import("x")`, `require("x")`. */
const importsOf = (text: string): string[] =>
  [...text.matchAll(/\b(?:from|import|require)\s*\(?\s*"([^"\n]+)"/g)].map(([, name = '']) => name);

/** The Node that runs this, and those of PATH that the package is for; each version once. */
async function findNodes(): Promise<string[]> {
  const named = (process.env.PATH ?? '').split(':').map((path) => join(path, 'node'));
  const found = new Map([[process.version, process.execPath]]);
  for (const node of named) {
    const answer = await execute(node, ['--version']).catch(() => undefined);
    const nodeVersion = answer?.stdout.trim() ?? '';
    if (Number(/^v(\d+)\./.exec(nodeVersion)?.[1]) >= 20 && !found.has(nodeVersion))
      found.set(nodeVersion, node);
  }
  return [...found.values()];
}
