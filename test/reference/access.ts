/**
 * What a request to change access comes to, said anew from its documentation and without the planner: the proof judges
 * the planner and the applier by it. Only requests in the form of test/proofs/access/requests.ts are read.
 */

/** Roles by user, by account or property, as the Admin API names roles. */
export type Held = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export interface Organisation {
  /** The account of each property. */
  readonly accountOf: Readonly<Record<string, string>>;
  readonly accounts: readonly string[];
}

/** One line of a request: short role names, one place. */
export type Line =
  | {
      readonly op: 'grant' | 'set';
      readonly user: string;
      readonly roles: readonly string[];
      readonly on: string;
    }
  | { readonly op: 'revoke'; readonly user: string; readonly roles?: readonly string[]; readonly on: string }
  | { readonly op: 'revokeEverywhere'; readonly user: string };

export interface DesiredEntry {
  readonly on: string;
  readonly ownership: 'exclusive' | 'additive';
  readonly members: readonly { readonly user: string; readonly roles: readonly string[] }[];
}

export interface Body {
  readonly changes?: readonly Line[];
  readonly desired?: readonly DesiredEntry[];
  readonly shadowed: 'skip' | 'write';
  readonly atomicity: 'call' | 'account' | 'request';
}

const prefix = 'predefinedRoles/';
const ladder = ['viewer', 'analyst', 'editor', 'admin'].map((name) => prefix + name);
const restrictions = ['no-cost-data', 'no-revenue-data'].map((name) => prefix + name);

/**
 * A set of roles by what it lets somebody do: of viewer, analyst, editor and admin only the strongest says anything, the
 * others stand beside it.
 */
export function meaning(roles: readonly string[]): readonly string[] {
  const strongest = ladder.findLast((role) => roles.includes(role));
  const others = roles.filter((role) => !ladder.includes(role));
  return [...new Set([...(strongest === undefined ? [] : [strongest]), ...others])].sort();
}

/** How much roles let somebody do: 0 for nothing, 4 for an administrator. */
export const strengthOf = (roles: readonly string[]): number =>
  ladder.findLastIndex((role) => roles.includes(role)) + 1;

export const means = (one: readonly string[] | undefined, other: readonly string[] | undefined): boolean =>
  JSON.stringify(one && meaning(one)) === JSON.stringify(other && meaning(other));

/** The bindings after everything that is asked for. */
export function expectAccess(before: Held, { accounts, accountOf }: Organisation, body: Body): Held {
  const propertiesOf = (account: string) =>
    Object.keys(accountOf).filter((property) => accountOf[property] === account);
  const after: Record<string, Record<string, readonly string[]>> = {};
  for (const [parent, users] of Object.entries(before)) after[parent] = { ...users };
  const wanted = collectWanted(body, (on) => {
    const account = /^(accounts\/\d+)\/properties\/\*$/.exec(on)?.[1];
    if (account !== undefined) return propertiesOf(account);
    return on === '*' ? [...accounts, ...Object.keys(accountOf)] : [on];
  });
  // What a property inherits is what its account will give.
  const accountsFirst = [...wanted.keys()].sort((one, other) => one.localeCompare(other));
  for (const parent of accountsFirst) {
    const users = after[parent] ?? {};
    after[parent] = users;
    for (const [user, change] of wanted.get(parent) ?? []) {
      const had = users[user];
      const has = change(had);
      if (has === undefined) delete users[user];
      else if (had !== undefined || !isShadowed(has, after[accountOf[parent] ?? '']?.[user], body)) {
        users[user] = means(had, has) ? (had ?? has) : has;
      }
    }
    const owner = body.desired?.find(
      ({ on, ownership }) =>
        ownership === 'exclusive' &&
        (on === parent || (on.endsWith('/properties/*') && on.startsWith(`${accountOf[parent]}/`))),
    );
    if (owner === undefined) continue;
    for (const user of Object.keys(users)) {
      if (!owner.members.some((member) => member.user === user)) delete users[user];
    }
  }
  return after;
}

type Change = (had: readonly string[] | undefined) => readonly string[] | undefined;

function collectWanted(body: Body, placesOf: (on: string) => string[]): Map<string, Map<string, Change>> {
  const wanted = new Map<string, Map<string, Change>>();
  const want = (on: string, user: string | undefined, change: Change) => {
    for (const parent of placesOf(on)) {
      const users = wanted.get(parent) ?? new Map<string, Change>();
      wanted.set(parent, users);
      if (user === undefined) continue;
      const earlier = users.get(user);
      users.set(user, earlier === undefined ? change : (had) => change(earlier(had)));
    }
  };
  for (const line of body.changes ?? []) {
    if (line.op === 'revokeEverywhere') want('*', line.user, () => undefined);
    else want(line.on, line.user, changeOf(line));
  }
  for (const { on, members } of body.desired ?? []) {
    // Even where nobody is a member: then nobody is.
    want(on, undefined, (had) => had);
    for (const { user, roles } of members) want(on, user, changeOf({ op: 'set', user, roles, on }));
  }
  return wanted;
}

function changeOf(line: Exclude<Line, { op: 'revokeEverywhere' }>): Change {
  const roles = line.roles?.map((role) => prefix + role);
  switch (line.op) {
    case 'grant':
      return (had = []) => meaning([...had, ...(roles ?? [])]);
    case 'set':
      // Whatever has no name here can be given by nobody, so that it stays.
      return (had = []) => meaning([...(roles ?? []), ...had.filter((role) => !isNamed(role))]);
    case 'revoke':
      return (had) => {
        const left = roles === undefined ? [] : (had ?? []).filter((role) => !roles.includes(role));
        return left.length === 0 ? undefined : meaning(left);
      };
  }
}

/** A new binding of a property that gives no more than that of the account. */
function isShadowed(
  wanted: readonly string[],
  inherited: readonly string[] | undefined,
  { shadowed }: Body,
): boolean {
  if (inherited === undefined || shadowed === 'write') return false;
  return (
    strengthOf(inherited) >= strengthOf(wanted) &&
    wanted.every((role) => ladder.includes(role) || inherited.includes(role))
  );
}

const isNamed = (role: string): boolean => ladder.includes(role) || restrictions.includes(role);
