import { describe, expect, test } from 'vitest';
import type { AppendedTable, AppendOutcome } from '../../shared/warehouse/writer.ts';
import { eventRow } from './start-for-test.ts';
import { storeBatch } from './store-batch.ts';

const batch = { events: [eventRow()], quarantine: [], state: [0], stateOnly: [] as Buffer[] };
const appended: AppendOutcome = { kind: 'appended', refused: [] };
const refused: AppendOutcome = {
  kind: 'appended',
  refused: [{ row: eventRow(), reason: 'refused_by_bigquery', detail: 'too old' }],
};

/** Stores the batch with a writer that answers each table as told, in turn. */
async function store(answers: Partial<Record<AppendedTable, AppendOutcome[]>>) {
  const appends: string[] = [];
  const writer = {
    async append(table: AppendedTable, _version: number, rows: readonly Uint8Array[]) {
      appends.push(`${table} ${rows.length}`);
      return answers[table]?.shift() ?? appended;
    },
  };
  return { outcome: await storeBatch(writer, batch, 1, Date.now() + 1_000), appends };
}

describe('a message', () => {
  test.each<AppendedTable>(['event_log', 'state_log', 'quarantine'])(
    'is not stored when %s failed',
    async (table) => {
      const failed: AppendOutcome = { kind: 'failed', permanent: false, code: 14, detail: 'away' };
      const { outcome } = await store({ [table]: [failed] });
      expect(outcome).toEqual({ kind: 'failed', table, permanent: false, detail: '14 away' });
      expect((await store({ [table]: [{ kind: 'full' }] })).outcome).toEqual({ kind: 'full' });
    },
  );

  test('is stored when its refused rows are in quarantine', async () => {
    const { outcome, appends } = await store({ event_log: [refused], state_log: [refused] });
    expect(outcome).toEqual({
      kind: 'stored',
      appended: { event_log: 0, state_log: 0, quarantine: 2 },
      refused: { event_log: 1, state_log: 1, quarantine: 0 },
      quarantined: 2,
      reasons: ['refused_by_bigquery'],
    });
    expect(appends).toEqual(['event_log 1', 'state_log 1', 'quarantine 0', 'quarantine 2']);
  });

  test('is not stored when quarantine refuses what load made for it', async () => {
    const { outcome } = await store({ event_log: [refused], quarantine: [appended, refused] });
    expect(outcome).toEqual({ kind: 'failed', table: 'quarantine', permanent: true, detail: 'too old' });
  });
});
