import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSeed } from './read-seed.ts';
import { parseSeed } from './seed.ts';
import { startForTest } from './start-for-test.ts';
import { describeSeed } from './write-seed-schema.ts';

test('the schema of seeds is that of the code: node local/admin/write-seed-schema.ts writes it', () => {
  const written: unknown = JSON.parse(readFileSync(new URL('seed.schema.json', import.meta.url), 'utf8'));
  expect(written).toEqual(JSON.parse(describeSeed()));
});

test('the sample is a valid seed, and a seed of the data folder takes its place', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'seed-'));
  try {
    const file = join(folder, 'admin-api.json');
    const { api, client } = await startForTest({ seed: readSeed(file) });
    const [summaries] = await client.listAccountSummaries({});
    expect(summaries.map(({ displayName }) => displayName).sort()).toEqual([
      'Example Media',
      'Example Retail',
    ]);
    expect(Object.keys(api.state().bindings)).toHaveLength(5);
    await writeFile(file, JSON.stringify({ caller: 'me@example.com' }));
    expect(parseSeed(readSeed(file))).toMatchObject({ caller: 'me@example.com', accounts: [] });
    await writeFile(file, '{');
    expect(() => readSeed(file)).toThrow(`${file} is not JSON`);
  } finally {
    await rm(folder, { recursive: true });
  }
});
