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
const alerts: Record<string, unknown>[] = [];
beforeAll(async () => {
  cloud = await startLocal({
    dataDir,
    ports: 'free',
    report(event) {
      if (event.kind !== 'line' || !event.line.startsWith('{"severity":"ERROR"')) return;
      alerts.push(JSON.parse(event.line) as Record<string, unknown>);
    },
  });
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

test('a token that is revoked stops that owner with one alert, and nothing else', async () => {
  const revoked = await fetch(`${cloud.urls.googleApis}/_local/reports/revoke`, {
    method: 'POST',
    body: JSON.stringify({ refreshToken: '1//local-refresh' }),
  });
  expect(revoked.status).toBe(200);
  // With them go the tokens that they still have for an hour.
  for (const name of ['reports-poll', 'reports-pull']) await cloud.restart(name);
  alerts.length = 0;
  const day = (back: number) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);
  for (let times = 0; times < 2; times++) {
    const { stdout } = await runCommand(cloud, 'reports', 'backfill', '--from', day(12), '--to', day(12));
    expect(stdout).toMatch(/ slices are read; 10 are held back \(npm run reports -- status tells why\)\.\n$/);
  }
  expect(alerts).toMatchObject([{ source: 'youtube', probe_group: 'network', reason: 'invalid_grant' }]);
  const bigquery = createBigQuery('local', { ...cloud.environment });
  const [rows] = await bigquery.query(
    `SELECT COUNT(DISTINCT entity_id) AS n FROM tributary.report_slices WHERE source = 'google_analytics' AND date = '${day(12)}'`,
  );
  expect(rows).toEqual([{ n: 2 }]);
}, 120_000);
