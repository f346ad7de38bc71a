import type { Seed } from '../../../local/admin/index.ts';
import type { Body, Held, Line, Organisation } from '../../reference/access.ts';

/** The account that the function calls Google as: administrator of every account. */
export const identity = 'function@local.iam.gserviceaccount.com';
/** Who asks. */
export const caller = 'operator@example.com';
/** Who has no Google account, so that every batch with this address is refused. */
export const stranger = 'stranger@example.com';

export interface Case {
  readonly seed: Seed;
  readonly organisation: Organisation;
  readonly before: Held;
  readonly body: Body;
}

/** The same with a line that Google refuses, so that what is done before it is to be brought back. */
export function poison(drawn: Case): Case {
  const { accountOf } = drawn.organisation;
  // One of the last to be called.
  const on = Object.keys(accountOf).findLast((property) => accountOf[property] === 'accounts/1');
  if (drawn.body.changes === undefined || on === undefined) return drawn;
  const lines = drawn.body.changes.filter(({ user }) => user !== stranger);
  const changes: Line[] = [...lines, { op: 'grant', user: stranger, roles: ['viewer'], on }];
  return { ...drawn, body: { ...drawn.body, changes, atomicity: 'account' } };
}

type Random = () => number;
const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
const upTo = (random: Random, most: number): number => Math.floor(random() * (most + 1));

const others = ['ann', 'bob', 'cid', 'dee', 'eva', 'fay', 'gus', 'hal'].map((name) => `${name}@example.com`);
/** Who asks and who calls Google are asked about too, which the guards must see. */
const people = [...others, ...others, caller, identity];
const mains = ['viewer', 'analyst', 'editor', 'admin'];

/** A random organisation of one to three accounts, and a random request on it. */
export function drawCase(random: Random): Case {
  const accounts = Array.from({ length: 1 + upTo(random, 2) }, (_, index) => `${index + 1}`);
  const accountOf: Record<string, string> = {};
  const before: Record<string, Record<string, string[]>> = {};
  for (const account of accounts) {
    before[`accounts/${account}`] = { [identity]: ['predefinedRoles/admin'], ...drawHeld(random, 4) };
    for (let index = 1; index <= 1 + upTo(random, 3); index++) {
      const property = `properties/${account}${index}`;
      accountOf[property] = `accounts/${account}`;
      const held = drawHeld(random, 6);
      if (Object.keys(held).length > 0) before[property] = held;
    }
  }
  const organisation = { accounts: accounts.map((id) => `accounts/${id}`), accountOf };
  return drawNext(random, organisation, before);
}

/** A random request on an organisation as it is. */
export function drawNext(random: Random, organisation: Organisation, before: Held): Case {
  return { seed: seedOf(organisation, before), organisation, before, body: drawBody(random, organisation) };
}

function drawHeld(random: Random, most: number): Record<string, string[]> {
  const held: Record<string, string[]> = {};
  for (let count = upTo(random, most); count > 0; count--) {
    const roles = random() < 0.9 ? drawRoles(random) : [];
    // Google's user interface has a role that the API does not document.
    if (roles.length === 0 || random() < 0.1) roles.push('marketer');
    held[pick(random, [...others, caller])] = roles.map((role) => `predefinedRoles/${role}`).sort();
  }
  return held;
}

function drawRoles(random: Random): string[] {
  const roles = [pick(random, mains)];
  if (random() < 0.2) roles.push(pick(random, ['no-cost-data', 'no-revenue-data']));
  return roles;
}

function drawBody(random: Random, organisation: Organisation): Body {
  const places = [
    ...organisation.accounts,
    ...Object.keys(organisation.accountOf),
    ...organisation.accounts.map((account) => `${account}/properties/*`),
  ];
  const options = {
    shadowed: pick(random, ['skip', 'write'] as const),
    atomicity: pick(random, ['account', 'account', 'request', 'call'] as const),
  };
  const whom = () => (random() < 0.04 ? stranger : pick(random, people));
  if (random() < 0.3) {
    const members = Array.from({ length: upTo(random, 4) }, () => ({
      user: whom(),
      roles: drawRoles(random),
    }));
    const unique = [...new Map(members.map((member) => [member.user, member])).values()];
    const ownership = pick(random, ['exclusive', 'additive'] as const);
    const on = pick(random, places);
    // Who calls Google stays an administrator, or the guards refuse.
    const kept = organisation.accounts.includes(on) ? [{ user: identity, roles: ['admin'] }] : [];
    const rest = unique.filter(({ user }) => kept.every((one) => one.user !== user));
    return { desired: [{ on, ownership, members: [...kept, ...rest] }], ...options };
  }
  const lines = Array.from({ length: 2 + upTo(random, 8) }, () =>
    drawLine(random, whom(), pick(random, places)),
  );
  // Two lines for one user contradict each other as often as not, which is refused: one of each is kept.
  return { changes: [...new Map(lines.map((line) => [line.user, line])).values()], ...options };
}

function drawLine(random: Random, user: string, on: string): Line {
  const chance = random();
  if (chance < 0.45) return { op: 'grant', user, roles: drawRoles(random), on };
  if (chance < 0.7) return { op: 'set', user, roles: drawRoles(random), on };
  if (chance < 0.8) return { op: 'revoke', user, roles: drawRoles(random), on };
  if (chance < 0.93) return { op: 'revoke', user, on };
  return { op: 'revokeEverywhere', user };
}

function seedOf({ accounts, accountOf }: Organisation, before: Held): Seed {
  const bindings = (parent: string) =>
    Object.entries(before[parent] ?? {}).map(([user, roles]) => ({ user, roles: [...roles] }));
  return {
    caller: identity,
    users: { refused: [stranger] },
    accounts: accounts.map((account) => ({
      id: account.slice('accounts/'.length),
      displayName: account,
      bindings: bindings(account),
      properties: Object.keys(accountOf)
        .filter((property) => accountOf[property] === account)
        .map((property) => ({
          id: property.slice('properties/'.length),
          displayName: property,
          bindings: bindings(property),
        })),
    })),
  };
}
