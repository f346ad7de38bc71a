import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AliasRow, bind } from '../../test/reference/bind.ts';
import {
  arrangeEarlierClaims,
  arrangeNewPairs,
  bindNewPairs,
  type CarriedPair,
  type ClaimsOnUser,
  findNewPairs,
} from './carry-bindings.ts';
import { type ClaimedPair, claimedAt, compareClaims, deviceOf, pairOf, userOf } from './claimed-pair.ts';
import type { Claim } from './match-claims.ts';
import type { ProjectPolicy } from './policies.ts';

const policies: ProjectPolicy[] = [
  { project: 'one', policy: 'one_to_one', order: 'occurred_at', voided: [] },
  { project: 'one received', policy: 'one_to_one', order: 'received_at', voided: [] },
  { project: 'many', policy: 'devices_to_one_user', order: 'received_at', voided: [] },
];
const projects = ['one', 'one received', 'many', 'default', 'default analysys'];
const orderOf = (project: string) =>
  policies.find((policy) => policy.project === project)?.order ?? 'occurred_at';

/** Ticks of aliases: mostly as time goes, on a few ids, some of them late and some sent again. */
const ticks = fc.array(
  fc.array(
    fc.record({
      project: fc.constantFrom(...projects),
      isAnalysys: fc.integer({ min: 0, max: 20 }),
      device: fc.integer({ min: 0, max: 4 }),
      user: fc.integer({ min: 0, max: 4 }),
      user_key: fc.constantFrom(null, null, 'email'),
      late: fc.integer({ min: 0, max: 15 }),
      again: fc.integer({ min: 0, max: 8 }),
      id: fc.string({ unit: fc.constantFrom('0', '1', 'a'), minLength: 1, maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  { minLength: 6, maxLength: 20 },
);

describe('bindings that are carried on', () => {
  test('are those that the reference finds in all claims, after every tick', () => {
    const taken = { carried: 0, contested: 0, bound: 0, undecided: 0, moved: 0 };
    fc.assert(
      fc.property(ticks, (stream) => {
        const rows: AliasRow[] = [];
        let known = new Map<string, ClaimedPair>();
        let bindings: Claim[] = [];
        for (const [tick, claims] of stream.entries()) {
          const arrived: AliasRow[] = [];
          for (const [place, claim] of claims.entries()) {
            const old = claim.again === 0 ? rows[claim.device % Math.max(1, rows.length)] : undefined;
            arrived.push(old ?? rowOf(claim, tick * 10 + place));
          }
          rows.push(...arrived);
          const pairs = firstOf(arrived);
          const found = findNewPairs(pairs, [...known.values()], policies);
          const [fresh, earlier] = found === 'undecided' ? [[], []] : [found.fresh, found.earlier];
          const facts = lookUp([...fresh, ...earlier.map(({ pair }) => pair)], known);
          const arranged = found === 'undecided' ? found : arrangeNewPairs(fresh, facts, policies);
          const moved = found === 'undecided' ? found : arrangeEarlierClaims(earlier, facts, policies);
          if (arranged === 'undecided' || moved === 'undecided') taken.undecided++;
          else {
            taken.moved += moved.length;
            // What is written, besides whose the devices are.
            for (const pair of moved) {
              expect(known.get(pairOf(pair))?.eventId).toBe(pair.replaces);
              const [first] = firstOf(rows).filter((one) => pairOf(one) === pairOf(pair));
              expect(pair).toMatchObject({ ...first });
              expect(textsOf(bindings)).toContain(textsOf([pair])[0]);
            }
            const more = bindNewPairs(arranged, boundOf(arranged, bindings));
            taken.carried += arranged.length;
            taken.contested += arranged.filter(({ isContested }) => isContested).length;
            taken.bound += more.length;
            bindings = [...bindings, ...more];
            expect(textsOf(bindings)).toEqual(textsOf(expected(rows)));
            for (const pair of more) expect(policyOf(rows, pair.project)).toBe(pair.policy);
          }
          known = new Map(firstOf(rows).map((pair) => [pairOf(pair), pair]));
          bindings = expected(rows);
        }
      }),
      { numRuns: 500 },
    );
    // It is no proof of what was never done.
    expect(taken.carried).toBeGreaterThan(taken.undecided);
    expect(taken.contested).toBeGreaterThan(500);
    expect(taken.bound).toBeGreaterThan(500);
    expect(taken.undecided).toBeGreaterThan(200);
    expect(taken.moved).toBeGreaterThan(5);
  });
});

function rowOf(
  claim: {
    project: string;
    isAnalysys: number;
    device: number;
    user: number;
    user_key: string | null;
    late: number;
    id: string;
  },
  now: number,
): AliasRow {
  // Some late on one measure or on both, many of them to the time of another.
  const { late } = claim;
  const occurred = now - (late < 6 ? late * 7 : late === 9 ? 10 : 0);
  const received = now - (late < 6 || late > 9 ? 0 : late === 9 ? 25 : 10);
  return {
    project: claim.project,
    dialect: claim.project === 'default analysys' || claim.isAnalysys === 0 ? 'analysys' : 'segment',
    kind: 'alias',
    anonymous_id: `d${claim.device}`,
    user_key: claim.user_key,
    user_id: `u${claim.user}`,
    debug: 0,
    event_id: `${claim.id}${now}`,
    occurred_at: occurred,
    received_at: received,
    batch_id: claim.id,
    batch_index: claim.user,
  };
}

/** The first claim of each pair, as arrived-pairs.sql and identity_pairs have it. */
function firstOf(rows: readonly AliasRow[]): ClaimedPair[] {
  const pairs = rows.map((row) => ({
    project: row.project,
    anonymousId: row.anonymous_id ?? '',
    userKey: row.user_key,
    userId: row.user_id ?? '',
    dialect: row.dialect,
    eventId: row.event_id,
    occurredMicros: row.occurred_at,
    receivedMicros: row.received_at,
    batchId: row.batch_id,
    batchIndex: row.batch_index,
  }));
  return [...Map.groupBy(pairs, pairOf).values()].map((same) => {
    const [first] = same.toSorted((left, right) => compareClaims(left, right, orderOf(left.project)));
    const isOfAnalysys = same.some(({ dialect }) => dialect === 'analysys');
    return { ...first!, dialect: isOfAnalysys ? 'analysys' : first!.dialect };
  });
}

/** What the queries answer of new pairs. */
function lookUp(fresh: readonly ClaimedPair[], known: ReadonlyMap<string, ClaimedPair>) {
  const devices = new Set(fresh.map(deviceOf));
  const users = new Set(fresh.map(userOf));
  const inProjects = new Set(fresh.map(({ project }) => project));
  const all = [...known.values()].filter(({ project }) => inProjects.has(project));
  const groups = Map.groupBy(all, (pair) => (users.has(userOf(pair)) ? userOf(pair) : pair.project));
  const ofUsers = [...groups.values()].map((pairs): ClaimsOnUser => {
    const [{ project, userKey, userId }] = pairs as [ClaimedPair];
    const isNamed = users.has(userOf(pairs[0]!));
    return {
      project,
      userKey: isNamed ? userKey : null,
      userId: isNamed ? userId : null,
      pairs: pairs.length,
      hasAnalysys: pairs.some(({ dialect }) => dialect === 'analysys'),
      occurredMicros: Math.max(...pairs.map((pair) => claimedAt(pair, 'occurred_at'))),
      receivedMicros: Math.max(...pairs.map((pair) => claimedAt(pair, 'received_at'))),
    };
  });
  return { ofDevices: all.filter((pair) => devices.has(deviceOf(pair))), ofUsers };
}

function boundOf(fresh: readonly CarriedPair[], bindings: readonly Claim[]): Claim[] {
  const contested = fresh.filter(({ isContested }) => isContested);
  const ids = new Set(contested.flatMap((pair) => [deviceOf(pair), userOf(pair)]));
  return bindings.filter((bound) => ids.has(deviceOf(bound)) || ids.has(userOf(bound)));
}

const rulesOf = (project: string) => {
  const given = policies.find((policy) => policy.project === project);
  return { policy: given?.policy, order: given?.order };
};
const expected = (rows: readonly AliasRow[]): Claim[] =>
  bind(rows, rulesOf).map(({ project, anonymous_id, user_key, user_id }) => ({
    project,
    anonymousId: anonymous_id,
    userKey: user_key,
    userId: user_id,
  }));
const textsOf = (claims: readonly Claim[]): string[] => claims.map(pairOf).sort();
const policyOf = (rows: readonly AliasRow[], project: string) =>
  rulesOf(project).policy ??
  (rows.some((row) => row.project === project && row.dialect === 'analysys')
    ? 'one_to_one'
    : 'devices_to_one_user');
