/** The roles of a binding that carry access, from the weakest to the strongest. */
export const mainRoles = ['viewer', 'analyst', 'editor', 'admin'] as const;
/** What may be taken away from the numbers that somebody sees. */
export const restrictions = ['no-cost-data', 'no-revenue-data'] as const;

export type MainRole = (typeof mainRoles)[number];
export type KnownRole = MainRole | (typeof restrictions)[number];

/**
 * The roles of one binding: known ones by their short names, then those that this code does not know, as Google wrote
 * them. Each once, in one order, so that equal sets are equal lists.
 */
export type Roles = readonly string[];

const knownRoles: readonly KnownRole[] = [...mainRoles, ...restrictions];
const prefix = 'predefinedRoles/';

/**
 * Every name that a role has had: of the Management API v3, of the user links that came after it, and of its guide to
 * migrate. developers.google.com/analytics/devguides/config/admin/v1/migration
 */
const otherNames: Readonly<Record<string, KnownRole>> = {
  read_and_analyze: 'viewer',
  read: 'viewer',
  collaborate: 'analyst',
  edit: 'editor',
  manage_users: 'admin',
  'manage-users': 'admin',
  administrator: 'admin',
  no_cost_data: 'no-cost-data',
  no_revenue_data: 'no-revenue-data',
};

/** The names that a request may use for a role, for messages and help. */
export const roleNames = [
  'viewer (READ_AND_ANALYZE, read)',
  'analyst (COLLABORATE)',
  'editor (EDIT)',
  'admin (MANAGE_USERS, manage-users)',
  'no-cost-data',
  'no-revenue-data',
].join(', ');

/** A role by any of its names, with or without `predefinedRoles/`, in any case; undefined where it is none of them. */
export function readRole(text: string): KnownRole | undefined {
  const trimmed = text.trim();
  const bare = trimmed.startsWith(prefix) ? trimmed.slice(prefix.length) : trimmed;
  const name = bare.toLowerCase();
  return knownRoles.find((role) => role === name) ?? otherNames[name];
}

/** The roles of a binding as Google's API has them. What is not known stays as it is. */
export const fromApi = (roles: readonly string[]): Roles =>
  inOrder(roles.map((role) => readRole(role) ?? role));

/** The same for Google's API. */
export const toApi = (roles: Roles): string[] =>
  roles.map((role) => (isKnown(role) ? `${prefix}${role}` : role));

/** How much a binding lets see and do: 0 for none of the main roles, 4 for admin. */
export const rankOf = (roles: Roles): number =>
  roles.reduce((rank, role) => Math.max(rank, (mainRoles as readonly string[]).indexOf(role) + 1), 0);

/** The same roles without those that a stronger one contains: somebody who edits need not also view. */
export function simplify(roles: Roles): Roles {
  const rank = rankOf(roles);
  return roles.filter((role) => !isMain(role) || rankOf([role]) === rank);
}

/** Whether two bindings give the same. */
export const givesSame = (one: Roles, other: Roles): boolean =>
  JSON.stringify(simplify(one)) === JSON.stringify(simplify(other));

export const addRoles = (before: Roles, added: Roles): Roles => simplify(inOrder([...before, ...added]));

/** The known roles of `wanted`, and what was there and is not known: nobody could give that back. */
export const replaceRoles = (before: Roles, wanted: Roles): Roles =>
  simplify(inOrder([...wanted, ...unknownOf(before)]));

/** What is left; undefined for a binding that gives nothing any more and goes. */
export function removeRoles(before: Roles, removed: Roles): Roles | undefined {
  const left = before.filter((role) => !removed.includes(role));
  return left.length === 0 ? undefined : simplify(left);
}

/** Whether who has `held` on an account gains nothing by `wanted` on a property of it: roles are inherited and only add. */
export const covers = (held: Roles, wanted: Roles): boolean =>
  rankOf(held) >= rankOf(wanted) && wanted.every((role) => isMain(role) || held.includes(role));

/** Whether a change from one to the other takes nothing away. */
export const onlyAdds = (before: Roles, after: Roles): boolean =>
  rankOf(after) >= rankOf(before) &&
  restrictionsOf(after).every((role) => before.includes(role)) &&
  unknownOf(before).every((role) => after.includes(role));

export const isAdmin = (roles: Roles | undefined): boolean => roles?.includes('admin') ?? false;
export const unknownOf = (roles: Roles): Roles => roles.filter((role) => !isKnown(role));
export const restrictionsOf = (roles: Roles): Roles => roles.filter((role) => isKnown(role) && !isMain(role));
export const mainOf = (roles: Roles): MainRole | undefined => mainRoles[rankOf(roles) - 1];

const isMain = (role: string): role is MainRole => mainRoles.some((main) => main === role);
const isKnown = (role: string): role is KnownRole => knownRoles.some((known) => known === role);

function inOrder(roles: readonly string[]): Roles {
  const unknown = roles.filter((role) => !isKnown(role));
  return [...knownRoles.filter((role) => roles.includes(role)), ...[...new Set(unknown)].sort()];
}
