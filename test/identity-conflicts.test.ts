import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProjectPolicy } from '../functions/fold/policies.ts';
import {
  everything,
  type IdentityWarehouse,
  startIdentityWarehouse,
} from './proofs/identity/identity-warehouse.ts';
import type { AliasRow } from './reference/bind.ts';

let warehouse: IdentityWarehouse;
let conflicts: Record<string, unknown>[];

const noon = Date.UTC(2026, 4, 1, 12) * 1_000;

/** An alias, whose event id tells its project and minute; received then too, where nothing else is said. */
const alias = (
  project: string,
  device: string,
  user: string,
  minute: number,
  receivedMinute = minute,
): AliasRow => ({
  project,
  dialect: 'analysys',
  kind: 'alias',
  anonymous_id: device,
  user_key: null,
  user_id: user,
  debug: 0,
  event_id: `${project} at ${minute}`,
  occurred_at: noon + minute * 60_000_000,
  received_at: noon + receivedMinute * 60_000_000,
  batch_id: String(minute),
  batch_index: 0,
});

const rules: ProjectPolicy[] = [
  { project: 'many', policy: 'devices_to_one_user', order: 'occurred_at', voided: [] },
  { project: 'received', policy: 'one_to_one', order: 'received_at', voided: [] },
  { project: 'voided', policy: 'one_to_one', order: 'occurred_at', voided: ['voided at 2'] },
];

const rows: AliasRow[] = [
  // The device is anna's; ben gets another one, but only later.
  alias('shop', 'phone', 'anna', 1),
  alias('shop', 'phone', 'ben', 2),
  alias('shop', 'tablet', 'ben', 3),
  // Anna has a device; this one becomes carl's, but only later.
  alias('shop', 'laptop', 'anna', 4),
  alias('shop', 'laptop', 'carl', 5),
  alias('shop', 'laptop', 'ben', 6),
  // A device whose only claim lost.
  alias('shop', 'watch', 'carl', 7),

  alias('many', 'phone', 'anna', 1),
  alias('many', 'tablet', 'ben', 2),
  alias('many', 'phone', 'ben', 3),

  alias('received', 'phone', 'anna', 1, 9),
  alias('received', 'phone', 'ben', 2, 8),

  alias('voided', 'phone', 'anna', 1),
  alias('voided', 'phone', 'ben', 2),
  alias('voided', 'phone', 'carl', 3),
];

beforeAll(async () => {
  warehouse = await startIdentityWarehouse();
  await warehouse.load(rows);
  await warehouse.mergePairs(rules, [everything]);
  await warehouse.apply(rules, await warehouse.plan(rules));
  await warehouse.load([alias('new', 'phone', 'anna', 1)]);
  await warehouse.mergePairs(rules, [everything]);
  conflicts = await warehouse.query('SELECT * FROM identity_conflicts ORDER BY project, occurred_at');
});
afterAll(() => warehouse.close());

const inProject = (project: string) => {
  const told = (...parts: unknown[]) => parts.join(', ').replace(`${project} at`, 'at');
  return conflicts
    .filter((one) => one.project === project)
    .map((one) => ({
      claim: told(one.anonymous_id, one.user_id, one.event_id),
      reason: one.reason,
      ofDevice: one.of_device_user_id && told(one.of_device_user_id, one.of_device_event_id),
      ofUser: one.of_user_anonymous_id && told(one.of_user_anonymous_id, one.of_user_event_id),
    }));
};

test('each claim that is not bound has what was bound before it, and whose its device and its user are today', () => {
  expect(inProject('shop')).toEqual([
    { claim: 'phone, ben, at 2', reason: 'device_is_bound', ofDevice: 'anna, at 1', ofUser: 'tablet, at 3' },
    { claim: 'laptop, anna, at 4', reason: 'user_is_bound', ofDevice: 'carl, at 5', ofUser: 'phone, at 1' },
    { claim: 'laptop, ben, at 6', reason: 'both_are_bound', ofDevice: 'carl, at 5', ofUser: 'tablet, at 3' },
    { claim: 'watch, carl, at 7', reason: 'user_is_bound', ofDevice: null, ofUser: 'laptop, at 5' },
  ]);
});

test("where a user has many devices, a device is refused only for the device's sake", () => {
  expect(inProject('many')).toEqual([
    { claim: 'phone, ben, at 3', reason: 'device_is_bound', ofDevice: 'anna, at 1', ofUser: null },
  ]);
});

test('who was first is judged by receiving where the project orders so', () => {
  expect(inProject('received')).toEqual([
    { claim: 'phone, anna, at 1', reason: 'device_is_bound', ofDevice: 'ben, at 2', ofUser: null },
  ]);
});

test('an alias that is voided shows nowhere', () => {
  expect(inProject('voided')).toEqual([
    { claim: 'phone, carl, at 3', reason: 'device_is_bound', ofDevice: 'anna, at 1', ofUser: null },
  ]);
});

test('an alias that fold has not decided yet says so', () => {
  expect(inProject('new')).toEqual([
    { claim: 'phone, anna, at 1', reason: 'not_decided_yet', ofDevice: null, ofUser: null },
  ]);
});
