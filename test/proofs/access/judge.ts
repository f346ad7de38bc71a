import type { Plan } from '../../../functions/permissions/access-plan.ts';
import type { AccountOutcome, Outcome } from '../../../functions/permissions/outcome.ts';
import { type Held, means, type Organisation } from '../../reference/access.ts';

type Roles = readonly string[] | undefined;

/** A binding by its parent and user. */
export type Key = string;
export const keyOf = (parent: string, user: string): Key => `${parent} ${user}`;

export interface Facts {
  readonly organisation: Organisation;
  readonly before: Held;
  /** What the request comes to, by the reference. */
  readonly expected: Held;
  /** What the API holds at the end. */
  readonly actual: Held;
  readonly outcome: Outcome;
  readonly plan: Plan;
  /** What somebody else has changed meanwhile, with the roles that he gave last. */
  readonly outside: ReadonlyMap<Key, Roles>;
}

/** Whether the report is true; each sentence is a lie that was found in it. */
export function judgeOutcome(facts: Facts): string[] {
  const { organisation, outcome, plan } = facts;
  const lies = organisation.accounts.flatMap((account) => judgeAccount(account, facts));
  return [...lies, ...judgeKind(outcome, plan)];
}

function judgeAccount(account: string, facts: Facts): string[] {
  const reported = facts.outcome.accounts.find((one) => one.account === account);
  const places = placesOf(account, facts);
  switch (reported?.kind) {
    case undefined:
      return shouldBe(places, facts, facts.before, `${account} is not in the report`);
    case 'committed':
      return shouldBe(places, facts, facts.expected, `${account} is committed`);
    case 'rolled_back':
      return shouldBe(places, facts, facts.before, `${account} is rolled back`);
    case 'rollback_incomplete':
      return judgeIncomplete(places, facts, reported);
    case 'partly_committed':
      return judgePart(places, facts, reported);
  }
}

interface Place {
  readonly parent: string;
  readonly user: string;
}

function placesOf(account: string, { organisation, before, expected, actual }: Facts): Place[] {
  const parents = [
    account,
    ...Object.keys(organisation.accountOf).filter((it) => organisation.accountOf[it] === account),
  ];
  return parents.flatMap((parent) => {
    const users = [before, expected, actual].flatMap((held) => Object.keys(held[parent] ?? {}));
    return [...new Set(users)].map((user) => ({ parent, user }));
  });
}

function shouldBe(places: readonly Place[], { actual, outside }: Facts, wanted: Held, why: string): string[] {
  return places.flatMap(({ parent, user }) => {
    const [is, should] = [actual[parent]?.[user], wanted[parent]?.[user]];
    const key = keyOf(parent, user);
    if (means(is, should) || (outside.has(key) && means(is, outside.get(key)))) return [];
    return [`${why}, but ${key} is ${show(is)} and should be ${show(should)}`];
  });
}

/** The differences that are told must be those that there are, as they are. */
function judgeIncomplete(places: readonly Place[], facts: Facts, reported: AccountOutcome): string[] {
  const { before, expected, actual, outside } = facts;
  const told = new Map(reported.differences.map((it) => [keyOf(it.parent, it.user), it]));
  const lies = places.flatMap(({ parent, user }): string[] => {
    const key = keyOf(parent, user);
    const [is, was] = [actual[parent]?.[user], before[parent]?.[user]];
    const difference = told.get(key);
    told.delete(key);
    // What somebody else did to a binding that the request is not about is no business of the report's.
    const isOurs = !means(was, expected[parent]?.[user]);
    if (difference === undefined) {
      if (means(is, was) || (outside.has(key) && (!isOurs || means(is, outside.get(key))))) return [];
      return [`${key} is ${show(is)}, was ${show(was)}, and is not among the differences`];
    }
    const says = long(difference.is);
    if (!means(says, is) && !outside.has(key))
      return [`${key} is told to be ${show(says)} and is ${show(is)}`];
    if (!means(long(difference.shouldBe), was)) return [`${key} was ${show(was)}, which is not what is told`];
    return means(is, was) && !outside.has(key) ? [`${key} is told to differ and does not`] : [];
  });
  return [...lies, ...[...told.keys()].map((key) => `${key} is told to differ and there is no such binding`)];
}

/** Where calls stand by themselves: what is not as planned must be told, by a line that failed or a step not tried. */
function judgePart(places: readonly Place[], facts: Facts, reported: AccountOutcome): string[] {
  const { before, expected, actual, plan, outside } = facts;
  const notTried = plan.steps
    .filter(({ index }) => reported.notTried.includes(index))
    .flatMap(({ parent, changes }) => changes.map(({ user }) => keyOf(parent, user)));
  const failed = reported.failures.flatMap(({ parent, lines }) =>
    lines.map(({ user, state }) => ({ key: keyOf(parent, user), state })),
  );
  const told = new Set([...notTried, ...failed.map(({ key }) => key)]);
  return places.flatMap(({ parent, user }) => {
    const key = keyOf(parent, user);
    const [is, was, should] = [actual[parent]?.[user], before[parent]?.[user], expected[parent]?.[user]];
    if (outside.has(key)) return [];
    if (!told.has(key)) {
      return means(is, should)
        ? []
        : [`${key} is ${show(is)}, should be ${show(should)}, and nothing tells of it`];
    }
    if (means(is, was)) return [];
    return [`${key} is told not to be done, and is ${show(is)} where it was ${show(was)}`];
  });
}

function judgeKind({ kind, accounts }: Outcome, { atomicity }: Plan): string[] {
  const kinds = accounts.map((one) => one.kind);
  const all = (wanted: string) => kinds.every((one) => one === wanted);
  if (kind === 'committed' && !all('committed')) return ['all is told to be committed, and not all is'];
  if (kind === 'rolled_back' && !all('rolled_back')) return ['all is told to be rolled back, and not all is'];
  if (atomicity !== 'call' && kinds.includes('partly_committed')) {
    return ['an account is partly committed that stands or falls as a whole'];
  }
  const isMixed = kinds.includes('committed') && !all('committed');
  return atomicity === 'request' && isMixed ? ['some accounts are committed of a request that is one'] : [];
}

const long = (roles: readonly string[] | null): Roles =>
  roles?.map((role) => (role.includes('/') ? role : `predefinedRoles/${role}`));

const show = (roles: Roles): string =>
  roles === undefined ? 'none' : roles.map((role) => role.replace('predefinedRoles/', '')).join('+');
