import { z } from 'zod';
import type { Arrivals } from './arrivals.ts';
import { bucketOf } from './bucket.ts';
import {
  arrangeEarlierClaims,
  arrangeNewPairs,
  bindNewPairs,
  type CarriedPair,
  type ClaimsOnUser,
  findNewPairs,
} from './carry-bindings.ts';
import { type ClaimedPair, claimedPairRow, deviceOf, pairOf, userOf } from './claimed-pair.ts';
import type { Claim } from './match-claims.ts';
import type { BindingsPlan } from './plan-bindings.ts';
import { policyParameters } from './policies.ts';
import { readSql } from './read-sql.ts';
import { arrivedPairs } from './rebind.ts';
import type { TickContext } from './tick-context.ts';

/** What the claims that came in do to identity_pairs and identity_bindings. */
export type Claimed =
  | { readonly kind: 'nothing' }
  /** They add to both, and of what is there change only since when it is so. */
  | { readonly kind: 'carried_on'; insertPairs(): Promise<void>; readonly bindings: BindingsPlan }
  /** It takes all pairs to tell. */
  | { readonly kind: 'undecided' };

/**
 * Pairs that are looked at one by one, and those that are added so: as parameters of a query, of 10 MB at most. A parameter
 * is several times as long there as here: cloud.google.com/bigquery/quotas.
 */
const mostArrived = 10_000;
const mostNew = 2_000;
const mostText = 1_500_000;

/**
 * Reads what came in and what is known of the same devices and users, in four queries at most, and changes nothing.
 * identity_bindings must be what is decided of identity_pairs.
 */
export async function readClaimed({ during }: Arrivals, context: TickContext): Promise<Claimed> {
  const { options, policies } = context;
  const arrived = await readArrived(during, context);
  if (arrived.length === 0) return { kind: 'nothing' };
  if (isTooMuch(arrived, mostArrived)) return { kind: 'undecided' };

  const ofDevices = await readPairsOf(arrived, context);
  if (ofDevices.length > mostKnown) return { kind: 'undecided' };
  const found = findNewPairs(arrived, ofDevices, policies);
  if (found === 'undecided') return { kind: 'undecided' };
  const { fresh, earlier } = found;
  const changing = [...fresh, ...earlier.map(({ pair }) => pair)];
  if (isTooMuch(changing, mostNew)) return { kind: 'undecided' };
  if (changing.length === 0) return { kind: 'nothing' };

  const known = { ofDevices, ofUsers: await readClaimsOn(changing, context) };
  const arranged = arrangeNewPairs(fresh, known, policies);
  const moved = arrangeEarlierClaims(earlier, known, policies);
  if (arranged === 'undecided' || moved === 'undecided') return { kind: 'undecided' };
  const contested = arranged.filter(({ isContested }) => isContested);
  const bound = bindNewPairs(arranged, contested.length === 0 ? [] : await readBound(contested, context));
  if (bound.length > options.mostPersons) return { kind: 'undecided' };
  return {
    kind: 'carried_on',
    insertPairs: () => insertPairs([...arranged, ...moved], context),
    bindings: {
      rows: bound.length + moved.length,
      changes: bound.map(({ project, anonymousId, userKey, userId }) => ({
        project,
        anonymousId,
        after: { userKey, userId },
      })),
      isComplete: true,
      apply: () => insertBindings([...bound, ...moved], context),
    },
  };
}

const isTooMuch = (pairs: readonly ClaimedPair[], most: number): boolean =>
  pairs.length > most || pairs.reduce((sum, pair) => sum + pairOf(pair).length + 200, 0) > mostText;

async function readArrived(
  during: Arrivals['during'],
  { options, steps, policies }: TickContext,
): Promise<ClaimedPair[]> {
  const given = policyParameters(policies);
  const { rows } = await steps.query({
    query: arrivedPairs(options.dataset),
    params: { ...during.params, ...given.params, most: mostArrived + 1 },
    types: { ...during.types, ...given.types },
  });
  return z.array(claimedPairRow).parse(rows);
}

/** A device that many claim is not looked at here. */
const mostKnown = 4 * mostArrived;

async function readPairsOf(
  pairs: readonly ClaimedPair[],
  { options, steps }: TickContext,
): Promise<ClaimedPair[]> {
  const { rows } = await steps.query({
    query: readSql('pairs-of-devices.sql', options.dataset),
    params: { devices: devicesOf(pairs), buckets: bucketsOf(pairs), most: mostKnown + 1 },
    types: { devices: [deviceType], buckets: ['INT64'] },
  });
  return z.array(claimedPairRow).parse(rows);
}

async function readClaimsOn(
  pairs: readonly ClaimedPair[],
  { options, steps }: TickContext,
): Promise<ClaimsOnUser[]> {
  const { rows } = await steps.query({
    query: readSql('claims-on-users.sql', options.dataset),
    params: { users: usersOf(pairs), projects: [...new Set(pairs.map(({ project }) => project))] },
    types: { users: [userType], projects: ['STRING'] },
  });
  return z.array(claimsOnUserRow).parse(rows);
}

async function readBound(pairs: readonly ClaimedPair[], { options, steps }: TickContext): Promise<Claim[]> {
  const { rows } = await steps.query({
    query: readSql('bindings-of-claimed.sql', options.dataset),
    params: { devices: devicesOf(pairs), users: usersOf(pairs) },
    types: { devices: [deviceType], users: [userType] },
  });
  return z.array(boundRow).parse(rows);
}

async function insertPairs(pairs: readonly CarriedPair[], { options, steps }: TickContext): Promise<void> {
  const structs = pairs.map((pair) => ({
    ...structOf(pair),
    dialect: pair.dialect,
    event_id: pair.eventId,
    occurred_micros: pair.occurredMicros,
    received_micros: pair.receivedMicros,
    batch_id: pair.batchId,
    batch_index: pair.batchIndex,
    replaces: pair.replaces,
  }));
  const type = {
    ...pairType,
    ...{ dialect: 'STRING', event_id: 'STRING', occurred_micros: 'INT64', received_micros: 'INT64' },
    ...{ batch_id: 'STRING', batch_index: 'INT64', replaces: 'STRING' },
  };
  await steps.query({
    query: readSql('insert-pairs.sql', options.dataset),
    params: { pairs: structs, buckets: bucketsOf(pairs) },
    types: { pairs: [type], buckets: ['INT64'] },
  });
}

async function insertBindings(bound: readonly CarriedPair[], { options, steps }: TickContext): Promise<void> {
  if (bound.length === 0) return;
  const structs = bound.map((pair) => ({
    ...structOf(pair),
    occurred_micros: pair.occurredMicros,
    event_id: pair.eventId,
    policy: pair.policy,
    claim_order: pair.order,
    replaces: pair.replaces,
  }));
  const type = {
    ...pairType,
    ...{ occurred_micros: 'INT64', event_id: 'STRING', policy: 'STRING', claim_order: 'STRING' },
    ...{ replaces: 'STRING' },
  };
  await steps.query({
    query: readSql('insert-bindings.sql', options.dataset),
    params: { bindings: structs, buckets: bucketsOf(bound) },
    types: { bindings: [type], buckets: ['INT64'] },
  });
}

const deviceType = { project: 'STRING', anonymous_id: 'STRING' };
const userType = { project: 'STRING', user_key: 'STRING', user_id: 'STRING' };
const pairType = { bucket: 'INT64', ...userType, ...deviceType };
const structOf = ({ project, anonymousId, userKey, userId }: Claim) => ({
  bucket: bucketOf(project, anonymousId),
  project,
  user_key: userKey,
  user_id: userId,
  anonymous_id: anonymousId,
});

const bucketsOf = (pairs: readonly Claim[]): number[] => [
  ...new Set(pairs.map(({ project, anonymousId }) => bucketOf(project, anonymousId))),
];
/** Each once, since a JOIN would repeat what is found of them. */
const devicesOf = (pairs: readonly Claim[]) =>
  [...new Map(pairs.map((pair) => [deviceOf(pair), pair])).values()].map(({ project, anonymousId }) => ({
    project,
    anonymous_id: anonymousId,
  }));
const usersOf = (pairs: readonly Claim[]) =>
  [...new Map(pairs.map((pair) => [userOf(pair), pair])).values()].map(({ project, userKey, userId }) => ({
    project,
    user_key: userKey,
    user_id: userId,
  }));

const claimsOnUserRow = z
  .object({
    project: z.string(),
    user_key: z.string().nullable(),
    user_id: z.string().nullable(),
    found: z.int(),
    has_analysys: z.boolean(),
    occurred_micros: z.int(),
    received_micros: z.int(),
  })
  .transform(
    (row): ClaimsOnUser => ({
      project: row.project,
      userKey: row.user_key,
      userId: row.user_id,
      pairs: row.found,
      hasAnalysys: row.has_analysys,
      occurredMicros: row.occurred_micros,
      receivedMicros: row.received_micros,
    }),
  );

const boundRow = z
  .object({
    project: z.string(),
    anonymous_id: z.string(),
    user_key: z.string().nullable(),
    user_id: z.string(),
  })
  .transform(
    (row): Claim => ({
      project: row.project,
      anonymousId: row.anonymous_id,
      userKey: row.user_key,
      userId: row.user_id,
    }),
  );
