import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { noFaults } from '../../local/bigquery/faults.ts';
import { readTable } from '../../test/markdown-table.ts';
import { readText } from '../../test/repository-files.ts';
import { loadCounts } from './metrics.ts';
import { eventRow, quarantineRow, startLoad } from './start-for-test.ts';

const day = 86_400_000_000;
const tooOld = (id: string) => eventRow({ event_id: id, occurred_at: Date.now() * 1_000 - 4_000 * day });

describe('what load counts', () => {
  const faults = noFaults();
  let load: Awaited<ReturnType<typeof startLoad>>;
  beforeEach(async () => {
    Object.assign(faults, noFaults());
    load = await startLoad({ faults });
  });
  afterEach(() => load.close());

  const expectConserved = () => {
    const { counts } = load;
    expect(counts.messagesDelivered).toBe(counts.messagesStored + counts.messagesReturned);
    expect(counts.eventsDelivered).toBe(counts.eventsAppended + counts.eventsRefused + counts.eventsReturned);
  };
  const stored = async (table: string) => (await load.rows(table)).length;

  test('is what BigQuery holds, and nothing is missing in between', async () => {
    await load.push({ batch: { events: [eventRow(), eventRow(), tooOld('x')], state: [1, 2] } });
    await load.push({ batch: { events: [tooOld('y')], quarantine: [quarantineRow(), quarantineRow()] } });
    await load.push({ data: Buffer.from('not ours') });
    await load.push({ attributes: { schema_version: '999' } });
    await load.push({ token: null });
    await load.post('{}');
    expectConserved();
    expect(load.counts).toEqual({
      pushesRefused: 2,
      messagesDelivered: 4,
      messagesStored: 3,
      messagesReturned: 1,
      eventsDelivered: 4,
      eventsAppended: await stored('event_log'),
      eventsRefused: 2,
      eventsReturned: 0,
      stateAppended: await stored('state_log'),
      quarantineAppended: await stored('quarantine'),
    });
    expect(load.counts).toMatchObject({ eventsAppended: 2, stateAppended: 2, quarantineAppended: 5 });
  });

  test('holds while BigQuery fails, each delivery counted', async () => {
    faults.refuseAppends = true;
    const push = { batch: { events: [eventRow({ event_id: 'a' }), eventRow({ event_id: 'b' })] } };
    expect((await load.push({ ...push, hasty: true })).status).toBe(503);
    faults.refuseAppends = false;
    expect((await load.push(push)).status).toBe(204);
    expectConserved();
    expect(load.counts).toMatchObject({
      messagesDelivered: 2,
      messagesReturned: 1,
      eventsDelivered: 4,
      eventsReturned: 2,
      eventsAppended: 2,
    });
    expect(await stored('event_log')).toBe(2);
  });
});

test('its README tells of every count', () => {
  const rows = readTable(readText('functions/load/README.md'), '| Metric ');
  expect(rows).toEqual(
    Object.values(loadCounts).map(({ name, unit, description }) => [name, unit, description]),
  );
});
