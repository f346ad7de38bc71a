import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  eventRow,
  type FilledWarehouse,
  type Row,
  startFilledWarehouse,
} from './fixtures/filled-warehouse.ts';
import { historyOf } from './proofs/fold/fold.ts';
import { startFoldWarehouse } from './proofs/fold/fold-warehouse.ts';
import type { History } from './proofs/fold/histories.ts';
import { foldProfiles } from './reference/fold.ts';
import { type Json, readJson, writeJson } from './reference/json-numbers.ts';

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

async function loadAndTell(project: string, operations: readonly (readonly [string, object])[]) {
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
    const found = await loadAndTell('values', [
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

  test('agrees with the reference fold of what had occurred, at every time of random histories', async () => {
    const folding = await startFoldWarehouse();
    try {
      const histories = Array.from({ length: 12 }, (_, number) => historyOf(1, number, 24)).map(
        withoutCopies,
      );
      await folding.load(histories.flatMap(({ rows }) => [...rows, ...rows.slice(0, 3)]));
      await folding.bind(histories.flatMap(({ bindings }) => bindings));
      const ids = ['u1', 'd1'];
      let compared = 0;
      for (const { project, rows, bindings } of histories) {
        const known = new Map<string, Row[]>();
        for (const id of ids) {
          const [found] = await folding.bigquery.query({
            query: `SELECT * REPLACE (UNIX_MICROS(changed_at) AS changed_at, UNIX_MICROS(until) AS until),
                TO_JSON_STRING([@project, person_user_key, person_user_id, person_anonymous_id]) AS subject
              FROM profile_history(@project, @id)`,
            params: { project, id },
            defaultDataset: { datasetId: 'tributary' },
          });
          for (const [subject, held] of Map.groupBy(found as Row[], (row) => String(row.subject))) {
            known.set(subject, held);
          }
        }
        for (const time of new Set(rows.map(({ occurred_at }) => occurred_at))) {
          const before = rows.filter(({ occurred_at }) => occurred_at <= time);
          const people = foldProfiles(before, bindings).filter(({ subject: [, , user, device] }) =>
            ids.includes(user ?? device ?? ''),
          );
          const expected = people.map(({ subject, properties }) => [
            JSON.stringify(subject),
            writeJson(properties),
          ]);
          const actual = expected.map(([subject]) => [
            subject,
            writeJson(valuesAt(known.get(subject!) ?? [], time)),
          ]);
          expect(actual, `${project} at ${time}`).toEqual(expected);
          compared += expected.length;
        }
      }
      expect(compared).toBeGreaterThan(100);
    } finally {
      await folding.close();
    }
  });
});

/** An operation of which copies differ in their time would be in what had occurred at some times and not at others. */
function withoutCopies({ project, rows, bindings }: History): History {
  const first = new Map(rows.toReversed().map((row) => [row.event_id, row]));
  return { project, rows: [...first.values()], bindings };
}

/** What held right after a time, as `docs/recipes/profile-as-of.sql` selects it. */
function valuesAt(rows: readonly Row[], time: number): Record<string, Json> {
  const held = rows.filter(
    ({ changed_at, until, value }) =>
      Number(changed_at) <= time && (until === null || Number(until) > time) && value !== null,
  );
  // Where Analysys and another dialect name keys that differ in case only, two may be spelled alike: the later one is shown.
  return Object.fromEntries(
    held.sort(inOrder).map(({ key, value }) => [String(key), readJson(String(value))]),
  );
}

function inOrder(left: Row, right: Row): number {
  for (const part of ['changed_at', 'received_at', 'batch_id', 'batch_index', 'event_id']) {
    const [one, other] = [left, right].map((row) => plain(row[part]));
    if (one !== other) return one! < other! ? -1 : 1;
  }
  return 0;
}

const plain = (cell: unknown): string | number =>
  typeof cell === 'number' ? cell : String((cell as { value?: string }).value ?? cell);
