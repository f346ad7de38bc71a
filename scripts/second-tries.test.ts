import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { readText } from '../test/repository-files.ts';

const execute = promisify(execFile);
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
const reporter = fileURLToPath(new URL('second-tries.ts', import.meta.url));

const tests = `
let tries = 0;
test('passes at last', () => expect(++tries).toBe(2));
test('passes at once', () => {});
`;

test('a test that passes only when tried again is named with its error, and no other', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tries-'));
  try {
    await writeFile(join(folder, 'some.test.mjs'), tests);
    const flags = ['run', '--root', folder, '--globals', '--retry', '1', '--reporter', reporter];
    const { stdout } = await execute(process.execPath, [vitest, ...flags], { cwd: folder });
    expect(stdout).toContain('!!! 1 passed only when tried again');
    expect(stdout).toContain('some.test.mjs > passes at last\n      expected 1 to be 2');
    expect(stdout).not.toContain('passes at once');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('both runs of the suite have it', () => {
  expect(readText('vitest.config.ts')).toContain('reportSecondTries()');
  expect(readText('.ci/run')).toContain('--reporter=./scripts/second-tries.ts');
});
