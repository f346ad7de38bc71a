import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { foldItems, foldProfiles, type StateRow } from '../reference/fold.ts';
import { compareFolds, historyOf, proveFold } from './fold/fold.ts';
import { type FoldWarehouse, startFoldWarehouse } from './fold/fold-warehouse.ts';

describe('profiles and items', () => {
  let warehouse: FoldWarehouse;

  beforeAll(async () => {
    warehouse = await startFoldWarehouse();
  });
  afterAll(() => warehouse.close());

  test('are what the reference folds of random histories, and so are persons in steps and anew', async () => {
    const histories = Array.from({ length: 60 }, (_, number) => historyOf(7, number, 40));
    const figures = await proveFold(warehouse, histories);
    expect(figures.differences).toEqual([]);
    expect(figures.values).toBeGreaterThan(300);
  });
});

describe('the reference fold', () => {
  const row: StateRow = {
    ...{ project: 'p', dialect: 'tributary', kind: 'profile_set', name: null, item_id: null, debug: 0 },
    ...{ anonymous_id: null, user_key: null, user_id: 'u', event_id: '0', time_source: 'sender' },
    ...{ occurred_at: 0, received_at: 0, batch_id: 'b', batch_index: 0, properties: {} },
  };
  const fold = (operations: readonly Partial<StateRow>[]) => {
    const rows = operations.map((operation, index) => ({
      ...row,
      ...{ event_id: `${index}`, occurred_at: index, received_at: index },
      ...operation,
    }));
    return foldProfiles(rows, [])[0]?.properties;
  };
  const set = (properties: StateRow['properties']) => ({ kind: 'profile_set', properties });
  const once = (properties: StateRow['properties']) => ({ kind: 'profile_set_once', properties });
  const increment = (properties: StateRow['properties']) => ({ kind: 'profile_increment', properties });
  const append = (properties: StateRow['properties']) => ({ kind: 'profile_append', properties });
  const unset = (properties: StateRow['properties']) => ({ kind: 'profile_unset', properties });
  const erase = { kind: 'profile_delete' };

  test.each([
    ['the last set counts', [set({ a: 1n }), set({ a: 2n })], { a: 2n }],
    ['a null unsets', [set({ a: 1n }), set({ a: null })], {}],
    [
      'an unset takes what was before it',
      [increment({ a: 1n }), unset({ a: '' }), increment({ a: 2n })],
      { a: 2n },
    ],
    ['the first set_once counts', [once({ a: 1n }), once({ a: 2n })], { a: 1n }],
    ['a set_once after a value does not count', [increment({ a: 1n }), once({ a: 5n })], { a: 1n }],
    ['a set_once of null gives nothing', [once({ a: null }), once({ a: 2n })], { a: 2n }],
    [
      'increments add to what is there',
      [set({ a: 1n }), increment({ a: 2n }), increment({ a: 3n })],
      { a: 6n },
    ],
    ['sums are exact', [increment({ a: 0.1 }), increment({ a: 0.2 })], { a: 0.3 }],
    ['a whole sum is an integer', [increment({ a: 1.5 }), increment({ a: 1.5 })], { a: 3n }],
    ['what was not added to stays as it is', [increment({ a: 3 })], { a: 3 }],
    ['an increment by no number gives nothing', [increment({ a: '1' }), increment({ a: 1n })], { a: 1n }],
    ['an increment of no number does nothing', [set({ a: 'x' }), increment({ a: 1n })], { a: 'x' }],
    [
      'lists grow',
      [set({ a: [1n] }), append({ a: ['x'] }), append({ a: [] }), append({ a: [[1]] })],
      { a: [1n, 'x', [1]] },
    ],
    ['an append of no list gives nothing', [append({ a: 'x' }), append({ a: ['y'] })], { a: ['y'] }],
    [
      'a number takes no append, a list no increment',
      [set({ a: 1n, b: [] }), append({ a: [2n] }), increment({ b: 1n })],
      { a: 1n, b: [] },
    ],
    ['deletion takes every key', [set({ a: 1n, b: 2n }), erase, set({ b: 3n })], { b: 3n }],
    [
      'what occurred before a deletion is gone also when it comes later',
      [{ ...erase, occurred_at: 9 }, set({ a: 1n })],
      {},
    ],
    [
      'keys of Analysys meet without case, spelt as last',
      [set({ Age: 1n }), increment({ AGE: 2n })].map((one) => ({ ...one, dialect: 'analysys' })),
      { AGE: 3n },
    ],
    ['keys of others do not', [set({ Age: 1n }), increment({ AGE: 2n })], { Age: 1n, AGE: 2n }],
    [
      'debug 1 does not count, debug 2 does',
      [
        { ...set({ a: 1n }), debug: 2 },
        { ...set({ a: 2n }), debug: 1 },
      ],
      { a: 1n },
    ],
    ['a sum beyond what NUMERIC holds is not made', [set({ a: 5e28 }), increment({ a: 5e28 })], { a: 5e28 }],
    [
      'of copies the first counts',
      [
        { ...set({ a: 1n }), event_id: 'x', received_at: 5 },
        { ...set({ a: 2n }), event_id: 'x', received_at: 4 },
      ],
      { a: 2n },
    ],
    [
      'of copies without a time the last counts',
      [
        { ...set({ a: 1n }), event_id: 'x', received_at: 5, time_source: 'received' as const },
        { ...set({ a: 2n }), event_id: 'x', received_at: 4, time_source: 'received' as const },
      ],
      { a: 1n },
    ],
  ] satisfies [string, Partial<StateRow>[], StateRow['properties']][])('%s', (_, operations, properties) => {
    expect(fold(operations)).toEqual(properties);
  });

  test('gives what a device did to the user that it is bound to', () => {
    const rows = [{ ...row, user_id: null, anonymous_id: 'd' }];
    const user = { user_key: 'email', user_id: 'u' };
    expect(foldProfiles(rows, [{ project: 'p', anonymous_id: 'd', ...user }])[0]?.subject).toEqual([
      'p',
      'email',
      'u',
      null,
    ]);
    expect(foldProfiles(rows, [{ project: 'q', anonymous_id: 'd', ...user }])[0]?.subject).toEqual([
      'p',
      null,
      null,
      'd',
    ]);
  });

  test('tells 1 from 1.0 when it compares', () => {
    const [one] = foldItems([{ ...row, kind: 'item_set', name: 'k', item_id: 'i', properties: { a: 1n } }]);
    expect(compareFolds([one!], [one!])).toEqual([]);
    expect(compareFolds([one!], [{ ...one!, properties: { a: 1 } }])).toHaveLength(1);
    expect(compareFolds([one!], [])).toHaveLength(1);
  });
});
