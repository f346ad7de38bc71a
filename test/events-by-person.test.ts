import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  eventRow,
  type FilledWarehouse,
  type Row,
  startFilledWarehouse,
} from './fixtures/filled-warehouse.ts';

let warehouse: FilledWarehouse;

const bindings = [
  { project: 'shop', anonymous_id: 'phone', user_key: null, user_id: 'ann' },
  { project: 'shop', anonymous_id: 'laptop', user_key: 'email', user_id: 'ann' },
  // The device of that name in another project is another device.
  { project: 'club', anonymous_id: 'tablet', user_key: null, user_id: 'bob' },
];

const ofName = {
  'before the binding': { anonymous_id: 'phone', occurred_at: Date.parse('2026-02-01T12:00:00Z') * 1_000 },
  'after the binding': { anonymous_id: 'phone' },
  'with a key': { anonymous_id: 'laptop' },
  'by user': { user_id: 'ann' },
  'by user with a key': { user_id: 'ann', user_key: 'email' },
  'by another user on a bound device': { anonymous_id: 'phone', user_id: 'carl' },
  'of a device': { anonymous_id: 'tablet' },
  'in another project': { project: 'club', anonymous_id: 'tablet' },
  'of a bound device with a key but no user': { anonymous_id: 'phone', user_key: 'email' },
  'of nobody': {},
  'with an empty key': { user_id: 'ann', user_key: '' },
};

beforeAll(async () => {
  warehouse = await startFilledWarehouse();
  await warehouse.append('identity_bindings', bindings);
  const rows = Object.entries(ofName).map(([name, given]) => eventRow({ name, ...given }));
  await warehouse.append('event_log', [
    ...rows,
    ...rows.map((row) => ({ ...row, batch_id: 'z', request_hash: 'again' })),
    eventRow({ name: 'shown, not counted', debug: 1, user_id: 'ann' }),
    eventRow({ kind: 'alias', anonymous_id: 'phone', user_id: 'ann' }),
  ]);
});

afterAll(() => warehouse.close());

const person = async (from: string): Promise<Record<string, Row[string][]>> => {
  const rows = await warehouse.query(
    `SELECT name, person, person_user_key, person_user_id, person_anonymous_id FROM ${from} ORDER BY name`,
  );
  return Object.fromEntries(rows.map(({ name, ...rest }) => [String(name), Object.values(rest)]));
};

const ann = ['user:ann', null, 'ann', null];
const annByEmail = ['user "email":ann', 'email', 'ann', null];
const expected = {
  'before the binding': ann,
  'after the binding': ann,
  'with a key': annByEmail,
  'by user': ann,
  'by user with a key': annByEmail,
  'by another user on a bound device': ['user:carl', null, 'carl', null],
  'of a device': ['device:tablet', null, null, 'tablet'],
  'in another project': ['user:bob', null, 'bob', null],
  'of a bound device with a key but no user': ann,
  'of nobody': [null, null, null, null],
  'with an empty key': ['user "":ann', '', 'ann', null],
};

describe('the person of an event', () => {
  test('is its user; without one the user that its device is bound to, also of what was before; else the device', async () => {
    expect(await person('events_by_person')).toEqual(expected);
  });

  test('is the same in events_by_person_between, of the events from the one time up to the other', async () => {
    const between = (from: string, to: string) =>
      person(`events_by_person_between(TIMESTAMP '${from}', TIMESTAMP '${to}')`);
    const { 'before the binding': before, ...others } = expected;
    expect(await between('2026-02-01 12:00:00', '2026-03-01 12:00:00')).toEqual({
      'before the binding': before,
    });
    expect(await between('2026-03-01 12:00:00', '2026-03-01 12:00:00.000001')).toEqual(others);
  });

  test('leaves the events as events shows them', async () => {
    const added = 'EXCEPT (person, person_user_key, person_user_id, person_anonymous_id)';
    const all = "TIMESTAMP '2026-01-01', TIMESTAMP '2027-01-01'";
    const events = await warehouse.query('SELECT * FROM events ORDER BY event_id');
    expect(events).toHaveLength(Object.keys(ofName).length);
    for (const from of ['events_by_person', `events_by_person_between(${all})`])
      expect(await warehouse.query(`SELECT * ${added} FROM ${from} ORDER BY event_id`)).toEqual(events);
  });

  test('has another text than every other person of the project', async () => {
    const text = fc.string({
      unit: fc.constantFrom('a', ':', '"', ' ', '\\', 'user', 'device:'),
      maxLength: 4,
    });
    const people = fc.uniqueArray(
      fc.oneof(
        fc.record({ user_id: text, user_key: fc.option(text) }),
        fc.record({ anonymous_id: text.map((it) => `d${it}`) }),
      ),
      { selector: (it) => JSON.stringify(it), minLength: 300, maxLength: 300, size: 'max' },
    );
    const [given = []] = fc.sample(people, { numRuns: 1, seed: 1 });
    await warehouse.append(
      'event_log',
      given.map((it) => eventRow({ project: 'many', ...it })),
    );
    const [counted] = await warehouse.query(
      "SELECT COUNT(DISTINCT person) AS people FROM events_by_person WHERE project = 'many'",
    );
    expect(counted).toEqual({ people: given.length });
  });
});
