import type { ReportsConfiguration } from './configuration.ts';

/** The keys that a report's `on` means: `*` is all of its source's, a group its members that are of its source. */
export function expandKeys(
  { groups }: Pick<ReportsConfiguration, 'groups'>,
  on: readonly string[],
  ofSource: readonly string[],
): string[] {
  if (on.includes('*')) return [...ofSource];
  const members = new Map(groups.map((group) => [group.key, group.members]));
  const named = new Set(on.flatMap((key) => members.get(key) ?? [key]));
  return ofSource.filter((key) => named.has(key));
}
