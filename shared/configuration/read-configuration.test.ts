import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { checkConfiguration, wholeNumber } from './read-configuration.ts';

const shape = z.object({
  PROJECT: z.string().describe('the project'),
  DATASET: z.string().default('tributary').describe('the dataset'),
  SECONDS: wholeNumber(10, 600).default(60).describe('the deadline'),
});

describe('the environment', () => {
  test('gives each variable, or its default when it is unset or empty', () => {
    const given = { PROJECT: 'p', DATASET: '', SECONDS: '20', ELSE: 'ignored' };
    expect(checkConfiguration(shape, given)).toEqual({
      kind: 'valid',
      configuration: { PROJECT: 'p', DATASET: 'tributary', SECONDS: 20 },
    });
  });

  test('is refused in one message that names everything wrong with it', () => {
    expect(checkConfiguration(shape, { PROJECT: '', SECONDS: '5' })).toEqual({
      kind: 'invalid',
      message: [
        'The environment is not complete.',
        '  PROJECT (the project) is not set.',
        '  SECONDS (the deadline) must be a whole number from 10 to 600, not "5".',
      ].join('\n'),
    });
  });

  test.each(['-20', '20.5', '1e2', '0x20', '601', '20s'])('gives no whole number for %j', (value) => {
    expect(checkConfiguration(shape, { PROJECT: 'p', SECONDS: value })).toMatchObject({ kind: 'invalid' });
  });

  test('that is wrong ends the process with exit code 1 and no stack', () => {
    const source = fileURLToPath(new URL('./read-configuration.ts', import.meta.url));
    const script = `
      import { z } from 'zod';
      import { readConfiguration } from ${JSON.stringify(source)};
      readConfiguration(z.object({ PROJECT: z.string().describe('the project') }), {});
      console.log('started');
    `;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: '',
      stderr: 'The environment is not complete.\n  PROJECT (the project) is not set.\n',
    });
  });
});
