import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT, readText } from './repository-files.ts';

// .ci/run itself runs this test, so here it runs with an npm of ours, in a folder that holds nothing but the script.
const folder = mkdtempSync(join(tmpdir(), 'tributary-ci-'));
const bin = join(folder, 'bin');

beforeAll(async () => {
  mkdirSync(join(folder, '.ci'));
  mkdirSync(bin);
  await copyFile(join(ROOT, '.ci/run'), join(folder, '.ci/run'));
  chmodSync(join(folder, '.ci/run'), 0o755);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs .ci/run where `npm test` writes these results, if any, and ends with `code`. */
async function runWith(results: object | undefined, code: number, args: readonly string[] = []) {
  writeFileSync(
    join(bin, 'npm'),
    `#!/usr/bin/env bash
echo "npm $*" | sed 's/--outputFile.*results/--outputFile/'
[ "$1" = test ] || exit 0
for argument; do
  case $argument in --outputFile.json=*) file=\${argument#*=} ;; esac
done
${results === undefined ? '' : `echo '${JSON.stringify(results)}' > "$file"`}
exit ${code}
`,
    { mode: 0o755 },
  );
  const child = spawn(join(folder, '.ci/run'), args, {
    env: { PATH: `${bin}:${dirname(process.execPath)}:${process.env.PATH}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [ended]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number]>]);
  const lines = output.trimEnd().split('\n');
  return {
    code: ended,
    last: lines.at(-1),
    commands: lines.slice(0, -1).map((line) => line.split(' -- ')[0]),
  };
}

test('.ci/run installs, tests, and ends with one line that counts', async () => {
  expect(await runWith({ numPassedTests: 12, numFailedTests: 0 }, 0)).toEqual({
    code: 0,
    last: '12 passed, 0 failed',
    commands: ['npm ci', 'npm test'],
  });
  expect(statSync(join(ROOT, '.ci/run')).mode & 0o111).toBe(0o111);
});

test.each([
  ['a test failed', { numPassedTests: 11, numFailedTests: 1 }, 1, '11 passed, 1 failed'],
  [
    'a file could not be run, though no test of it failed',
    { numPassedTests: 11, numFailedTests: 0 },
    1,
    '11 passed, 0 failed',
  ],
  ['it was stopped before the tests', undefined, 2, '0 passed, 0 failed'],
  ['no test was run', { numPassedTests: 0, numFailedTests: 0 }, 0, '0 passed, 0 failed'],
  [
    'a failed test is counted though npm ends well',
    { numPassedTests: 1, numFailedTests: 1 },
    0,
    '1 passed, 1 failed',
  ],
])('.ci/run fails where %s', async (_, results, code, last) => {
  const run = await runWith(results, code);
  expect(run.last).toBe(last);
  expect(run.code).not.toBe(0);
});

// npm leaves out of a lock file what the registry that it was made with did not have, and npm ci then refuses it.
test('the lock file holds the optional packages of every platform, without which npm ci refuses it', () => {
  const lock = JSON.parse(readText('package-lock.json')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const names = new Set(Object.keys(lock.packages).map((path) => path.split('node_modules/').at(-1)));
  const wanted = Object.values(lock.packages).flatMap((it) => Object.keys(it.optionalDependencies ?? {}));
  expect(wanted.length).toBeGreaterThan(10);
  expect(wanted.filter((name) => !names.has(name))).toEqual([]);
});

test('cloudbuild.yaml runs the same commands, on Node 24', () => {
  const yaml = readText('cloudbuild.yaml');
  const steps = yaml.split(/^ {2}- /m).slice(1);
  const field = (step: string, name: string) => new RegExp(`^ *${name}: (.*)$`, 'm').exec(step)?.[1] ?? '';
  const commands = steps.map(
    (step) => `${field(step, 'entrypoint')} ${field(step, 'args').replace(/[[\]]/g, '')}`,
  );
  const inScript = [...readText('.ci/run').matchAll(/^(npm \w+)/gm)].map((match) => match[1]);
  expect(commands).toEqual(['npm ci', 'npm test']);
  expect(inScript).toEqual(commands);
  expect(readText('README.md')).toContain(`\n${commands.join(' && ')}\n`);
  expect(new Set(steps.map((step) => field(step, 'name')))).toEqual(new Set(['node:24']));
  expect(field(yaml, 'logging')).toBe('CLOUD_LOGGING_ONLY');
  expect(field(yaml, 'timeout')).toMatch(/^\d+s$/);
});
