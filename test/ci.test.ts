import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
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

/** What the fake npm does when it is asked for GoogleSQL's evaluator: fetch it, or not, and end the proof with a code. */
interface Proof {
  readonly fetched: boolean;
  readonly code: number;
}
const proved: Proof = { fetched: true, code: 0 };

/** Runs .ci/run where `npm test` writes these results, if any, and ends with `code`. */
async function runWith(
  results: object | undefined,
  code: number,
  { fetched, code: ended }: Proof = proved,
  hasTerraform = true,
) {
  const terraform = join(bin, 'terraform');
  if (hasTerraform) writeFileSync(terraform, '#!/usr/bin/env bash\n', { mode: 0o755 });
  else rmSync(terraform, { force: true });
  const others = (process.env.PATH ?? '').split(':').filter((it) => !existsSync(join(it, 'terraform')));
  writeFileSync(
    join(bin, 'npm'),
    `#!/usr/bin/env bash
echo "npm $*" | sed 's/--outputFile.*results/--outputFile/'
case $1-$* in
  exec-*run-sql.ts*) exit ${ended} ;;
  exec-*) exit ${fetched ? 0 : 1} ;;
  test-*) ;;
  *) exit 0 ;;
esac
for argument; do
  case $argument in --outputFile.json=*) file=\${argument#*=} ;; esac
done
${results === undefined ? '' : `echo '${JSON.stringify(results)}' > "$file"`}
exit ${code}
`,
    { mode: 0o755 },
  );
  const child = spawn(join(folder, '.ci/run'), [], {
    env: { PATH: [bin, dirname(process.execPath), ...others].join(':') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [exitCode]] = await Promise.all([
    text(child.stdout),
    once(child, 'exit') as Promise<[number]>,
  ]);
  const lines = output.trimEnd().split('\n');
  const commands = lines.filter((line) => line.startsWith('npm '));
  return {
    code: exitCode,
    last: lines.at(-1),
    commands: commands.map((line) => line.replace(/ -- -.*/, '')),
    said: lines.filter((line) => /SQL |TERRAFORM /.test(line)),
  };
}

const allPassed = { numPassedTests: 12, numFailedTests: 0 };
const evaluator = 'npm exec --yes --fetch-retries=1 --package=@fivetrandevelopers/zetasql@1.13.0';

test('.ci/run installs, tests, proves the SQL, and ends with one line that counts', async () => {
  expect(await runWith(allPassed, 0)).toEqual({
    code: 0,
    last: '13 passed, 0 failed',
    commands: [
      'npm ci',
      'npm test',
      `${evaluator} -- node --version`,
      `${evaluator} -- node test/proofs/sql/run-sql.ts --runs 100`,
    ],
    said: [expect.stringMatching(/^SQL proved against GoogleSQL in \d+ s$/)],
  });
  expect(statSync(join(ROOT, '.ci/run')).mode & 0o111).toBe(0o111);
});

test('.ci/run fetches the version of the evaluator that the proof looks for', () => {
  const source = readText('test/proofs/sql/fetch-zetasql.ts');
  const [, name, version] = /packageName = '(.*)';\nconst version = '(.*)';/.exec(source) ?? [];
  expect(readText('.ci/run')).toContain(`--package=${name}@${version} --)`);
});

test.each([
  ['npm cannot fetch the evaluator', { fetched: false, code: 0 }],
  ['the evaluator does not start', { fetched: true, code: 2 }],
])('.ci/run says loudly that nothing was compared, and does not fail, where %s', async (_, proof) => {
  expect(await runWith(allPassed, 0, proof)).toMatchObject({
    code: 0,
    last: '12 passed, 0 failed',
    said: [expect.stringContaining('!!! SQL NOT VERIFIED')],
  });
});

test('.ci/run says loudly that nothing was planned, and does not fail, where there is no Terraform', async () => {
  expect(await runWith(allPassed, 0, proved, false)).toMatchObject({
    code: 0,
    last: '13 passed, 0 failed',
    said: [expect.stringContaining('SQL proved'), expect.stringContaining('!!! TERRAFORM NOT VERIFIED')],
  });
});

test('.ci/run fails where the SQL differs, and counts it', async () => {
  expect(await runWith(allPassed, 0, { fetched: true, code: 1 })).toMatchObject({
    code: 1,
    last: '12 passed, 1 failed',
    said: [expect.stringContaining('!!! SQL DIFFERS')],
  });
});

test.each([
  ['a test failed', { numPassedTests: 11, numFailedTests: 1 }, 1, '12 passed, 1 failed'],
  [
    'a file could not be run, though no test of it failed',
    { numPassedTests: 11, numFailedTests: 0 },
    1,
    '12 passed, 0 failed',
  ],
  ['it was stopped before the tests', undefined, 2, '0 passed, 0 failed'],
  ['no test was run', { numPassedTests: 0, numFailedTests: 0 }, 0, '0 passed, 0 failed'],
  [
    'a failed test is counted though npm ends well',
    { numPassedTests: 1, numFailedTests: 1 },
    0,
    '2 passed, 1 failed',
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
