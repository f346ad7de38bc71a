import { type AdminApi, listOrganisation } from './admin-api.ts';
import { type AccountName, isAccount, type ParentName, propertiesOf } from './live-state.ts';
import { listAll } from './read-live.ts';
import { addRoles, covers, type Roles } from './roles.ts';

export interface UserAccess {
  readonly user: string;
  readonly bindings: readonly {
    readonly parent: ParentName;
    readonly displayName: string;
    /** Of the binding itself. */
    readonly roles: Roles;
    /** With those of the account. */
    readonly effective: Roles;
    /** Whether the account gives as much without it. */
    readonly shadowed: boolean;
  }[];
}

/**
 * Everybody who has a binding on the account or on a property of it, by address; undefined where the account cannot be
 * seen. Access by an organisation or a group is not among Google's bindings, so nor here.
 */
export async function listUsers(
  api: AdminApi,
  account: AccountName,
  until: number,
): Promise<UserAccess[] | undefined> {
  const organisation = await listOrganisation(api, until);
  if (!organisation.accounts.has(account)) return undefined;
  const parents: ParentName[] = [account, ...propertiesOf(account, organisation)];
  const listed = await listAll(api, parents, until);
  const ofAccount = listed.get(account);
  const users = new Map<string, UserAccess['bindings'][number][]>();
  for (const parent of parents) {
    const displayName = isAccount(parent)
      ? organisation.accounts.get(parent)
      : organisation.properties.get(parent)?.displayName;
    for (const [user, { roles }] of listed.get(parent) ?? []) {
      const inherited = parent === account ? [] : (ofAccount?.get(user)?.roles ?? []);
      const bindings = users.get(user) ?? [];
      users.set(user, bindings);
      bindings.push({
        parent,
        displayName: displayName ?? '',
        roles,
        effective: addRoles(roles, inherited),
        shadowed: inherited.length > 0 && covers(inherited, roles),
      });
    }
  }
  return [...users]
    .map(([user, bindings]) => ({ user, bindings }))
    .sort((one, other) => (one.user < other.user ? -1 : 1));
}
