import type { GuardRefusal, PlanLine } from './access-plan.ts';
import { type AccountName, accountOf, type LiveState, type ParentName, propertiesOf } from './live-state.ts';
import { covers, isAdmin, type MainRole, mainOf, type Roles, rankOf, restrictionsOf } from './roles.ts';

/** What no plan may do. */
export interface GuardRules {
  /** Administrators that an account must keep, at least 1; those of a property count its account's too. */
  readonly minimumAdministrators: number;
  /** Who must stay administrator of every account that is touched. */
  readonly requiredAdministrators: readonly string[];
  /** The largest share of an account's bindings that may go, 0 to 1. */
  readonly maximumShareOfRemovals: number;
  /** Below so many bindings the share is not asked. */
  readonly minimumExisting: number;
  /** Whose access never becomes less: the account that the function calls Google as, and who calls the function. */
  readonly self: readonly string[];
  /** The accounts that the caller may change; undefined for all. */
  readonly accounts: readonly AccountName[] | undefined;
  /** The strongest role of a binding that the caller may change. */
  readonly strongestRole: MainRole;
}

/** Judges the state that the lines of a plan lead to. `lines` holds every binding that changes. */
export function judgeGuards(lines: readonly PlanLine[], live: LiveState, rules: GuardRules): GuardRefusal[] {
  const changed = lines.filter(({ outcome }) => outcome !== 'unchanged' && outcome !== 'shadowed');
  const future = createFuture(changed, live);
  const byAccount = Map.groupBy(changed, ({ account }) => account);
  return [
    ...[...byAccount].flatMap(([account, ofAccount]) => [
      ...judgeCaller(account, ofAccount, rules),
      ...judgeAdministrators(account, ofAccount, live, future, rules),
      ...judgeRequired(account, live, future, rules),
      ...judgeShare(account, ofAccount, live, rules),
    ]),
    ...judgeSelf(changed, live, future, rules),
  ];
}

interface Future {
  rolesOf(parent: ParentName, user: string): Roles | undefined;
  /** Who administers the parent by its own bindings. */
  adminsOf(parent: ParentName): Set<string>;
}

function createFuture(changed: readonly PlanLine[], live: LiveState): Future {
  const after = new Map<ParentName, Map<string, Roles | null>>();
  for (const { parent, user, after: roles } of changed) {
    const users = after.get(parent) ?? new Map<string, Roles | null>();
    after.set(parent, users.set(user, roles));
  }
  return {
    rolesOf(parent, user) {
      const planned = after.get(parent)?.get(user);
      return planned === undefined ? live.bindings.get(parent)?.get(user)?.roles : (planned ?? undefined);
    },
    adminsOf(parent) {
      const admins = adminsNow(parent, live);
      for (const [user, roles] of after.get(parent) ?? []) {
        if (isAdmin(roles ?? undefined)) admins.add(user);
        else admins.delete(user);
      }
      return admins;
    },
  };
}

function adminsNow(parent: ParentName, live: LiveState): Set<string> {
  const bindings = [...(live.bindings.get(parent) ?? [])];
  return new Set(bindings.flatMap(([user, { roles }]) => (isAdmin(roles) ? [user] : [])));
}

function judgeCaller(account: AccountName, lines: readonly PlanLine[], rules: GuardRules): GuardRefusal[] {
  if (rules.accounts !== undefined && !rules.accounts.includes(account)) {
    const reason = `you may not change who has access to ${account}`;
    return [{ guard: 'caller_policy', parent: account, users: [], reason }];
  }
  const above = lines.filter(({ before }) => rankOf(before ?? []) > rankOf([rules.strongestRole]));
  return above.map(({ parent, user, before }) => ({
    guard: 'caller_policy',
    parent,
    users: [user],
    reason: `${user} is ${mainOf(before ?? [])} of ${parent}, and you may change nobody above ${rules.strongestRole}`,
  }));
}

function judgeAdministrators(
  account: AccountName,
  lines: readonly PlanLine[],
  live: LiveState,
  future: Future,
  { minimumAdministrators }: GuardRules,
): GuardRefusal[] {
  const ofAccount = { before: adminsNow(account, live), after: future.adminsOf(account) };
  const parents = new Set(lines.map(({ parent }) => parent));
  // The properties of an account that loses administrators lose them too.
  if ([...ofAccount.before].some((user) => !ofAccount.after.has(user))) {
    for (const property of propertiesOf(account, live))
      if (live.bindings.has(property)) parents.add(property);
  }
  return [...parents].flatMap((parent) => {
    const before =
      parent === account ? ofAccount.before : new Set([...ofAccount.before, ...adminsNow(parent, live)]);
    const after =
      parent === account ? ofAccount.after : new Set([...ofAccount.after, ...future.adminsOf(parent)]);
    const least = parent === account ? minimumAdministrators : 1;
    if (after.size >= least || after.size >= before.size) return [];
    const lost = [...before].filter((user) => !after.has(user));
    const reason = `${parent} would keep ${after.size} of ${before.size} administrators; at least ${least} must stay`;
    return [{ guard: 'last_administrator' as const, parent, users: lost, reason }];
  });
}

function judgeRequired(
  account: AccountName,
  live: LiveState,
  future: Future,
  { requiredAdministrators }: GuardRules,
): GuardRefusal[] {
  const [before, after] = [adminsNow(account, live), future.adminsOf(account)];
  return requiredAdministrators.flatMap((user) =>
    before.has(user) && !after.has(user)
      ? [
          {
            guard: 'required_administrator' as const,
            parent: account,
            users: [user],
            reason: `${user} must stay an administrator of ${account}`,
          },
        ]
      : [],
  );
}

function judgeShare(
  account: AccountName,
  lines: readonly PlanLine[],
  live: LiveState,
  { maximumShareOfRemovals, minimumExisting }: GuardRules,
): GuardRefusal[] {
  let existing = 0;
  for (const [parent, bindings] of live.bindings) {
    if (accountOf(parent, live) === account) existing += bindings.size;
  }
  const removed = lines.filter(({ outcome }) => outcome === 'delete');
  if (existing < minimumExisting || removed.length <= existing * maximumShareOfRemovals) return [];
  const percent = (share: number) => `${Math.round(share * 100)}%`;
  return [
    {
      guard: 'share_of_removals',
      parent: account,
      users: [...new Set(removed.map(({ user }) => user))].slice(0, 20),
      reason: `${removed.length} of ${existing} bindings of ${account} would go, ${percent(removed.length / existing)}; at most ${percent(maximumShareOfRemovals)} may, unless guards.maximumShareOfRemovals of the request says more`,
    },
  ];
}

function judgeSelf(
  changed: readonly PlanLine[],
  live: LiveState,
  future: Future,
  { self }: GuardRules,
): GuardRefusal[] {
  return changed.flatMap(({ parent, account, user }) => {
    if (!self.includes(user)) return [];
    const inherited = (roles: Roles | undefined) => (parent === account ? [] : (roles ?? []));
    const before = [
      ...(live.bindings.get(parent)?.get(user)?.roles ?? []),
      ...inherited(live.bindings.get(account)?.get(user)?.roles),
    ];
    const after = [...(future.rolesOf(parent, user) ?? []), ...inherited(future.rolesOf(account, user))];
    const isLess = !covers(
      after,
      before.filter((role) => !restrictionsOf(before).includes(role)),
    );
    const isRestricted = restrictionsOf(after).some((role) => !before.includes(role));
    if (!isLess && !isRestricted) return [];
    const reason = `${user}, who makes this change, would lose access to ${parent}; ask somebody else to make it`;
    return [{ guard: 'self' as const, parent, users: [user], reason }];
  });
}
