import { expect, test } from 'vitest';
import type { AppendRows } from '../../functions/reports/append-rows.ts';
import { startReports } from '../../functions/reports/start-for-test.ts';
import type { SeedInput } from '../../local/reports/seed.ts';
import type { ReportPullsRow } from '../../shared/warehouse/generated/row-types.ts';
import { createRandom } from './random.ts';
import { createMemoryWarehouse, type MemoryWarehouse } from './year/memory-warehouse.ts';
import { proveYear } from './year/prove-year.ts';
import { simulateYear } from './year/simulate-year.ts';

// The proof of `npm run proof:year` in small: the day on which the clocks go forward, restated soon after.

const restless = { lateRate: 0.6, movedRate: 0.6, removedRate: 0.6, afterDay28Rate: 0 };

const seed: SeedInput = {
  seed: 4,
  properties: [
    {
      id: '1',
      host: 'www.example.com',
      timeZone: 'Europe/London',
      viewsPerHour: 20,
      shape: 'flat',
      restatements: restless,
    },
  ],
  contentOwners: [{ id: 'Network', displayName: 'Network', restatedRate: 0.5 }],
  channels: [{ id: 'UCproof00000000001', title: 'One', owner: 'Network', viewsPerDay: 200 }],
  credentials: [
    { clientId: 'c', clientSecret: 's', refreshToken: 'r', email: 'o@example.com', owners: ['Network'] },
  ],
};

test('each attempt is the truth as of its pull, and each change afterwards is recorded', async () => {
  const { figures, told } = await proveYear({
    seed,
    from: '2025-03-30',
    to: '2025-03-30',
    afterDays: 5,
    faultRate: 0.01,
  });
  expect(told.filter((line) => !line.startsWith('first not final'))).toEqual([]);
  expect(figures).toMatchObject({ wrong: 0, missing: 0 });
  expect(figures.slices).toBeGreaterThanOrEqual(8 + 5);
  expect(figures.restated).toBeGreaterThan(0);
});

// The year is stored in memory, for BigQuery would take days of it.
test('what is published is the same in memory and in BigQuery', async () => {
  const reports = await startReports({ nowMs: 0 });
  try {
    const inMemory = await listPublished(createMemoryWarehouse(() => {}));
    const inBigQuery = await listPublished(reports.pullOptions);
    expect(inBigQuery).toEqual(inMemory);
    const ofDay = inMemory.filter(({ report, date }) => report === 'site_summary' && date === '2025-03-30');
    expect(ofDay.map(({ cause }) => cause)).toEqual(['first', 'ladder']);
  } finally {
    await reports.close();
  }
});

/**
 * Everything of each attempt that does not differ from run to run. Those of one moment come in any order, and share calls
 * accordingly.
 */
async function listPublished({ store, append }: Pick<MemoryWarehouse, 'store' | 'append'>) {
  const published: ReportPullsRow[] = [];
  const record: AppendRows = (table, rows) => {
    if (table === 'report_pulls') published.push(...(rows as readonly ReportPullsRow[]));
    return append(table, rows);
  };
  const { apis } = await simulateYear({
    seed,
    from: '2025-03-30',
    to: '2025-03-30',
    afterDays: 4,
    everyHours: 8,
    reports: ['site_summary', 'site_sources', 'channel_summary'],
    twiceRate: 0.2,
    faultRate: 0,
    random: createRandom(7),
    warehouse: { store, append: record },
  });
  await apis.close();
  const keyOf = ({ published_at, report, entity_id, date }: ReportPullsRow) =>
    [published_at, report, entity_id, date].join();
  return published
    .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))
    .map(({ attempt_id: _, previous_attempt_id: __, calls: ___, ...row }) => row);
}
