import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalCloud, startLocal } from '../local/index.ts';
import { pullSampleReports } from '../local/sample/pull-reports.ts';
import { createBigQuery } from '../shared/google/bigquery.ts';
import { runCommand } from './run-command.ts';

// Both functions as they are built, in processes of their own, against the local cloud and the local reporting APIs.
const dataDir = mkdtempSync(join(tmpdir(), 'tributary-reports-'));
let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await startLocal({ dataDir, ports: 'free' });
}, 120_000);
afterAll(async () => {
  await cloud?.close({ drainMs: 0 });
  rmSync(dataDir, { recursive: true, force: true });
}, 30_000);

test('days of two sites and two channels come into the warehouse, also where the function that pulls is killed', async () => {
  const pulling = pullSampleReports({ cloud, dataDir, days: 4, isOver: () => false });
  await cloud.kill('reports-pull');
  await cloud.serving('reports-pull');
  const { slices, pulled, waiting } = await pulling;
  expect(pulled + waiting).toBe(slices);
  expect(pulled).toBeGreaterThan(slices / 3);

  const bigquery = createBigQuery('local', { ...cloud.environment });
  const query = async (sql: string) => {
    const [rows] = await bigquery.query({ query: sql, defaultDataset: { datasetId: 'tributary' } });
    return rows as Record<string, unknown>[];
  };
  const days = await query(
    'SELECT platform, key, COUNT(*) > 0 AS enough, MIN(views) > 0 AS seen FROM media_daily GROUP BY platform, key ORDER BY key',
  );
  const rest = { enough: true, seen: true };
  expect(days).toEqual([
    { platform: 'youtube', key: 'example-live', ...rest },
    { platform: 'youtube', key: 'example-reviews', ...rest },
    { platform: 'google_analytics', key: 'quiet.example.org', ...rest },
    { platform: 'google_analytics', key: 'www.example.com', ...rest },
  ]);
  // Each slice has a verdict for its date, and counts once.
  expect(
    await query(`
      SELECT COUNT(*) AS n FROM report_slices AS slices
      LEFT JOIN (SELECT DISTINCT source, entity_id, date FROM report_availability_latest WHERE verdict != 'waiting') AS known
        ON known.source = slices.source AND known.entity_id = slices.entity_id AND known.date = slices.date
      WHERE known.date IS NULL`),
  ).toEqual([{ n: 0 }]);

  const status = await runCommand(cloud, 'reports', 'status', '--only', 'www.example.com');
  expect(status.stdout).toMatch(/www\.example\.com +300000001 +[\d-]+ +pulled/);
}, 120_000);
