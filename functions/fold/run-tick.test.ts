import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { noSettings, type Operation, type StartedFold, settingsOf, startFold } from './start-for-test.ts';
import type { StepName } from './steps.ts';

const minuteMicros = 60_000_000;
const dayMicros = 24 * 60 * minuteMicros;

let fold: StartedFold;
beforeAll(async () => {
  fold = await startFold();
  await fold.tick();
}, 60_000);
afterAll(() => fold.close());

/** Each test has a project of its own, and minutes of receiving. */
let tests = 0;
let project: string;
let at: number;
beforeEach(() => {
  project = `project-${++tests}`;
  at = (Math.floor(Date.now() / 60_000) - 30 * tests) * minuteMicros;
});

const set = (ids: Partial<Operation>, properties: object, receivedAt = at): Operation => ({
  project,
  kind: 'profile_set',
  received_at: receivedAt,
  properties: JSON.stringify(properties),
  ...ids,
});
const alias = (device: string, user: string, receivedAt = at): Operation => ({
  project,
  kind: 'alias',
  received_at: receivedAt,
  anonymous_id: device,
  user_id: user,
});

/** Whose the devices of the project are, as `device user`. */
const bound = async (): Promise<string[]> =>
  (await fold.bindings())
    .filter((row) => row.project === project)
    .map((row) => `${row.anonymous_id} ${row.user_id}`);

/** persons is what the log says, of all projects. */
async function expectFolded(): Promise<void> {
  expect(await fold.persons()).toEqual(await fold.profiles());
}

describe('a tick', () => {
  test('folds what came in, and reads nothing but the counts where nothing did', async () => {
    await fold.append([
      set({ anonymous_id: 'phone' }, { city: 'Turin' }),
      set({ user_id: 'ada' }, { level: 'gold' }),
      alias('phone', 'ada'),
    ]);
    expect(await fold.tick()).toMatchObject({ kind: 'folded', mode: 'incremental', bindings: 1 });
    expect((await fold.persons()).filter((row) => row.project === project)).toMatchObject([
      { user_id: 'ada', anonymous_id: null, properties: '{"city":"Turin","level":"gold"}' },
    ]);
    await expectFolded();
    expect(await fold.tick()).toMatchObject({ kind: 'unchanged', queries: 1, persons: 0, slices: 0 });
    // What the device did by itself, before, stays with its user.
    await fold.append([set({ user_id: 'ada' }, { level: 'platinum' }, at + 5 * minuteMicros)]);
    expect(await fold.tick()).toMatchObject({ kind: 'folded', persons: 1, bindings: 0 });
    await expectFolded();
  });

  test('folds the persons that are touched and no others', async () => {
    const users = Array.from({ length: 50 }, (_, index) => ({ user_id: `user-${index}` }));
    await fold.append(users.map((user) => set(user, { n: 1 }, at)));
    expect(await fold.tick()).toMatchObject({ persons: 50 });
    await fold.append([set({ user_id: 'user-7' }, { n: 2 }, at + 2 * minuteMicros)]);
    expect(await fold.tick()).toMatchObject({ kind: 'folded', persons: 1, slices: 1, queries: 8 });
    await expectFolded();
  });

  test('reads a minute again for what is new there, and for nothing where a row only came again', async () => {
    const users = Array.from({ length: 5 }, (_, index) => ({
      ...set({ user_id: `user-${index}` }, { n: index }),
      event_id: `${project}-${index}`.padEnd(32, '0'),
      batch_id: 'b'.repeat(32),
      batch_index: index,
    }));
    for (const full of [false, true]) {
      await fold.append(users);
      expect(await fold.tick({ full })).toMatchObject({ kind: 'folded' });
      const late = set({ user_id: 'late' }, { n: 1, full }, at + (full ? 2 : 1));
      await fold.append([...users, late]);
      const { persons, carried } = await fold.tick();
      expect({ persons, carried }).toEqual({ persons: 1, carried: 1 });
      await fold.append(users);
      expect(await fold.tick()).toMatchObject({ kind: 'folded', slices: 1, persons: 0, queries: 2 });
      await expectFolded();
    }
    const [kept] = await fold.query(
      `SELECT COUNT(*) AS kept FROM profile_operations WHERE project = '${project}'`,
    );
    expect(kept).toEqual({ kept: 7 });
  });

  test('is overtaken where another one has replaced what it was folding, and the next one folds it', async () => {
    await fold.append([set({ user_id: 'ada' }, { n: 1 })]);
    const onStep = async (step: StepName) => {
      if (step !== 'persons') return;
      // As a tick does that slept before its query.
      await fold.bigquery.query('DELETE FROM tributary.arrived_operations WHERE TRUE');
    };
    expect(await fold.tick({}, { onStep })).toMatchObject({ kind: 'overtaken' });
    expect(await fold.tick()).toMatchObject({ kind: 'folded', mode: 'full' });
    await expectFolded();
  });

  test('finds what came in between any two steps of the one before it, which folded everything anew', async () => {
    let rows = 0;
    const onStep = () => fold.append([set({ user_id: `user-${++rows}` }, { n: rows }, at + rows)]);
    expect(await fold.tick({ full: true }, { onStep })).toMatchObject({ kind: 'folded', mode: 'full' });
    expect(rows).toBe(7);
    expect(await fold.tick()).toMatchObject({ kind: 'folded', mode: 'incremental' });
    expect((await fold.persons()).filter((row) => row.project === project)).toHaveLength(rows);
    await expectFolded();
  });

  test('finds what came late, days and months after it was received', async () => {
    await fold.append([set({ user_id: 'ada' }, { n: 2 })]);
    await fold.tick();
    await fold.append([
      set({ user_id: 'ada' }, { n: 1, early: 1 }, at - 6 * dayMicros),
      alias('laptop', 'ada', at - 3 * dayMicros),
    ]);
    expect(await fold.tick()).toMatchObject({ kind: 'folded', slices: 2, bindings: 1, mode: 'incremental' });
    await expectFolded();
    // Before the window days are compared once an hour.
    await fold.append([set({ user_id: 'ada' }, { first: 1 }, at - 90 * dayMicros)]);
    expect(await fold.tick()).toMatchObject({ kind: 'unchanged' });
    const anHourLater = { now: () => Date.now() + 3_600_001 };
    expect(await fold.tick({}, anHourLater)).toMatchObject({ kind: 'folded', slices: 1, queries: 9 });
    expect(await fold.tick({}, anHourLater)).toMatchObject({ kind: 'unchanged', queries: 1 });
    await expectFolded();
  });

  test('takes nothing for new when minutes of the window become days', async () => {
    await fold.append([set({ user_id: 'ada' }, { n: 1 }, at - dayMicros)]);
    await fold.tick();
    const later = { now: () => Date.now() + 20 * 86_400_000 };
    expect(await fold.tick({}, later)).toMatchObject({ kind: 'unchanged', queries: 2 });
    // The state goes back to what it is today.
    await fold.tick({ full: true });
  });

  test('gives a device to another user when an alias comes late that is earlier, and all it did with it', async () => {
    await fold.append([
      set({ anonymous_id: 'phone' }, { city: 'Turin' }, at),
      alias('phone', 'ada', at + 1),
      set({ user_id: 'bob' }, { level: 'gold' }, at + 2),
    ]);
    await fold.tick();
    expect(await bound()).toEqual(['phone ada']);
    await fold.append([alias('phone', 'bob', at - 5 * minuteMicros)]);
    expect(await fold.tick()).toMatchObject({ kind: 'folded', bindings: 1 });
    expect(await bound()).toEqual(['phone bob']);
    await expectFolded();
  });

  test('folds everything anew where the settings of identity change, and a void is an undo', async () => {
    const wrong = { ...alias('phone', 'ada', at), event_id: 'a'.repeat(32) };
    await fold.append([
      wrong,
      alias('phone', 'bob', at + 1),
      set({ anonymous_id: 'phone' }, { city: 'Turin' }, at + 2),
    ]);
    await fold.tick();
    expect(await bound()).toEqual(['phone ada']);
    const settings = settingsOf({ projects: { [project]: { identity: { voided: [wrong.event_id] } } } });
    expect(await fold.tick({ settings })).toMatchObject({
      kind: 'folded',
      mode: 'full',
      reason: 'the settings of identity changed',
    });
    expect(await bound()).toEqual(['phone bob']);
    await expectFolded();
    expect(await fold.tick({ settings })).toMatchObject({ kind: 'unchanged' });
    expect(await fold.tick({ settings: noSettings })).toMatchObject({ mode: 'full' });
    expect(await bound()).toEqual(['phone ada']);
  });

  test('folds everything anew where more persons are touched than it folds one by one', async () => {
    const few = { mostPersons: 3 };
    const users = (count: number) =>
      Array.from({ length: count }, (_, index) => set({ user_id: `user-${index}` }, { count }));
    await fold.append(users(3));
    expect(await fold.tick({}, few)).toMatchObject({ mode: 'incremental', persons: 3 });
    await fold.append(users(4).map((row) => ({ ...row, received_at: row.received_at - 5 * minuteMicros })));
    expect(await fold.tick({}, few)).toMatchObject({
      kind: 'folded',
      mode: 'full',
      reason: 'more than 3 persons are touched',
    });
    await expectFolded();
    const devices = Array.from({ length: 4 }, (_, index) => alias(`device-${index}`, 'user-0'));
    await fold.append(devices.map((row) => ({ ...row, received_at: row.received_at - 9 * minuteMicros })));
    expect(await fold.tick({}, few)).toMatchObject({ mode: 'full', reason: 'more than 3 bindings change' });
    await expectFolded();
  });

  test('whose time is over stops between two steps, and the next one goes on', async () => {
    await fold.append([alias('phone', 'ada'), set({ anonymous_id: 'phone' }, { n: 1 })]);
    for (const full of [false, true]) {
      let now = Date.now();
      // There is time for two steps.
      const slow = {
        now: () => now,
        withinMs: 600_000,
        leaseMs: 3_600_000,
        onStep: () => {
          now += 280_000;
        },
      };
      const mode = full ? 'full' : 'incremental';
      const next = full ? 'operations' : 'pairs';
      expect(await fold.tick({ full }, slow)).toMatchObject({ kind: 'unfinished', mode, next });
      expect(await fold.tick()).toMatchObject({ kind: 'folded', mode });
      await expectFolded();
    }
  });

  test('makes nothing of items, of debugging and of what names nobody', async () => {
    await fold.append([
      {
        project,
        kind: 'item_set',
        name: 'shoe',
        item_id: '1',
        received_at: at,
        properties: '{"n":1}',
      },
      { ...set({ user_id: 'ada' }, { n: 1 }), debug: 1 },
      set({}, { n: 1 }),
    ]);
    expect(await fold.tick()).toMatchObject({ persons: 0, bindings: 0 });
    expect((await fold.persons()).filter((row) => row.project === project)).toEqual([]);
    await expectFolded();
  });
});
