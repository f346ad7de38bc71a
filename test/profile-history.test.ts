import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  eventRow,
  type FilledWarehouse,
  type Row,
  startFilledWarehouse,
} from './fixtures/filled-warehouse.ts';

let warehouse: FilledWarehouse;

beforeAll(async () => {
  warehouse = await startFilledWarehouse();
});

afterAll(() => warehouse.close());

const NOON = Date.parse('2026-03-01T12:00:00Z');

interface Operation {
  readonly kind: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** Minutes after noon. */
  readonly minute: number;
  readonly given?: object;
}

const stateRow = (project: string, { kind, properties, minute, given }: Operation): object =>
  eventRow({
    project,
    kind: `profile_${kind}`,
    user_id: 'ann',
    occurred_at: (NOON + minute * 60_000) * 1_000,
    properties: JSON.stringify(properties),
    keys: Object.keys(properties).sort(),
    ...given,
  });

/** What became of each operation: minute, kind, key, value and why it was ignored. */
async function history(project: string, person = 'ann'): Promise<unknown[][]> {
  const rows = await warehouse.query(
    'SELECT * FROM profile_history(@project, @person) ORDER BY changed_at, received_at, batch_id, batch_index, key',
    { project, person },
  );
  return rows.map(({ changed_at, kind, key, value, ignored }) => [
    (Date.parse(String(changed_at)) - NOON) / 60_000,
    String(kind).replace('profile_', ''),
    key,
    value === null ? null : JSON.parse(String(value)),
    ignored,
  ]);
}

async function historyOf(project: string, operations: readonly (readonly [string, object])[]) {
  await warehouse.append(
    'state_log',
    operations.map(([kind, properties], minute) =>
      stateRow(project, { kind, properties: { ...properties }, minute }),
    ),
  );
  return history(project);
}

describe('the history of a profile', () => {
  test('tells of each operation what the key has after it, and why one was ignored', async () => {
    const found = await historyOf('values', [
      ['set_once', { level: 1 }],
      ['set_once', { level: 2 }],
      ['increment', { level: 0.1 }],
      ['increment', { level: 0.2 }],
      ['increment', { level: 'a lot' }],
      ['increment', { level: 1e30 }],
      ['append', { level: ['a'] }],
      ['append', { level: 'a' }],
      ['set', { level: ['a'] }],
      ['append', { level: ['b', 1] }],
      ['increment', { level: 1 }],
      ['set', { level: null }],
      ['set_once', { level: null }],
      ['set', { level: 1e30 }],
      ['increment', { level: 1 }],
      ['set', { level: 5e28 }],
      ['increment', { level: 5e28 }],
      ['unset', { level: '' }],
    ]);
    expect(found).toEqual(
      [
        ['set_once', 1, null],
        ['set_once', 1, 'has_value'],
        ['increment', 1.1, null],
        ['increment', 1.3, null],
        ['increment', 1.3, 'not_a_number'],
        ['increment', 1.3, 'not_a_number'],
        ['append', 1.3, 'value_not_an_array'],
        ['append', 1.3, 'not_an_array'],
        ['set', ['a'], null],
        ['append', ['a', 'b', 1], null],
        ['increment', ['a', 'b', 1], 'value_not_a_number'],
        ['set', null, null],
        ['set_once', null, 'null_value'],
        ['set', 1e30, null],
        ['increment', 1e30, 'value_not_a_number'],
        ['set', 5e28, null],
        ['increment', 5e28, 'sum_too_large'],
        ['unset', null, null],
      ].map(([kind, value, ignored], minute) => [minute, kind, 'level', value, ignored]),
    );
  });

  test('tells of a deletion by each key that had a value, as it was last spelled', async () => {
    await warehouse.append('state_log', [
      stateRow('deleted', { kind: 'delete', properties: {}, minute: 0 }),
      ...[{ City: 'Bonn' }, { city: 'Köln' }].map((properties, minute) =>
        stateRow('deleted', { kind: 'set', properties, minute: minute + 1, given: { dialect: 'analysys' } }),
      ),
      ...[{ City: 'Rom' }, { gone: 1 }].map((properties, minute) =>
        stateRow('deleted', { kind: 'set', properties, minute: minute + 3 }),
      ),
      stateRow('deleted', { kind: 'unset', properties: { gone: '' }, minute: 5 }),
      stateRow('deleted', { kind: 'delete', properties: {}, minute: 6 }),
      stateRow('deleted', { kind: 'increment', properties: { city: 1 }, minute: 7 }),
    ]);
    expect(await history('deleted')).toEqual([
      [1, 'set', 'City', 'Bonn', null],
      [2, 'set', 'city', 'Köln', null],
      [3, 'set', 'City', 'Rom', null],
      [4, 'set', 'gone', 1, null],
      [5, 'unset', 'gone', null, null],
      [6, 'delete', 'City', null, null],
      [6, 'delete', 'city', null, null],
      [7, 'increment', 'city', 1, null],
    ]);
  });

  test('is of the user, by id or by a bound device, with what that device did before; or of a device alone', async () => {
    const set = (level: number, given: object) =>
      stateRow('whose', { kind: 'set', properties: { level }, minute: level, given });
    await warehouse.append('identity_bindings', [
      { project: 'whose', anonymous_id: 'phone', user_id: 'ann' },
      { project: 'whose', anonymous_id: 'laptop', user_key: 'email', user_id: 'ann' },
      { project: 'other', anonymous_id: 'tablet', user_id: 'ann' },
    ]);
    await warehouse.append('state_log', [
      set(0, { user_id: null, anonymous_id: 'phone' }),
      set(1, { anonymous_id: 'tablet' }),
      set(2, { user_key: 'email' }),
      set(3, { user_id: null, anonymous_id: 'tablet' }),
      set(4, { user_id: 'carl', anonymous_id: 'phone' }),
      set(5, { debug: 1 }),
      set(6, { project: 'other' }),
      set(7, { user_id: null, anonymous_id: null }),
      set(8, { kind: 'item_set', name: 'product', item_id: 'ann' }),
    ]);
    const levels = async (person: string) => (await history('whose', person)).map(([minute]) => minute);
    expect(await levels('phone')).toEqual([0, 1]);
    expect(await levels('laptop')).toEqual([2]);
    expect(await levels('ann')).toEqual([0, 1, 2]);
    expect(await levels('tablet')).toEqual([3]);
    expect(await levels('nobody')).toEqual([]);
    const people = await warehouse.query(
      "SELECT DISTINCT person, person_user_key, person_user_id, person_anonymous_id FROM profile_history('whose', 'ann') ORDER BY person",
    );
    expect(people.map((row) => Object.values(row))).toEqual([
      ['user "email":ann', 'email', 'ann', null],
      ['user:ann', null, 'ann', null],
    ]);
  });

  test('counts each operation once: its first copy, the last where it has no time of its sender', async () => {
    const copies = (time_source: string, level: number) =>
      [0, 1].map((late) => {
        const minute = time_source === 'received' ? level + late : level;
        return stateRow('copies', {
          kind: 'increment',
          properties: { [time_source]: level },
          minute,
          given: {
            event_id: time_source,
            time_source,
            received_at: (NOON + (level + late) * 60_000) * 1_000,
          },
        });
      });
    await warehouse.append('state_log', [...copies('sender', 1), ...copies('received', 5)].reverse());
    expect(await history('copies')).toEqual([
      [1, 'increment', 'sender', 1, null],
      [6, 'increment', 'received', 5, null],
    ]);
  });

  test('agrees with the view profiles after every operation of random histories, and at every time', async () => {
    const histories = fc.sample(fc.array(operation, { minLength: 12, maxLength: 18 }), {
      numRuns: 15,
      seed: 7,
    });
    const rows = histories.flatMap((operations, index) => {
      const made = operations.map((one) => stateRow(`h${index}`, one));
      const copy = (row: object, after: number) => ({ ...row, project: `h${index}-${after}` });
      // A project of its own for what is known after each operation.
      const after = operations.flatMap((_, place) => made.slice(0, place + 1).map((row) => copy(row, place)));
      return [...made, ...made.filter((_, place) => place % 3 === 0), ...after];
    });
    await warehouse.append('state_log', rows);
    const profiles = await warehouse.query('SELECT project, properties FROM profiles WHERE user_id = "ann"');
    const known = new Map(profiles.map((row) => [row.project, JSON.parse(String(row.properties))]));
    for (const [index, operations] of histories.entries()) {
      const found = await warehouse.query('SELECT * FROM profile_history(@project, "ann")', {
        project: `h${index}`,
      });
      for (const [place, { minute }] of operations.entries()) {
        // Several operations may be of one minute: the last of them is what is known from then on.
        if (operations[place + 1]?.minute === minute) continue;
        const time = new Date(NOON + minute * 60_000).toISOString();
        expect(valuesAt(found, time), `history ${index} after ${place}`).toEqual(
          known.get(`h${index}-${place}`),
        );
      }
    }
  });
});

/** What `docs/recipes/profile-as-of.sql` selects: what held right after a time. */
function valuesAt(rows: readonly Row[], time: string): Record<string, unknown> {
  const at = Date.parse(time);
  const held = rows.filter(
    ({ changed_at, until }) =>
      Date.parse(String(changed_at)) <= at && (until === null || Date.parse(String(until)) > at),
  );
  // Where Analysys and another dialect name keys that differ in case only, two may be spelled alike: the later one is shown.
  const valued = held.filter(({ value }) => value !== null).sort(inOrder);
  return Object.fromEntries(valued.map(({ key, value }) => [key, JSON.parse(String(value))]));
}

const inOrder = (left: Row, right: Row): number =>
  Date.parse(String(left.changed_at)) - Date.parse(String(right.changed_at)) ||
  (String(left.batch_id) < String(right.batch_id) ? -1 : 1);

const value = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    'text',
    '5',
    { a: 1 },
    1e30,
    -7e28,
    0.1,
    2.5,
    9007199254740993n.toString(),
  ),
  fc.integer({ min: -3, max: 3 }),
  fc.array(fc.constantFrom<unknown>('x', 1, null, ['y']), { maxLength: 2 }),
);

let minute = 0;
const operation: fc.Arbitrary<Operation> = fc
  .record({
    kind: fc.constantFrom('set', 'set_once', 'increment', 'increment', 'append', 'append', 'unset', 'delete'),
    properties: fc.dictionary(fc.constantFrom('a', 'A', 'b.c', '$x', ''), value, { minKeys: 1, maxKeys: 3 }),
    isLater: fc.boolean(),
    dialect: fc.constantFrom('analysys', 'segment'),
  })
  .map(({ isLater, dialect, ...rest }) => {
    if (isLater) minute++;
    return { ...rest, minute, given: { dialect, batch_id: `b${String(++sequence).padStart(6, '0')}` } };
  });
let sequence = 0;
