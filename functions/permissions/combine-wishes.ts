import type { Wish } from './access-request.ts';
import { addRoles, type Roles, removeRoles, replaceRoles } from './roles.ts';

/** Two wishes for one user on one parent as one; undefined where they contradict each other. */
export function combineWishes(one: Wish, other: Wish): Wish | undefined {
  if (one.kind === 'grant' && other.kind === 'grant') {
    return { kind: 'grant', roles: addRoles(one.roles, other.roles) };
  }
  if (one.kind === 'set' && other.kind === 'set') {
    return sameRoles(one.roles, other.roles) ? one : undefined;
  }
  if (one.kind === 'revoke' && other.kind === 'revoke') {
    if (one.roles === undefined || other.roles === undefined) return { kind: 'revoke', roles: undefined };
    return { kind: 'revoke', roles: [...new Set([...one.roles, ...other.roles])].sort() };
  }
  return undefined;
}

/** The roles that a wish leaves; null for no binding. */
export function fulfil(wish: Wish, before: Roles | null): Roles | null {
  switch (wish.kind) {
    case 'grant':
      return addRoles(before ?? [], wish.roles);
    case 'set':
      return replaceRoles(before ?? [], wish.roles);
    case 'revoke':
      return wish.roles === undefined || before === null ? null : (removeRoles(before, wish.roles) ?? null);
  }
}

export function describeWish(wish: Wish): string {
  if (wish.kind === 'revoke' && wish.roles === undefined) return 'revoke';
  return `${wish.kind} ${wish.roles?.join(' + ')}`;
}

const sameRoles = (one: Roles, other: Roles): boolean =>
  JSON.stringify([...one].sort()) === JSON.stringify([...other].sort());
