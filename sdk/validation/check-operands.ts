import { reportBad } from './check-fields.ts';
import type { Report } from './issue.ts';
import { memberOf } from './write-json.ts';

export type OperandKind = 'profile_set' | 'profile_set_once' | 'profile_increment' | 'profile_append';

/** Warns of what can be neither added nor appended. The vendors' SDKs send it all the same. */
export function checkOperands(kind: OperandKind, properties: object, report: Report): void {
  if (kind !== 'profile_increment' && kind !== 'profile_append') return;
  for (const [key, value] of Object.entries(properties)) {
    const place = memberOf('properties', key);
    if (kind === 'profile_increment' && typeof value !== 'number' && typeof value !== 'bigint')
      reportBad(value, place, 'a number', report, 'warning', 'increment_not_a_number');
    if (kind === 'profile_append' && !Array.isArray(value))
      reportBad(value, place, 'a list', report, 'warning', 'append_not_a_list');
  }
}
