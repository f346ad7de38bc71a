import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  everything,
  type IdentityWarehouse,
  startIdentityWarehouse,
} from '../../test/proofs/identity/identity-warehouse.ts';
import { type AliasRow, bind } from '../../test/reference/bind.ts';
import type { ProjectPolicy } from './policies.ts';

let warehouse: IdentityWarehouse;
beforeAll(async () => {
  warehouse = await startIdentityWarehouse();
});
afterAll(() => warehouse.close());

const noon = Date.UTC(2026, 4, 1, 12) * 1_000;
const minute = 60_000_000;

let made = 0;
/** An alias of a device and a user that occurs at a minute and is received then, or at another one. */
const alias = (
  project: string,
  device: string,
  user: string,
  at: number,
  rest: Partial<AliasRow> = {},
): AliasRow => ({
  project,
  dialect: 'analysys',
  kind: 'alias',
  anonymous_id: device,
  user_key: null,
  user_id: user,
  debug: 0,
  event_id: (++made).toString(16).padStart(32, '0'),
  occurred_at: noon + at * minute,
  received_at: noon + at * minute,
  batch_id: made.toString(16).padStart(32, '0'),
  batch_index: 0,
  ...rest,
});

const policyOf = (project: string, rest: Partial<ProjectPolicy> = {}): ProjectPolicy => ({
  project,
  policy: undefined,
  order: 'occurred_at',
  voided: [],
  ...rest,
});

/** Loads the rows, and decides as a tick of fold does; with `full`, as when the settings of identity have changed. */
async function decide(
  rows: readonly AliasRow[],
  { policies = [], full = false }: { policies?: ProjectPolicy[]; full?: boolean } = {},
) {
  await warehouse.load(rows);
  if (full) await warehouse.replacePairs(policies);
  else await warehouse.mergePairs(policies, [everything]);
  const plan = await warehouse.plan(policies);
  const { changed } = await warehouse.apply(policies, plan);
  return { plan, changed };
}

/** Whose the devices of a project are. */
const ownersIn = async (project: string) =>
  Object.fromEntries(
    (await warehouse.bindings())
      .filter((one) => one.project === project)
      .map((one) => [one.anonymous_id, one.user_id]),
  );

describe('bindings', () => {
  test('are decided anew by an alias that arrives late and happened before, and the plan tells both sides', async () => {
    await decide([alias('late', 'd', 'second', 10)]);
    expect(await ownersIn('late')).toEqual({ d: 'second' });
    const late = alias('late', 'd', 'first', 5, { received_at: noon + 60 * minute });
    const { plan, changed } = await decide([late]);
    expect(await ownersIn('late')).toEqual({ d: 'first' });
    expect(plan.changes).toEqual([
      {
        project: 'late',
        anonymousId: 'd',
        before: { userKey: null, userId: 'second' },
        after: { userKey: null, userId: 'first' },
      },
    ]);
    expect(changed).toBe(1);
  });

  test('stay where a project orders its aliases by receiving', async () => {
    const policies = [policyOf('received', { order: 'received_at' })];
    await decide([alias('received', 'd', 'second', 10)], { policies });
    const late = alias('received', 'd', 'first', 5, { received_at: noon + 60 * minute });
    await decide([late], { policies });
    expect(await ownersIn('received')).toEqual({ d: 'second' });
  });

  test('follow a change along a chain: a device is bound anew, another gets its user, a third loses it', async () => {
    const [a, b, c] = [
      alias('chain', 'd2', 'u1', 2),
      alias('chain', 'd2', 'u2', 3),
      alias('chain', 'd3', 'u2', 4),
    ];
    await decide([a, b, c]);
    expect(await ownersIn('chain')).toEqual({ d2: 'u1', d3: 'u2' });
    const { plan } = await decide([alias('chain', 'd1', 'u1', 1)]);
    expect(await ownersIn('chain')).toEqual({ d1: 'u1', d2: 'u2' });
    expect(plan.changes.map(({ anonymousId }) => anonymousId).sort()).toEqual(['d1', 'd2', 'd3']);
    expect(plan.changes.find(({ anonymousId }) => anonymousId === 'd3')).not.toHaveProperty('after');
    expect(plan.changes.find(({ anonymousId }) => anonymousId === 'd1')).not.toHaveProperty('before');
  });

  test('are as if an alias had never been sent once it is voided, and as before when it no longer is', async () => {
    const [wrong, right] = [alias('void', 'd', 'wrong', 1), alias('void', 'd', 'right', 2)];
    await decide([wrong, right, alias('void', 'd9', 'wrong', 3)]);
    expect(await ownersIn('void')).toEqual({ d: 'wrong' });
    const policies = [policyOf('void', { voided: [wrong.event_id] })];
    await decide([], { policies, full: true });
    expect(await ownersIn('void')).toEqual({ d: 'right', d9: 'wrong' });
    await decide([wrong], { policies });
    expect(await ownersIn('void')).toEqual({ d: 'right', d9: 'wrong' });
    await decide([], { full: true });
    expect(await ownersIn('void')).toEqual({ d: 'wrong' });
  });

  test('of a project with an alias of Analysys are one to one whatever its other dialects, and else devices are many', async () => {
    const segment = { dialect: 'segment' };
    await decide([alias('mixed', 'd1', 'u', 1, segment), alias('mixed', 'd2', 'u', 2, segment)]);
    expect(await ownersIn('mixed')).toEqual({ d1: 'u', d2: 'u' });
    // The same pair as the first, and later.
    await decide([alias('mixed', 'd1', 'u', 9)]);
    expect(await ownersIn('mixed')).toEqual({ d1: 'u' });
  });

  test('stay with the first statement of an alias without a time of its sender that is repeated', async () => {
    const timeless = { dialect: 'growingio', event_id: 'f'.repeat(32) };
    await decide([alias('repeat', 'd', 'first', 1, timeless), alias('repeat', 'd', 'second', 2, timeless)]);
    await decide([alias('repeat', 'd', 'first', 3, timeless)]);
    expect(await ownersIn('repeat')).toEqual({ d: 'first' });
  });

  test('are told apart by kinds of users and odd ids', async () => {
    const ids = ['a"b', "o'brien", '店', '\\', ' ', 'null', '😀'];
    const rows = ids.flatMap((id, index) => [
      alias('odd', id, id, index, { user_key: null }),
      alias('odd', `${id}2`, id, index, { user_key: 'null' }),
      alias('odd', `${id}3`, id, index, { user_key: '' }),
    ]);
    await decide(rows);
    expect(await ownersIn('odd')).toEqual(
      Object.fromEntries(bind(rows).map((one) => [one.anonymous_id, one.user_id])),
    );
    expect(Object.keys(await ownersIn('odd'))).toHaveLength(rows.length);
  });
});

describe('a run', () => {
  test('that comes again changes nothing and tells of nothing', async () => {
    await decide([alias('again', 'd', 'u', 1), alias('again', 'd', 'u2', 2)]);
    const { plan, changed } = await decide([]);
    expect(await warehouse.mergePairs([], [everything])).toBe(0);
    expect(plan).toMatchObject({ changes: [], isComplete: true });
    expect(changed).toBe(0);
  });

  test('that dies between plan and MERGE leaves the bindings, and the next one tells and makes the same changes', async () => {
    const before = await warehouse.bindings();
    await warehouse.load([alias('dies', 'd', 'u', 1), alias('dies', 'd', 'u2', 2)]);
    await warehouse.mergePairs([], [everything]);
    const dead = await warehouse.plan([]);
    expect(await warehouse.bindings()).toEqual(before);
    const { plan } = await decide([]);
    expect(plan.changes).toEqual(dead.changes);
    expect(await ownersIn('dies')).toEqual({ d: 'u' });
  });

  test('tells at most as many changes as it is asked for, and that there are more', async () => {
    const rows = Array.from({ length: 5 }, (_, index) => alias('most', `d${index}`, `u${index}`, index));
    await warehouse.load(rows);
    await warehouse.mergePairs([], [everything]);
    const part = await warehouse.plan([], 4);
    expect(part.changes).toHaveLength(4);
    expect(part.isComplete).toBe(false);
    const whole = await warehouse.plan([], 5);
    expect(whole.changes).toHaveLength(5);
    expect(whole.isComplete).toBe(true);
  });

  test('makes five queries, whatever it finds', async () => {
    const contested = Array.from({ length: 300 }, (_, index) =>
      alias('four', `d${index % 17}`, `u${index % 19}`, index),
    );
    for (const rows of [[], contested]) {
      const jobs = warehouse.jobs();
      const { plan } = await decide(rows);
      expect(warehouse.jobs() - jobs).toBe(5);
      expect(plan.queries).toBe(2);
    }
  });
});
