import type { Bound, StateRow } from '../../reference/fold.ts';
import type { Json } from '../../reference/json-numbers.ts';

/** What happened in one project, in no order, and whose its devices are. */
export interface History {
  readonly project: string;
  readonly rows: readonly StateRow[];
  readonly bindings: readonly Bound[];
}

/**
 * Up to `most` operations on a few users, devices and items, on few keys, at few instants: so that they meet, tie, and come
 * in every order. With copies, some of them different from the first, and operations that do not count.
 */
export function makeHistory(project: string, most: number, random: () => number): History {
  const whole = (below: number) => Math.floor(random() * below);
  const one = <T>(list: readonly T[]): T => list[whole(list.length)]!;
  const hexadecimal = (digits: number) =>
    Array.from({ length: digits }, () => whole(16).toString(16)).join('');
  const dialects = one(mixes);
  const keysOfProject = Array.from({ length: 1 + whole(5) }, () => one(keys));
  const isPlain = whole(3) === 0;
  const valueFor = (kind: string): Json => {
    if (whole(isPlain ? 50 : 5) === 0) return one(values);
    if (kind === 'profile_increment') return one(numbers);
    if (kind === 'profile_append') return one(lists);
    return one(one([numbers, lists, values]));
  };
  const propertiesOf = (kind: string): Record<string, Json> => {
    const count = whole(12) === 0 ? 0 : 1 + whole(3);
    return Object.fromEntries(Array.from({ length: count }, () => [one(keysOfProject), valueFor(kind)]));
  };

  const rows: StateRow[] = [];
  const operations = 1 + whole(most);
  const instants = 1 + whole(operations);
  const timesOf = (source: StateRow['time_source']) => {
    const received_at = begin + whole(instants) * 1_000_000;
    return {
      received_at,
      occurred_at: source === 'received' ? received_at : begin - whole(instants) * 777_777,
    };
  };
  const deliveryOf = () => ({ batch_id: one(['0a', '0b', hexadecimal(32)]), batch_index: whole(12) });
  for (let index = 0; index < operations; index++) {
    const kind = one(kinds);
    const time_source = whole(5) === 0 ? 'received' : 'sender';
    const row: StateRow = {
      project,
      dialect: one(dialects),
      kind,
      name: kind === 'item_set' ? one(['sku', 'group']) : null,
      item_id: kind === 'item_set' ? one(['1', '2', '']) : null,
      ...one(kind === 'alias' ? owners.filter(({ user_id }) => user_id !== null) : owners),
      debug: one(debugs),
      event_id: hexadecimal(32),
      time_source,
      ...timesOf(time_source),
      ...deliveryOf(),
      properties: propertiesOf(kind),
    };
    rows.push(row);
    while (whole(4) === 0) {
      const times = timesOf(time_source);
      const copy = { ...row, ...times, ...deliveryOf() };
      if (time_source === 'sender') copy.occurred_at = row.occurred_at;
      rows.push(copy);
    }
    // The same row stored twice, and the id of one operation under another.
    if (whole(15) === 0) rows.push({ ...row });
    if (whole(20) === 0) {
      const source = one(['sender', 'received'] as const);
      const other = whole(2) === 0 ? {} : one(owners);
      const told = {
        time_source: source,
        ...timesOf(source),
        ...deliveryOf(),
        properties: propertiesOf(kind),
      };
      rows.push({ ...row, ...other, ...told });
    }
  }
  return { project, rows: shuffle(rows, whole), bindings: bindSome(project, whole) };
}

const begin = Date.UTC(2026, 4, 1, 12) * 1_000;
const mixes = [
  ['analysys'],
  ['analysys'],
  ['tributary'],
  ['growingio', 'segment'],
  ['analysys', 'tributary'],
];
const debugs = [0, 0, 0, 0, 0, 0, 0, 0, 1, 2];
const kinds = [
  ...[
    'profile_set',
    'profile_set',
    'profile_set_once',
    'profile_set_once',
    'profile_unset',
    'profile_delete',
  ],
  ...[
    'profile_increment',
    'profile_increment',
    'profile_increment',
    'profile_increment',
    'profile_increment',
  ],
  ...[
    'profile_append',
    'profile_append',
    'profile_append',
    'profile_append',
    'alias',
    'item_set',
    'item_set',
  ],
];
const keys = [
  'a',
  'A',
  'b',
  'B',
  'É',
  'é',
  '$x',
  'a.b',
  'q"r',
  '',
  '\\',
  '/~',
  '~1',
  '0',
  '*',
  '#',
  '名前',
  '😀',
  ' ',
];
const numbers: Json[] = [
  ...[0n, 1n, 1n, 2n, -3n, 100n, 9_007_199_254_740_993n, 2n ** 63n - 1n, 2n ** 64n - 1n, -(2n ** 63n)],
  ...[0.1, 0.2, 1.5, -1.5, 3, 2.5e-9, 5e-10, 4e-10, 0.1234567895, 1e15, 1e20, 1e28, -3e28, 5e28, 1e29, 1e300],
];
const lists: Json[] = [[], ['x'], [1n, 1, 1.5], [null], [['deep'], { b: 1n, a: [true] }], ['x', 'y', 'ü"\n']];
const values: Json[] = [
  ...[null, null, true, false, '', 'x', '12', '1e5', 'null', '[1]', 'a"\\\u2028\n😀'],
  ...[{}, { b: { c: [1, 1n] }, a: null }, [], 7n, 7.25],
];
const noIds = { anonymous_id: null, user_key: null, user_id: null };
const owners = [
  { ...noIds, anonymous_id: 'd1' },
  { ...noIds, anonymous_id: 'd1' },
  { ...noIds, anonymous_id: 'd2' },
  { ...noIds, anonymous_id: 'd"3' },
  { ...noIds, anonymous_id: 'u1' },
  { ...noIds, user_id: 'u1' },
  { anonymous_id: 'd1', user_key: null, user_id: 'u1' },
  { anonymous_id: 'd2', user_key: 'email', user_id: 'u1' },
  { anonymous_id: 'd2', user_key: '', user_id: 'ü2' },
  { anonymous_id: 'd9', user_key: 'email', user_id: 'd1' },
  { ...noIds, anonymous_id: 'd2', user_key: 'email' },
  noIds,
];

function bindSome(project: string, whole: (below: number) => number): Bound[] {
  const users = owners.filter(({ user_id }) => user_id !== null);
  return ['d1', 'd2', 'd"3'].flatMap((anonymous_id) => {
    const user = users[whole(users.length * 2)];
    return user ? [{ project, anonymous_id, user_key: user.user_key, user_id: user.user_id! }] : [];
  });
}

function shuffle<T>(list: readonly T[], whole: (below: number) => number): T[] {
  const shuffled = [...list];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = whole(last + 1);
    [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
  }
  return shuffled;
}
