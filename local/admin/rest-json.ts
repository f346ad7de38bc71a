import protobuf from 'protobufjs';
import { invalidArgument } from './refuse.ts';

/**
 * Turns proto3 JSON into the object that gRPC's decoder makes of the same message. Field names may be in camel or snake
 * case, as Google takes both. Throws INVALID_ARGUMENT for a name or value that the message has not.
 */
export function fromJson(type: protobuf.Type, json: unknown, place = ''): Record<string, unknown> {
  if (json === null || typeof json !== 'object' || Array.isArray(json)) {
    throw invalidArgument(`Invalid JSON payload received. An object is expected${at(place)}.`);
  }
  const entries = Object.entries(json).flatMap(([key, value]) => {
    const field = type.fields[protobuf.util.camelCase(key)];
    const where = place === '' ? key : `${place}.${key}`;
    if (field === undefined) {
      throw invalidArgument(
        `Invalid JSON payload received. Unknown name "${key}"${at(place)}: Cannot find field.`,
      );
    }
    if (value === null) return [];
    if (!field.repeated) return [[field.name, readValue(field, value, where)] as const];
    const values: unknown[] = Array.isArray(value) ? value : [value];
    return [[field.name, values.map((it, index) => readValue(field, it, `${where}[${index}]`))] as const];
  });
  return Object.fromEntries(entries);
}

/** Turns a message into proto3 JSON: what has its default value is left out. */
export function toJson(
  type: protobuf.Type,
  message: Readonly<Record<string, unknown>>,
  enumsAs: 'names' | 'numbers',
): Record<string, unknown> {
  const fields = type.fieldsArray.toSorted((one, other) => one.id - other.id);
  const entries = fields.flatMap((field) => {
    field.resolve();
    const value = message[field.name];
    if (value === undefined || value === null || value === '' || value === 0 || value === false) return [];
    if (Array.isArray(value) && value.length === 0) return [];
    const shown = Array.isArray(value)
      ? value.map((it: unknown) => showValue(field, it, enumsAs))
      : showValue(field, value, enumsAs);
    return shown === undefined ? [] : [[field.name, shown] as const];
  });
  return Object.fromEntries(entries);
}

function readValue(field: protobuf.Field, value: unknown, place: string): unknown {
  field.resolve();
  const { resolvedType } = field;
  const wrong = () =>
    invalidArgument(`Invalid value at '${place}' (${field.type}): ${JSON.stringify(value)}`);
  if (resolvedType instanceof protobuf.Enum) {
    if (typeof value === 'string' && value in resolvedType.values) return value;
    const name = typeof value === 'number' || /^\d+$/.test(String(value)) ? Number(value) : undefined;
    const known = name === undefined ? undefined : resolvedType.valuesById[name];
    if (known === undefined) throw wrong();
    return known;
  }
  if (resolvedType instanceof protobuf.Type) {
    if (resolvedType.fullName === '.google.protobuf.FieldMask') {
      if (typeof value !== 'string') throw wrong();
      // The transcoder takes camel case, which is the form that JSON has, and hands snake case on.
      const paths = value.split(',').filter((path) => path !== '');
      return { paths: paths.map((path) => path.replaceAll(/[A-Z]/g, (it) => `_${it.toLowerCase()}`)) };
    }
    if (resolvedType.fullName === '.google.protobuf.Timestamp') {
      if (typeof value !== 'string' || Number.isNaN(Date.parse(value))) throw wrong();
      return { seconds: String(Math.floor(Date.parse(value) / 1000)), nanos: 0 };
    }
    return fromJson(resolvedType, value, place);
  }
  switch (field.type) {
    case 'string':
      if (typeof value !== 'string') throw wrong();
      return value;
    case 'bool':
      if (value !== true && value !== false && value !== 'true' && value !== 'false') throw wrong();
      return value === true || value === 'true';
    case 'int32':
      if (!/^-?\d{1,10}$/.test(String(value))) throw wrong();
      return Number(value);
    default:
      return value;
  }
}

function showValue(field: protobuf.Field, value: unknown, enumsAs: 'names' | 'numbers'): unknown {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Enum) {
    const number = resolvedType.values[String(value)];
    if (number === 0 || number === undefined) return undefined;
    return enumsAs === 'numbers' ? number : value;
  }
  if (!(resolvedType instanceof protobuf.Type)) return value;
  const message = value as Readonly<Record<string, unknown>>;
  if (resolvedType.fullName !== '.google.protobuf.Timestamp') return toJson(resolvedType, message, enumsAs);
  const ms = Number(message.seconds ?? 0) * 1000 + Number(message.nanos ?? 0) / 1_000_000;
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

function at(place: string): string {
  return place === '' ? '' : ` at '${place}'`;
}
