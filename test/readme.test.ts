import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFreePorts } from '../local/processes/ports.ts';
import { HELP, namedPorts, parseStart } from '../local/start-options.ts';
import { parseSettings } from '../shared/settings/parse-settings.ts';
import { dataPath } from './data-path.ts';
import { readTable } from './markdown-table.ts';
import { listFiles, ROOT, readText } from './repository-files.ts';

const readme = readText('README.md');
const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };

interface Block {
  readonly language: string;
  readonly text: string;
}

const blocks: readonly Block[] = [...readme.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(
  ([, language = '', content = '']) => ({ language, text: content.trimEnd() }),
);
const commands = blocks.filter(({ language }) => language === 'sh').map((block) => block.text);

/** Blocks that are not run to the letter, and what is done instead. Every other block of commands is run as it is. */
const special = {
  // npm ci would take node_modules away from the tests under way. The rest is run by local/start.test.ts, in a new folder.
  'npm ci && npm start -- --sample': undefined,
  // This test is part of it; that its scripts exist is tested below, and .ci/run runs the very line.
  'npm ci && npm test': undefined,
  // Serves until Ctrl-C: it is started before the others and is what they talk to.
  'npm start': undefined,
};

/** What a block must show; it is run again until it does, since events arrive after they are answered. */
const shows: Readonly<Record<string, RegExp>> = {
  'npm run query -- "SELECT received_at, sdk': /received_at +sdk +sdk_version/,
  'curl http://127.0.0.1:8080/up -d \'[{"appid":"shop","xwho":"visitor-1"': /^\{"code":200\}$/,
  "curl -i 'http://127.0.0.1:8080/v3/projects/books/collect'":
    /204 No Content[\s\S]*growingio-web +track +view_cart/,
  'node --input-type=module -e "\nimport { Analytics':
    /Order Completed +visitor-1 +129\.95 +@segment\/analytics-node/,
  'node --input-type=module -e "\nimport { batch, Tracker': /delivered/,
  'curl http://127.0.0.1:8080/v1/events':
    /"verdict":"accepted"[\s\S]*\nview_cart accepted [0-9a-f]{32}\npurchase accepted [0-9a-f]{32}\n: quarantined, field_for_kind: an event of kind track needs a name/,
  "curl 'http://127.0.0.1:8080/up?verify=1'": /"verify":true.*"verdict":"quarantined","reason":"bad_xwho"/,
  'npm run query -- "SELECT name, JSON_VALUE': /view_item +shoes-42 +20\d\d-/,
  'node docs/examples/read-events.mjs': /^view_item: \d+, last at 20\d\d-/,
  'curl http://127.0.0.1:8080/up -d \'[{"appid":"shop","xwho":"ann"': /ann +\{"city":"Berlin"\} +20\d\d-/,
  'npm run query -- "SELECT DATE(occurred_at)': /20\d\d-\d\d-\d\d +\d+ +1\b/,
  'npm run query -- --param project=shop': /user:ann +city +"Berlin"/,
  'curl http://127.0.0.1:8080/up -d \'[{"appid":"shop","xwho":7':
    /bad_xwho +xwho .*it is the number 7 .*"xwho":7/,
  'npm run replay -- --all --dry-run': /bad_xwho +would be refused +bad_xwho +[1-9]/,
  'npm run replay -- --where': /bad_xwho +refused +bad_xwho +[1-9]/,
  'npm run redrive': /Nothing to redrive/,
  'npm run query -- "SELECT verdict': /once +\d+ +\d+/,
  'cp docs/examples/reports.yaml': /./,
  'npm run query -- "SELECT date, platform, key, views':
    /2026-03-0\d +google_analytics +www\.example\.com +\d+/,
  'npm run reports -- explain': /./,
  'npm run access -- plan': /ann@example\.com[\s\S]*committed/,
  'npm run status': /accepted [1-9][\s\S]*last event +\d+ (s|min) ago/,
};

const folder = mkdtempSync(join(tmpdir(), 'tributary-readme-'));
const variables = Object.values(namedPorts).map(({ variable }) => variable);
const running = new Set<ChildProcess>();
let environment: NodeJS.ProcessEnv;
let served: ChildProcess;

/** Runs lines as a reader's shell would, in the root of the repository, on other ports and in another data folder. */
function run(lines: string, env: NodeJS.ProcessEnv): ChildProcess {
  const script = lines.replaceAll('http://127.0.0.1:8080', `http://127.0.0.1:${env.INGEST_PORT}`);
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
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

async function chooseEnvironment(): Promise<NodeJS.ProcessEnv> {
  const ports = await findFreePorts(variables.length);
  const { SETTINGS: _, ...inherited } = process.env;
  return {
    ...inherited,
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    TRIBUTARY_DATA: join(folder, 'served'),
    // Only the scripts that are named, not the build before npm start, which would replace what other tests run.
    npm_config_ignore_scripts: 'true',
    ...Object.fromEntries(variables.map((variable, index) => [variable, String(ports[index])])),
  };
}

beforeAll(async () => {
  environment = await chooseEnvironment();
  served = run('npm start', environment);
  let shown = '';
  for (const stream of [served.stdout!, served.stderr!]) {
    stream.on('data', (chunk: Buffer) => {
      shown += String(chunk);
    });
  }
  while (!shown.includes('Ctrl-C stops')) {
    if (served.exitCode !== null) throw new Error(shown);
    await wait(20);
  }
});

afterAll(async () => {
  // Each is a group of its own, so that npm and what it started end together.
  for (const { pid } of running) if (pid !== undefined) process.kill(-pid, 'SIGTERM');
  if (served?.exitCode === null) await once(served, 'exit');
  rmSync(folder, { recursive: true, force: true });
});

describe('a reader of README.md', () => {
  test('finds no block that is neither run nor checked', () => {
    expect(blocks.map(({ language }) => language).filter((it) => !['sh', 'js', 'json'].includes(it))).toEqual(
      [],
    );
    expect(commands.filter((it) => it in special)).toEqual(Object.keys(special));
    const unknown = Object.keys(shows).filter((start) => !commands.some((it) => it.startsWith(start)));
    expect(unknown).toEqual([]);
  });

  test.each(commands.filter((it) => !(it in special)))('can run: %s', async (lines) => {
    const expected = Object.entries(shows).find(([start]) => lines.startsWith(start))?.[1];
    if (expected === undefined) throw new Error('Say in `shows` what this block must show.');
    for (;;) {
      const { stdout, stderr, code } = await finish(run(lines, environment));
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      if (expected.test(stdout)) return;
      await wait(200);
    }
  });

  test('finds the scripts of the two commands, and npm test checking, building and testing everything', () => {
    expect(scripts.start).toBe('exec node local/start.ts');
    const withSample = Object.keys(special)[0]?.replace('npm ci && npm start -- ', '').split(' ');
    expect(parseStart(withSample ?? [], {})).toMatchObject({ kind: 'options', options: { sample: true } });
    expect(scripts.prestart).toBe(scripts.build);
    expect(scripts.test).toBe('npm run lint && npm run typecheck && npm run build && vitest run');
    expect(listFiles()).toContain('package-lock.json');
  });

  test('is shown the example as it is', () => {
    const quoted = blocks.filter(({ language }) => language === 'js').map((block) => block.text);
    expect(quoted).toEqual([readText('docs/examples/read-events.mjs').trimEnd()]);
  });

  test('is shown settings that are valid', () => {
    const settings = blocks.filter(({ language }) => language === 'json').map((block) => block.text);
    expect(settings.map((it) => Object.keys(parseSettings(it, 'README.md').projects))).toEqual([
      ['shop', 'app'],
    ]);
  });

  test('is sent to a page that tells of every field that the settings have for a project', () => {
    const told = readTable(readText('docs/settings.md'), '## Of a project').map(([name]) => name);
    const [, project] = readText('shared/settings/settings.ts').split('const project = strict({\n');
    const fields = [...(project?.split('\n});')[0] ?? '').matchAll(/^ {2}(\w+):/gm)].map((match) => match[1]);
    expect(fields.length).toBeGreaterThan(0);
    expect(told).toEqual(fields);
  });

  test('is told every flag of npm start with its variable and default, but those of ports that seldom matter', () => {
    const told = readTable(readme, '## npm start').map((row) => row.filter((cell) => cell !== ''));
    const helped = [...HELP.matchAll(/^ {2}(--\S+(?: [A-Z]+)?) +(.*)$/gm)]
      .map(([, flag = '', rest = '']) => ({ flag, cells: rest.split(/ {2,}/) }))
      .filter(({ flag }) => flag !== '--help' && (flag.startsWith('--ingest') || !flag.includes('-port ')))
      .map(({ flag, cells: [what = '', ...others] }) => [flag, ...others, what]);
    expect(told).toEqual(helped);
  });

  test('is told every reason of quarantine, and none that does not exist', () => {
    const sources = listFiles().filter((path) =>
      /^(functions\/(ingest|load|replay)|shared)\/.*(?<!\.test|-for-test)\.ts$/.test(path),
    );
    const named = sources.flatMap((path) =>
      [...readText(path).matchAll(/(?:\brefuse\(\s*|\breason: (?:'\w+' \| )*)'([a-z]\w+)'/g)].map(
        (match) => match[1],
      ),
    );
    // The canonical event's own rules, which decoding has checked or mended before: no event breaks them.
    const unreachable = ['bad_time', 'missing_item', 'missing_name'];
    const told = readTable(readText('docs/quarantine.md'), '| Reason ').flatMap(
      ([cell = '']) => cell.match(/\w+/g) ?? [],
    );
    // Written as verdicts of the settings first.
    const verdicts = ['unknown_project', 'dialect_not_allowed'];
    expect(told.sort()).toEqual(
      [...new Set([...named, ...verdicts])].filter((it) => !unreachable.includes(it ?? '')).sort(),
    );
  });

  test('walks along files of the data path in the order of an event, and every path that is named exists', () => {
    const files = listFiles();
    const walk = readme.split('## One event')[1]?.split('\n## ')[0] ?? '';
    const steps = [...walk.matchAll(/^\d+\. `([^`]+)`/gm)].map((match) => match[1] ?? '');
    expect(steps).toHaveLength(10);
    const places = steps.map((path) => Object.keys(dataPath).indexOf(path));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    const paths = [
      ...readme.matchAll(/`((?:functions|shared|infra|local|scripts|test|docs)(?:\/[\w./-]+)?)`/g),
    ];
    const missing = paths
      .map((match) => match[1] ?? '')
      .filter((path) => !files.some((it) => it === path || it.startsWith(`${path}/`)));
    expect(missing).toEqual([]);
  });
});
