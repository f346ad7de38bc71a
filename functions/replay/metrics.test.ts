import { expect, test } from 'vitest';
import { readTable } from '../../test/markdown-table.ts';
import { readText } from '../../test/repository-files.ts';
import { replayCounts } from './metrics.ts';
import { accepting, event, ingest, received, refusing } from './quarantined-for-test.ts';
import { startReplay } from './start-for-test.ts';

test('what replay counts is what its outcomes say, and a dry run counts nothing', async () => {
  const replay = await startReplay();
  try {
    replay.setSettings(accepting);
    const body = JSON.stringify([event(), event({ xwho: 'other' }), event({ xwho: 7 })]);
    await replay.quarantine(ingest(body, refusing, received).quarantine);
    await replay.call('/replay', { where: 'TRUE', dryRun: true });
    expect(replay.counts).toMatchObject({ rowsDecided: 0, rowsAccepted: 0, rowsRefused: 0 });
    expect(await replay.call('/replay', { where: 'TRUE' })).toMatchObject({ status: 200 });
    const outcomes = await replay.query(
      'SELECT outcome, COUNT(*) AS found FROM quarantine_outcomes GROUP BY outcome ORDER BY outcome',
    );
    const { rowsDecided, rowsAccepted, rowsRefused, eventsAccepted } = replay.counts;
    expect(outcomes).toEqual([
      { outcome: 'accepted', found: rowsAccepted },
      { outcome: 'refused', found: rowsRefused },
    ]);
    expect({ rowsAccepted, rowsRefused, eventsAccepted }).toEqual({
      rowsAccepted: 2,
      rowsRefused: 1,
      eventsAccepted: 2,
    });
    expect(rowsDecided).toBe(rowsAccepted + rowsRefused);
  } finally {
    await replay.close();
  }
});

test('its README tells of every count', () => {
  const rows = readTable(readText('functions/replay/README.md'), '| Metric ');
  expect(rows).toEqual(
    Object.values(replayCounts).map(({ name, unit, description }) => [name, unit, description]),
  );
});
