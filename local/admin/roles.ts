import type { Rules } from './method.ts';
import { invalidArgument } from './refuse.ts';

/** Those that AccessBinding.roles documents. */
const documented = new Set(
  ['viewer', 'analyst', 'editor', 'admin', 'no-cost-data', 'no-revenue-data'].map(
    (role) => `predefinedRoles/${role}`,
  ),
);

/** Throws INVALID_ARGUMENT for a role that may not be written; `held` are those the binding has. */
export function checkRoles(
  roles: readonly string[],
  unknownRoles: Rules['unknownRoles'],
  held: readonly string[],
): void {
  for (const role of roles) {
    if (documented.has(role) || unknownRoles === 'accepted') continue;
    if (unknownRoles === 'kept' && held.includes(role)) continue;
    throw invalidArgument(`Invalid role: ${role}.`);
  }
}
