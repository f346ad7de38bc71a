import { status } from '@grpc/grpc-js';
import { permissionDenied, refuse } from './refuse.ts';
import { type Account, bindingsOf, type Property, type World } from './world.ts';

export const ADMIN = 'predefinedRoles/admin';
const EDITOR = 'predefinedRoles/editor';

/** The roles of a user on an account or property, those inherited from the property's account with them. */
export function effectiveRoles(world: World, resource: string, user: string): ReadonlySet<string> {
  const account = world.properties.get(resource)?.account;
  return new Set([
    ...(bindingsOf(world, resource).of(user)?.roles ?? []),
    ...(account === undefined ? [] : (bindingsOf(world, account).of(user)?.roles ?? [])),
  ]);
}

export function mayManageUsers(world: World, resource: string, user: string): boolean {
  return effectiveRoles(world, resource, user).has(ADMIN);
}

export function mayEdit(world: World, resource: string, user: string): boolean {
  const roles = effectiveRoles(world, resource, user);
  return roles.has(ADMIN) || roles.has(EDITOR);
}

export function mayRead(world: World, resource: string, user: string): boolean {
  return effectiveRoles(world, resource, user).size > 0;
}

/** An account is seen by who has a role on it or on one of its properties. */
export function maySeeAccount(world: World, account: string, user: string): boolean {
  if (mayRead(world, account, user)) return true;
  for (const property of world.properties.values()) {
    if (property.account === account && bindingsOf(world, property.name).of(user) !== undefined) return true;
  }
  return false;
}

/** The account or property of that name, where the caller may do what `may` asks; throws PERMISSION_DENIED otherwise. */
export function demand(
  world: World,
  resource: string,
  caller: string,
  may: (world: World, resource: string, user: string) => boolean,
): Account | Property {
  const found = world.accounts.get(resource) ?? world.properties.get(resource);
  if (found === undefined || !may(world, resource, caller)) throw permissionDenied();
  return found;
}

/** What is in the trash, by itself or with its account, cannot be changed: it throws FAILED_PRECONDITION. */
export function demandLive(world: World, resource: string): void {
  const property = world.properties.get(resource);
  const isInTrash = [world.accounts.get(property?.account ?? resource), property].some(
    (it) => it?.deletedMs !== undefined,
  );
  if (isInTrash) throw refuse(status.FAILED_PRECONDITION, `${resource} is in the trash.`);
}
