import type { RowDescriptor } from './append-connection.ts';
import { rowDescriptors } from './generated/row-descriptors.ts';

/** The descriptor that rows of a schema version are appended with; undefined for a version this build does not know. */
export function findRowDescriptor(
  table: 'event_log' | 'state_log' | 'quarantine',
  schemaVersion: number,
): RowDescriptor | undefined {
  const version = Object.entries(rowDescriptors).find(([number]) => Number(number) === schemaVersion)?.[1];
  if (version === undefined) return undefined;
  // state_log has the columns of event_log, and takes the same rows.
  const { name, field } = version[table === 'state_log' ? 'event_log' : table];
  return { name, field: field.map((one) => ({ ...one })) };
}
