import type { FieldLabel, FieldType } from './append-request.ts';
import { rowDescriptors } from './generated/row-descriptors.ts';
import type { EncodedTable } from './schema-versions.ts';

/** A DescriptorProto in JSON: what BigQuery reads encoded rows by. */
export interface RowDescriptor {
  readonly name: string;
  readonly field: readonly {
    readonly name: string;
    readonly number: number;
    readonly type: FieldType;
    readonly label: FieldLabel;
  }[];
}

/** The descriptor that rows of a schema version are appended with; undefined for a version this build does not know. */
export function findRowDescriptor(
  table: EncodedTable | 'state_log',
  schemaVersion: number,
): RowDescriptor | undefined {
  const version: Readonly<Partial<Record<EncodedTable, RowDescriptor>>> | undefined = Object.entries(
    rowDescriptors,
  ).find(([number]) => Number(number) === schemaVersion)?.[1];
  // state_log has the columns of event_log, and takes the same rows.
  return version?.[table === 'state_log' ? 'event_log' : table];
}
