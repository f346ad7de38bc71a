/** What the service answers, as far as it is read here (zetasql/public/type.proto and value.proto). */
export interface TypeMessage {
  typeKind?: string;
  arrayType?: { elementType?: TypeMessage };
  structType?: { field?: { fieldName?: string; fieldType?: TypeMessage }[] };
}

export interface ValueMessage {
  int64Value?: string;
  doubleValue?: number;
  boolValue?: boolean;
  stringValue?: string;
  bytesValue?: Buffer;
  dateValue?: number;
  timestampValue?: { seconds?: string; nanos?: number };
  datetimeValue?: { bitFieldDatetimeSeconds?: string; nanos?: number };
  timeValue?: string;
  jsonValue?: string;
  numericValue?: Buffer;
  arrayValue?: { element?: ValueMessage[] };
  structValue?: { field?: ValueMessage[] };
}

/** A type as GoogleSQL writes it, the names of fields included. */
export function writeType(type: TypeMessage): string {
  if (type.typeKind === 'TYPE_ARRAY') return `ARRAY<${writeType(type.arrayType?.elementType ?? {})}>`;
  if (type.typeKind === 'TYPE_STRUCT') {
    const fields = (type.structType?.field ?? []).map(
      ({ fieldName, fieldType }) => `${fieldName ? `${fieldName} ` : ''}${writeType(fieldType ?? {})}`,
    );
    return `STRUCT<${fields.join(', ')}>`;
  }
  const name = (type.typeKind ?? 'TYPE_UNKNOWN').slice('TYPE_'.length);
  return name === 'DOUBLE' ? 'FLOAT64' : name;
}

/** A value as `local/bigquery/sql/cases.ts` writes it. */
export function plainValue(value: ValueMessage | undefined): unknown {
  if (value === undefined) return null;
  if (value.int64Value !== undefined) return value.int64Value;
  if (value.doubleValue !== undefined) return plainDouble(value.doubleValue);
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.bytesValue !== undefined) return `bytes:${value.bytesValue.toString('hex')}`;
  if (value.dateValue !== undefined) return writeDay(value.dateValue);
  if (value.timestampValue !== undefined) return writeTimestamp(value.timestampValue);
  if (value.datetimeValue !== undefined) return writeDatetime(value.datetimeValue);
  if (value.timeValue !== undefined) return writeTime(BigInt(value.timeValue));
  if (value.jsonValue !== undefined) return value.jsonValue;
  if (value.numericValue !== undefined) return `numeric:${value.numericValue.toString('hex')}`;
  if (value.arrayValue !== undefined) return (value.arrayValue.element ?? []).map(plainValue);
  if (value.structValue !== undefined) return (value.structValue.field ?? []).map(plainValue);
  return null;
}

const plainDouble = (value: number): unknown =>
  Number.isFinite(value) ? Number(value.toPrecision(15)) : String(value);

const pad = (number: number, length = 2): string => String(number).padStart(length, '0');

function writeDay(days: number): string {
  const date = new Date(days * 86_400_000);
  return `${pad(date.getUTCFullYear(), 4)}-${pad(date.getUTCMonth() + 1)}-${pad(date.getUTCDate())}`;
}

const writeFraction = (nanos: number): string =>
  nanos === 0 ? '' : `.${pad(Math.round(nanos / 1000), 6).replace(/0+$/, '')}`;

function writeTimestamp({ seconds = '0', nanos = 0 }: { seconds?: string; nanos?: number }): string {
  const days = Math.floor(Number(seconds) / 86_400);
  const rest = Number(seconds) - days * 86_400;
  const clock = `${pad(Math.floor(rest / 3600))}:${pad(Math.floor(rest / 60) % 60)}:${pad(rest % 60)}`;
  return `${writeDay(days)} ${clock}${writeFraction(nanos)}+00`;
}

/** Bit fields, as zetasql/public/civil_time.h lays them out. */
const bits = (packed: bigint, shift: number, count: number): number =>
  Number((packed >> BigInt(shift)) & ((1n << BigInt(count)) - 1n));

const writeClock = (packed: bigint): string =>
  `${pad(bits(packed, 12, 5))}:${pad(bits(packed, 6, 6))}:${pad(bits(packed, 0, 6))}`;

function writeDatetime(value: { bitFieldDatetimeSeconds?: string; nanos?: number }): string {
  const packed = BigInt(value.bitFieldDatetimeSeconds ?? 0);
  const day = `${pad(bits(packed, 26, 14), 4)}-${pad(bits(packed, 22, 4))}-${pad(bits(packed, 17, 5))}`;
  return `${day} ${writeClock(packed)}${writeFraction(value.nanos ?? 0)}`;
}

const writeTime = (packed: bigint): string => writeClock(packed >> 30n) + writeFraction(bits(packed, 0, 30));
