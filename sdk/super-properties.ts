import { checkObject } from './validation/check-fields.ts';
import { areClean, cleanMembers, type MemberRules } from './validation/check-members.ts';
import type { Report } from './validation/issue.ts';
import { isPlainJson } from './validation/plain-json.ts';

/** What rides on every track, below its own properties. */
export interface SuperProperties {
  /** Never changed: a registration replaces it. */
  readonly members: Readonly<Record<string, unknown>>;
  /** Whether JSON.stringify can write them as they are. */
  readonly arePlain: boolean;
  readonly count: number;
}

export const noSuperProperties: SuperProperties = { members: {}, arePlain: true, count: 0 };

/** Those that were registered with others over them; the same ones where these are refused. */
export function registerMore(
  before: SuperProperties,
  properties: object,
  rules: MemberRules,
  report: Report,
): SuperProperties {
  const given = checkObject(properties, 'properties', report);
  if (given === undefined) return before;
  const more = areClean(given, rules) ? given : cleanMembers(given, 'properties', rules, report);
  return more === undefined ? before : describe({ ...before.members, ...more });
}

export function unregister(before: SuperProperties, key: string): SuperProperties {
  const { [key]: _gone, ...left } = before.members;
  return describe(left);
}

const describe = (members: Readonly<Record<string, unknown>>): SuperProperties => ({
  members: Object.freeze(members),
  arePlain: Object.values(members).every((value) => value === undefined || isPlainJson(value)),
  count: Object.keys(members).length,
});
