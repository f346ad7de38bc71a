import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { invalid } from '../errors.ts';
import type { Field } from '../sql/types.ts';

export type TimestampFormat = 'INT64' | 'FLOAT64' | 'ISO8601_STRING';

/** A cell and a row of a REST answer: `{v}` and `{f: [{v}, ...]}`. */
export interface RestCell {
  v: string | null | RestRow | RestCell[];
}
export interface RestRow {
  f: RestCell[];
}

/**
 * How the caller wants TIMESTAMPs: DataFormatOptions of the REST reference. Without options they are seconds as a
 * float; the Node client asks for int64 microseconds.
 */
export function timestampFormat(options: {
  useInt64Timestamp?: unknown;
  timestampOutputFormat?: unknown;
}): TimestampFormat {
  const format = String(options.timestampOutputFormat ?? 'TIMESTAMP_OUTPUT_FORMAT_UNSPECIFIED');
  const int64 = options.useInt64Timestamp === true || options.useInt64Timestamp === 'true';
  switch (format) {
    case 'INT64':
    case 'FLOAT64':
    case 'ISO8601_STRING':
      if (int64 && format !== 'INT64') {
        throw invalid(
          'formatOptions.useInt64Timestamp and formatOptions.timestampOutputFormat contradict each other.',
        );
      }
      return format;
    case 'TIMESTAMP_OUTPUT_FORMAT_UNSPECIFIED':
      return int64 ? 'INT64' : 'FLOAT64';
    default:
      throw invalid(`Invalid value at 'formatOptions.timestampOutputFormat': ${format}`);
  }
}

/** One row of DuckDB values, in the order of `fields`, as REST sends it. */
export function restRow(
  values: readonly DuckDBValue[],
  fields: readonly Field[],
  format: TimestampFormat,
): RestRow {
  return { f: fields.map((field, index) => restCell(values[index] ?? null, field, format)) };
}

function restCell(value: DuckDBValue, field: Field, format: TimestampFormat): RestCell {
  if (field.mode !== 'REPEATED') return { v: restValue(value, field, format) };
  // BigQuery has no NULL arrays in results.
  const items = value instanceof DuckDBListValue ? value.items : [];
  return { v: items.map((item) => ({ v: restValue(item, field, format) })) };
}

function restValue(value: DuckDBValue, field: Field, format: TimestampFormat): string | null | RestRow {
  if (value === null) return null;
  if (value instanceof DuckDBStructValue) {
    const values = Object.values(value.entries);
    return restRow(values, field.fields ?? [], format);
  }
  if (value instanceof DuckDBTimestampTZValue) return restTimestamp(value.micros, format);
  if (value instanceof DuckDBTimestampValue) return isoDateTime(value.micros);
  if (value instanceof DuckDBDateValue) return isoDay(value.days);
  if (value instanceof DuckDBTimeValue) return clock(value.micros);
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('base64');
  if (value instanceof DuckDBDecimalValue) return trimDecimal(value.toString());
  if (typeof value === 'number')
    return field.type === 'FLOAT' || field.type === 'FLOAT64' ? float(value) : String(value);
  return String(value);
}

const MICROS_PER_DAY = 86_400_000_000n;

function restTimestamp(micros: bigint, format: TimestampFormat): string {
  if (format === 'INT64') return micros.toString();
  if (format === 'ISO8601_STRING') return `${isoDateTime(micros)}Z`;
  const negative = micros < 0n;
  const magnitude = negative ? -micros : micros;
  const fraction = (magnitude % 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '') || '0';
  return `${negative ? '-' : ''}${magnitude / 1_000_000n}.${fraction}`;
}

function isoDateTime(micros: bigint): string {
  const remainder = ((micros % MICROS_PER_DAY) + MICROS_PER_DAY) % MICROS_PER_DAY;
  return `${isoDay(Number((micros - remainder) / MICROS_PER_DAY))}T${clock(remainder)}`;
}

function isoDay(days: number): string {
  return new Date(days * 86_400_000).toISOString().slice(0, 10);
}

function clock(micros: bigint): string {
  const two = (value: bigint) => value.toString().padStart(2, '0');
  const seconds = micros / 1_000_000n;
  const fraction = micros % 1_000_000n;
  const whole = `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}`;
  return fraction === 0n ? whole : `${whole}.${fraction.toString().padStart(6, '0')}`;
}

function trimDecimal(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function float(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? `${value}.0` : String(value);
}
