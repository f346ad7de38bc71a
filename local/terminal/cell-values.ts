import type { TableField } from '@google-cloud/bigquery';

/** A value as JSON has it: integers beyond 2^53 and NUMERIC as text, BYTES in base64, JSON columns parsed. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [name: string]: JsonValue };

const numeric = new Set(['INTEGER', 'INT64', 'FLOAT', 'FLOAT64', 'NUMERIC', 'BIGNUMERIC']);

export const isNumeric = (field: TableField): boolean =>
  field.mode !== 'REPEATED' && numeric.has(field.type ?? '');

/** What the BigQuery client (with wrapIntegers) answers for a column, as JSON. */
export function toJson(value: unknown, field: TableField): JsonValue {
  if (value === null || value === undefined) return null;
  if (field.mode === 'REPEATED') {
    const element = { ...field, mode: 'NULLABLE' };
    return Array.isArray(value) ? value.map((one) => toJson(one, element)) : [];
  }
  if (field.type === 'RECORD' || field.type === 'STRUCT') {
    const struct = value as Readonly<Record<string, unknown>>;
    return Object.fromEntries(
      (field.fields ?? []).map((sub) => [sub.name ?? '', toJson(struct[sub.name ?? ''], sub)]),
    );
  }
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (Buffer.isBuffer(value)) return value.toString('base64');
  const text = textOf(value);
  if (field.type === 'INTEGER' || field.type === 'INT64') {
    return Number.isSafeInteger(Number(text)) ? Number(text) : text;
  }
  if (field.type !== 'JSON') return text;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

/** A value as one cell of a table or of CSV; undefined for NULL. Nested values are compact JSON. */
export function toCell(value: unknown, field: TableField): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (field.type === 'JSON' && field.mode !== 'REPEATED') return textOf(value);
  const json = toJson(value, field);
  return typeof json === 'object' ? JSON.stringify(json) : String(json);
}

/** `2026-11-21 21:05:08.724` for a table; the form with T and Z is for machines. */
export function toReadable(cell: string, field: TableField): string {
  if (field.type !== 'TIMESTAMP' || field.mode === 'REPEATED') return cell;
  return cell
    .replace('T', ' ')
    .replace(/Z$/, '')
    .replace(/\.000$/, '');
}

/** The client wraps dates, times and long integers in objects with a value, and NUMERIC in one with toString. */
function textOf(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'value' in value) return String(value.value);
  return String(value);
}
