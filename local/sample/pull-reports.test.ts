import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, relative } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { configureReports } from './pull-reports.ts';

const folder = mkdtempSync(join(tmpdir(), 'tributary-sample-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the credential of the sample is found from any folder, wherever the data folder was named from', async () => {
  await configureReports(relative(process.cwd(), folder));
  const { contentOwners } = parse(readFileSync(join(folder, 'reports.yaml'), 'utf8'));
  const [{ credential }] = contentOwners;
  expect(isAbsolute(credential)).toBe(true);
  expect(JSON.parse(readFileSync(credential, 'utf8'))).toMatchObject({ type: 'authorized_user' });
});
