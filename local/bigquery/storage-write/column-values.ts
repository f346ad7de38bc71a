import { isUtf8 } from 'node:buffer';
import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { canonicalJson } from '../sql/index.ts';
import type { Field } from '../sql/types.ts';
import {
  readBytes,
  readFixed,
  readInt64,
  readUint32,
  readUint64,
  WIRE_FIXED32,
  WIRE_FIXED64,
  WIRE_LENGTH,
  WIRE_VARINT,
  type WireReader,
} from './proto-wire.ts';

/** Thrown for a value that BigQuery refuses; the message goes into `row_errors`. */
export class ValueError extends Error {}

type Kind = 'integer' | 'double' | 'boolean' | 'string' | 'bytes' | 'enum';

/** How one proto scalar lies on the wire; keyed by FieldDescriptorProto.Type. */
export interface ProtoScalar {
  name: string;
  kind: Kind;
  wireType: number;
  read: (reader: WireReader) => bigint | number | boolean | string | Uint8Array;
}

const integer = (name: string, wireType: number, read: (reader: WireReader) => bigint): ProtoScalar => ({
  name,
  kind: 'integer',
  wireType,
  read,
});
const zigzag = (value: bigint) => (value >> 1n) ^ -(value & 1n);

export const protoScalars: ReadonlyMap<number, ProtoScalar> = new Map<number, ProtoScalar>([
  [
    1,
    {
      name: 'double',
      kind: 'double',
      wireType: WIRE_FIXED64,
      read: (r) => r.bytes.readDoubleLE(readFixed(r, 8)),
    },
  ],
  [
    2,
    {
      name: 'float',
      kind: 'double',
      wireType: WIRE_FIXED32,
      read: (r) => r.bytes.readFloatLE(readFixed(r, 4)),
    },
  ],
  [3, integer('int64', WIRE_VARINT, readInt64)],
  [4, integer('uint64', WIRE_VARINT, readUint64)],
  [5, integer('int32', WIRE_VARINT, (r) => BigInt.asIntN(32, readUint64(r)))],
  [6, integer('fixed64', WIRE_FIXED64, (r) => r.bytes.readBigUInt64LE(readFixed(r, 8)))],
  [7, integer('fixed32', WIRE_FIXED32, (r) => BigInt(r.bytes.readUInt32LE(readFixed(r, 4))))],
  [8, { name: 'bool', kind: 'boolean', wireType: WIRE_VARINT, read: (r) => readUint64(r) !== 0n }],
  [9, { name: 'string', kind: 'string', wireType: WIRE_LENGTH, read: readUtf8 }],
  [12, { name: 'bytes', kind: 'bytes', wireType: WIRE_LENGTH, read: (r) => Uint8Array.from(readBytes(r)) }],
  [13, integer('uint32', WIRE_VARINT, (r) => BigInt.asUintN(32, readUint64(r)))],
  [14, { name: 'enum', kind: 'enum', wireType: WIRE_VARINT, read: (r) => BigInt.asIntN(32, readUint64(r)) }],
  [15, integer('sfixed32', WIRE_FIXED32, (r) => BigInt(r.bytes.readInt32LE(readFixed(r, 4))))],
  [16, integer('sfixed64', WIRE_FIXED64, (r) => r.bytes.readBigInt64LE(readFixed(r, 8)))],
  [17, integer('sint32', WIRE_VARINT, (r) => BigInt.asIntN(32, zigzag(readUint64(r))))],
  [18, integer('sint64', WIRE_VARINT, (r) => zigzag(readUint64(r)))],
]);

function readUtf8(reader: WireReader): string {
  const length = readUint32(reader);
  const start = reader.position;
  const end = start + length;
  if (end > reader.end) throw new ValueError('truncated field');
  reader.position = end;
  const text = reader.bytes.toString('utf8', start, end);
  // A replacement character is what invalid bytes decode to, and may also be in the text itself.
  if (text.includes('\ufffd') && !isUtf8(reader.bytes.subarray(start, end))) {
    throw new ValueError('The string is not UTF-8');
  }
  return text;
}

const MIN_TIMESTAMP_MICROS = -62_135_596_800_000_000n;
const MAX_TIMESTAMP_MICROS = 253_402_300_799_999_999n;
const MIN_DATE_DAYS = -719_162;
const MAX_DATE_DAYS = 2_932_896;
const MICROS_PER_DAY = 86_400_000_000n;

type Convert = (value: never) => DuckDBValue;

/**
 * Which proto types a column takes, and how: the table of "Supported protocol buffer and Arrow data types"
 * (cloud.google.com/bigquery/docs/supported-data-types). Packed civil times and binary numerics are left out.
 */
const conversions: Readonly<Record<string, Readonly<Record<string, Convert>>>> = {
  STRING: { string: (value: string) => value },
  JSON: { string: (value: string) => canonicalJson(value) },
  BYTES: {
    bytes: (value: Uint8Array) => new DuckDBBlobValue(value),
    string: (value: string) => new DuckDBBlobValue(Buffer.from(value)),
  },
  BOOLEAN: {
    bool: (value: boolean) => value,
    ...forEach(['int32', 'int64', 'uint32', 'uint64'], (value: bigint) => value !== 0n),
  },
  INTEGER: forEach(
    ['int32', 'int64', 'uint32', 'sint32', 'sint64', 'fixed32', 'sfixed32', 'sfixed64', 'enum'],
    (value: bigint) => value,
  ),
  FLOAT: forEach(['double', 'float'], (value: number) => value),
  NUMERIC: {
    ...forEach(['int32', 'int64', 'uint32', 'uint64'], (value: bigint) => numeric(value.toString())),
    ...forEach(['double', 'float'], (value: number) => numeric(plainDecimal(value))),
    string: numeric,
  },
  TIMESTAMP: forEach(['int64', 'int32', 'uint32', 'sfixed64'], timestamp),
  DATE: { ...forEach(['int32', 'int64'], date), string: (value: string) => date(daysOf(value)) },
  DATETIME: { string: datetime },
  TIME: { string: time },
};

function forEach<T>(names: readonly string[], convert: (value: T) => DuckDBValue): Record<string, Convert> {
  return Object.fromEntries(names.map((name) => [name, convert as Convert]));
}

/** The conversion from a proto scalar to a column, or undefined where BigQuery refuses the pair. */
export function conversionFor(
  scalar: ProtoScalar,
  type: Field['type'],
): ((value: unknown) => DuckDBValue) | undefined {
  return conversions[type]?.[scalar.name] as ((value: unknown) => DuckDBValue) | undefined;
}

/** A TIMESTAMP out of microseconds since the epoch. */
export function timestamp(micros: bigint): DuckDBTimestampTZValue {
  if (micros < MIN_TIMESTAMP_MICROS || micros > MAX_TIMESTAMP_MICROS) {
    throw new ValueError(
      `Timestamp value is out of range: ${micros} microseconds. Valid years are 0001 to 9999`,
    );
  }
  return new DuckDBTimestampTZValue(micros);
}

/** The day, counted from the epoch, that a stored value of a partitioning column falls on; undefined for NULL. */
export function partitionDay(value: DuckDBValue): number | undefined {
  if (value instanceof DuckDBDateValue) return value.days;
  if (value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue) {
    const remainder = ((value.micros % MICROS_PER_DAY) + MICROS_PER_DAY) % MICROS_PER_DAY;
    return Number((value.micros - remainder) / MICROS_PER_DAY);
  }
  return undefined;
}

function date(days: bigint): DuckDBDateValue {
  const count = Number(days);
  if (count < MIN_DATE_DAYS || count > MAX_DATE_DAYS) {
    throw new ValueError(`Date value is out of range: ${days} days. Valid years are 0001 to 9999`);
  }
  return new DuckDBDateValue(count);
}

function daysOf(text: string): bigint {
  const found = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text.trim());
  if (found === null) throw new ValueError(`Invalid date: '${text}'`);
  return BigInt(civilDays(Number(found[1]), Number(found[2]), Number(found[3]), text));
}

function civilDays(year: number, month: number, day: number, text: string): number {
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  if (year < 1 || at.getUTCMonth() !== month - 1 || at.getUTCDate() !== day) {
    throw new ValueError(`Invalid date: '${text}'`);
  }
  return at.getTime() / 86_400_000;
}

function timeMicros(text: string, whole: string): bigint {
  const found = /^(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,6}))?$/.exec(text);
  const [hours, minutes, seconds] = [found?.[1], found?.[2], found?.[3]].map(Number);
  if (found === null || hours! > 23 || minutes! > 59 || seconds! > 59) {
    throw new ValueError(`Invalid time: '${whole}'`);
  }
  const fraction = BigInt((found[4] ?? '').padEnd(6, '0'));
  return BigInt(hours! * 3600 + minutes! * 60 + seconds!) * 1_000_000n + fraction;
}

function time(text: string): DuckDBTimeValue {
  return new DuckDBTimeValue(timeMicros(text, text));
}

function datetime(text: string): DuckDBTimestampValue {
  const found = /^(\d{4}-\d{1,2}-\d{1,2})(?:[T t](.+))?$/.exec(text.trim());
  if (found === null) throw new ValueError(`Invalid datetime: '${text}'`);
  const days = daysOf(found[1]!);
  return new DuckDBTimestampValue(
    days * MICROS_PER_DAY + (found[2] === undefined ? 0n : timeMicros(found[2], text)),
  );
}

/** NUMERIC: 29 digits before the point and 9 behind it; more digits behind are rounded half away from zero. */
function numeric(text: string): DuckDBDecimalValue {
  const found = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?\s*$/.exec(text);
  const [, sign, whole = '', fraction = '', exponent = '0'] = found ?? [];
  if (found === null || whole.length + fraction.length === 0)
    throw new ValueError(`Invalid NUMERIC value: ${text}`);
  const shift = Number(exponent) - fraction.length + 9;
  let scaled = BigInt(`${whole}${fraction}`);
  if (shift >= 0) scaled *= 10n ** BigInt(Math.min(shift, 200));
  else {
    const divisor = 10n ** BigInt(Math.min(-shift, 5000));
    scaled = (scaled * 2n + divisor) / (divisor * 2n);
  }
  if (scaled >= 10n ** 38n) throw new ValueError(`Invalid NUMERIC value: ${text} is out of range`);
  return new DuckDBDecimalValue(sign === '-' ? -scaled : scaled, 38, 9);
}

function plainDecimal(value: number): string {
  if (!Number.isFinite(value)) throw new ValueError(`Invalid NUMERIC value: ${value}`);
  return String(value);
}
