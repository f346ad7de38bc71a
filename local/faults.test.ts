import { expect, test } from 'vitest';
import { noFaults as noBigQueryFaults } from './bigquery/faults.ts';
import { faultsSchema } from './faults.ts';
import { noFaults as noPubSubFaults } from './pubsub/index.ts';
import { noFaults as noStorageFaults } from './storage/faults.ts';

test.each([
  ['pubsub', noPubSubFaults()],
  ['bigquery', noBigQueryFaults()],
  ['storage', noStorageFaults()],
] as const)(
  'every fault of the local %s can be set, and nothing else',
  (service, { random: _, ...faults }) => {
    expect(faultsSchema.parse({ [service]: faults })).toEqual({ [service]: faults });
    const settable = Object.keys(faultsSchema.shape[service].unwrap().shape);
    expect(settable.sort()).toEqual(Object.keys(faults).sort());
  },
);

test('a rate is 0 to 1', () => {
  expect(faultsSchema.safeParse({ pubsub: { publishStoredThenLostRate: 1 } }).success).toBe(true);
  expect(faultsSchema.safeParse({ pubsub: { publishStoredThenLostRate: 1.1 } }).success).toBe(false);
  expect(faultsSchema.safeParse({ pubsub: { publishStoredThenLostRate: -0.1 } }).success).toBe(false);
});
