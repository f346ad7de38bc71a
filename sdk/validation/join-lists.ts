import type { Report } from './issue.ts';
import { memberOf, write } from './write-json.ts';

/**
 * Attributes with their lists as text, as GrowingIO's SDKs send those of events: the elements joined by `||`, without
 * empty ones. The same object where there are no lists.
 */
export function joinLists(attributes: object, report: Report): object {
  if (!Object.values(attributes).some(Array.isArray)) return attributes;
  const joined = Object.entries(attributes).map(([key, value]) => [
    key,
    Array.isArray(value) ? join(value, memberOf('attributes', key), report) : value,
  ]);
  return Object.fromEntries(joined);
}

const join = (list: readonly unknown[], field: string, report: Report): string =>
  list
    .map((one, at) => textOf(one, `${field}[${at}]`, report))
    .filter((text) => text !== '')
    .join('||');

function textOf(value: unknown, field: string, report: Report): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : (write(value, { report, ancestors: [] }, field) ?? '');
}
