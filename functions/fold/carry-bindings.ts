import {
  type ClaimedPair,
  type ClaimOrder,
  claimedAt,
  compareClaims,
  deviceOf,
  pairOf,
  userOf,
} from './claimed-pair.ts';
import type { Claim } from './match-claims.ts';
import type { ProjectPolicy } from './policies.ts';

/** What is known of what the new pairs are about; of other devices, users and projects more may be known. */
export interface KnownClaims {
  /** All pairs of the devices. */
  readonly ofDevices: readonly ClaimedPair[];
  /** The last times of the pairs of each user that is in any, and of each project that has any pair. */
  readonly ofUsers: readonly ClaimsOnUser[];
}

export interface ClaimsOnUser {
  readonly project: string;
  readonly userKey: string | null;
  /** Null for the pairs of a project's other users. */
  readonly userId: string | null;
  /** How many it is in. */
  readonly pairs: number;
  readonly hasAnalysys: boolean;
  /** The greatest of any of the pairs, in microseconds since 1970. */
  readonly occurredMicros: number;
  readonly receivedMicros: number;
}

export type Policy = NonNullable<ProjectPolicy['policy']>;

/** A new pair that changes no decision that was made. */
export interface CarriedPair extends ClaimedPair {
  readonly policy: Policy;
  readonly order: ClaimOrder;
  /** Whether its device or its user may be bound already. */
  readonly isContested: boolean;
  /** The event_id of the claim of this very pair that it takes the place of; null for a new pair. */
  readonly replaces: string | null;
}

/** A claim that comes before the first one that is known of its pair. */
export interface EarlierClaim {
  readonly pair: ClaimedPair;
  readonly known: ClaimedPair;
}

/**
 * The pairs of claims that came in that are not known, and the earlier claims of those that are; or `undecided` where a
 * known pair gets its first claim of Analysys, which may change what was decided.
 */
export function findNewPairs(
  arrived: readonly ClaimedPair[],
  known: readonly ClaimedPair[],
  policies: readonly ProjectPolicy[],
): { readonly fresh: readonly ClaimedPair[]; readonly earlier: readonly EarlierClaim[] } | 'undecided' {
  const knownByPair = new Map(known.map((pair) => [pairOf(pair), pair]));
  const orderOf = ordersOf(policies);
  const fresh: ClaimedPair[] = [];
  const earlier: EarlierClaim[] = [];
  for (const pair of arrived) {
    const before = knownByPair.get(pairOf(pair));
    if (before === undefined) fresh.push(pair);
    else if (pair.dialect === 'analysys' && before.dialect !== 'analysys') return 'undecided';
    else if (compareClaims(pair, before, orderOf(pair.project)) < 0) earlier.push({ pair, known: before });
  }
  return { fresh, earlier };
}

/**
 * The pairs of earlier claims, where no known pair shares their device or, where that counts, their user; else `undecided`.
 * Then they are bound, and stay so: only since when changes.
 */
export function arrangeEarlierClaims(
  earlier: readonly EarlierClaim[],
  known: KnownClaims,
  policies: readonly ProjectPolicy[],
): readonly CarriedPair[] | 'undecided' {
  const orderOf = ordersOf(policies);
  const pairs = earlier.map(({ pair }) => pair);
  const policyOf = findPolicies(pairs, known, policies);
  const pairsOfDevice = Map.groupBy(known.ofDevices, deviceOf);
  const claimsOnUser = claimsByUser(known);
  const carried: CarriedPair[] = [];
  for (const { pair, known: before } of earlier) {
    const policy = policyOf(pair.project);
    if (policy === undefined || pairsOfDevice.get(deviceOf(pair))?.length !== 1) return 'undecided';
    if (policy === 'one_to_one' && claimsOnUser.get(userOf(pair))?.pairs !== 1) return 'undecided';
    carried.push({
      ...pair,
      dialect: before.dialect,
      policy,
      order: orderOf(pair.project),
      isContested: false,
      replaces: before.eventId,
    });
  }
  return carried;
}

/**
 * New pairs in the order in which they are decided, where none of them can change what was decided; else `undecided`.
 *
 * A decision depends on the claims before it that share its device or its user. So none that was made changes where each
 * new pair comes after all known ones of its device and its user, whatever else is known; and the new pairs themselves are
 * decided by what is bound and by the new ones before them.
 */
export function arrangeNewPairs(
  fresh: readonly ClaimedPair[],
  known: KnownClaims,
  policies: readonly ProjectPolicy[],
): readonly CarriedPair[] | 'undecided' {
  const orderOf = ordersOf(policies);
  const policyOf = findPolicies(fresh, known, policies);
  const pairsOfDevice = Map.groupBy(known.ofDevices, deviceOf);
  const claimsOnUser = claimsByUser(known);
  const carried: CarriedPair[] = [];
  for (const pair of fresh) {
    const policy = policyOf(pair.project);
    if (policy === undefined) return 'undecided';
    const order = orderOf(pair.project);
    const ofUser = policy === 'one_to_one' ? claimsOnUser.get(userOf(pair)) : undefined;
    const rivals = [...(pairsOfDevice.get(deviceOf(pair)) ?? []), ...(ofUser === undefined ? [] : [ofUser])];
    if (rivals.some((rival) => claimedAt(rival, order) >= claimedAt(pair, order))) return 'undecided';
    carried.push({ ...pair, policy, order, isContested: rivals.length > 0, replaces: null });
  }
  // One project after the other: two of different projects have no order of their own.
  return [...Map.groupBy(carried, ({ project }) => project).values()].flatMap((pairs) =>
    pairs.toSorted((left, right) => compareClaims(left, right, left.order)),
  );
}

/** Those of new pairs that bind. `bound`: the bindings of the devices and of the users of the contested ones, or more. */
export function bindNewPairs(fresh: readonly CarriedPair[], bound: readonly Claim[]): CarriedPair[] {
  const devices = new Set(bound.map(deviceOf));
  const users = new Set(bound.map(userOf));
  return fresh.filter((pair) => {
    const [device, user] = [deviceOf(pair), userOf(pair)];
    if (devices.has(device) || (pair.policy === 'one_to_one' && users.has(user))) return false;
    devices.add(device);
    users.add(user);
    return true;
  });
}

const claimsByUser = ({ ofUsers }: KnownClaims): ReadonlyMap<string, ClaimsOnUser> =>
  new Map(
    ofUsers.flatMap((claims) =>
      claims.userId === null ? [] : [[userOf({ ...claims, userId: claims.userId }), claims]],
    ),
  );

const ordersOf = (policies: readonly ProjectPolicy[]) => {
  const orders = new Map(policies.map(({ project, order }) => [project, order]));
  return (project: string): ClaimOrder => orders.get(project) ?? 'occurred_at';
};

/** By project, as ruled-pairs.sql has them; undefined where the new pairs make it another one than before. */
function findPolicies(
  fresh: readonly ClaimedPair[],
  { ofUsers }: KnownClaims,
  policies: readonly ProjectPolicy[],
): (project: string) => Policy | undefined {
  const given = new Map(policies.map(({ project, policy }) => [project, policy]));
  const isOfAnalysys = ({ dialect }: ClaimedPair) => dialect === 'analysys';
  const found = new Map<string, Policy | undefined>();
  for (const [project, pairs] of Map.groupBy(fresh, (pair) => pair.project)) {
    const known = ofUsers.filter((claims) => claims.project === project);
    const before = known.some(({ hasAnalysys }) => hasAnalysys);
    const after = before || pairs.some(isOfAnalysys);
    const byDefault = after ? 'one_to_one' : 'devices_to_one_user';
    const changes = known.length > 0 && before !== after;
    found.set(project, given.get(project) ?? (changes ? undefined : byDefault));
  }
  return (project) => found.get(project);
}
