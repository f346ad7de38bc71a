import type { RowBuffer } from './row-buffer.ts';
import type { Column, Table } from './table.ts';

/** A row by column name; the generated row types fit it. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * Writes a row of any table, field by field from its definition. Columns that are absent, null or
 * undefined are left out. Throws a TypeError that names the column where a value does not fit it.
 */
export function encodeRow(buffer: RowBuffer, table: Pick<Table, 'columns'>, row: Row): void {
  table.columns.forEach((column, index) => {
    const value = row[column.name];
    if (value === undefined || value === null) {
      if (column.mode === 'REQUIRED') throw new TypeError(`${column.name} is required`);
      return;
    }
    const values = column.mode === 'REPEATED' ? (value as readonly unknown[]) : [value];
    for (const one of values) encodeValue(buffer, index + 1, column, one);
  });
}

function encodeValue(buffer: RowBuffer, field: number, column: Column, value: unknown): void {
  if ((column.type === 'STRING' || column.type === 'JSON') && typeof value === 'string') {
    buffer.string(field, value);
  } else if ((column.type === 'INT64' || column.type === 'TIMESTAMP') && Number.isSafeInteger(value)) {
    buffer.integer(field, value as number);
  } else if (column.type === 'BOOL' && typeof value === 'boolean') {
    buffer.bool(field, value);
  } else if (column.type === 'DATE' && typeof value === 'string' && isoDate.test(value)) {
    buffer.integer(field, Date.parse(value) / dayMs);
  } else if (column.type === 'FLOAT64' && typeof value === 'number') {
    buffer.double(field, value);
  } else if (column.type === 'BYTES' && value instanceof Uint8Array) {
    buffer.blob(field, value);
  } else {
    throw new TypeError(`${column.name}: cannot encode ${typeof value} as ${column.type}`);
  }
}

/** BigQuery takes a DATE as days since 1970. */
const dayMs = 86_400_000;
const isoDate = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;
