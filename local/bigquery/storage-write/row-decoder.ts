import { type DuckDBValue, listValue, structValue } from '@duckdb/node-api';
import { JsonTextError } from '../sql/index.ts';
import type { Field } from '../sql/types.ts';
import { conversionFor, type ProtoScalar, protoScalars, timestamp, ValueError } from './column-values.ts';
import { type FieldDescriptor, type MessageDescriptor, resolveType } from './descriptor.ts';
import {
  readBytes,
  readInt64,
  readTag,
  readUint64,
  skipField,
  WIRE_LENGTH,
  WIRE_VARINT,
  WireError,
  type WireReader,
  wireReader,
} from './proto-wire.ts';

/** Decodes rows of one writer schema into the columns of one table. */
export interface RowDecoder {
  /** The value of every column, in the table's order. Throws ValueError with the message for `row_errors`. */
  decode(row: Buffer): DuckDBValue[];
}

export type SchemaMatch =
  | { kind: 'ok'; decoder: RowDecoder }
  | { kind: 'extraFields'; names: string[] }
  | { kind: 'mismatch'; message: string };

const LABEL_REPEATED = 3;
const TYPE_GROUP = 10;
const TYPE_MESSAGE = 11;
const TYPE_ENUM = 14;

/**
 * Holds the writer's schema against the table's, as AppendRows does when a connection opens: fields unknown to the
 * table, then type pairs that BigQuery does not convert, then REQUIRED columns the writer will never fill.
 */
export function matchWriterSchema(descriptor: MessageDescriptor, fields: readonly Field[]): SchemaMatch {
  const extra: string[] = [];
  const mismatches: string[] = [];
  const plan = planMessage([descriptor], fields, '', extra, mismatches);
  if (extra.length > 0) return { kind: 'extraFields', names: extra };
  const [message] = mismatches;
  if (message !== undefined) return { kind: 'mismatch', message };
  return {
    kind: 'ok',
    decoder: {
      decode: (row) => decodeMessage(plan, wireReader(row)),
    },
  };
}

interface ColumnPlan {
  name: string;
  index: number;
  repeated: boolean;
  /** The wire type of one value, and whether a repeated one may come packed. */
  wireType: number;
  packable: boolean;
  read: (reader: WireReader) => DuckDBValue;
}

interface MessagePlan {
  byNumber: Map<number, ColumnPlan>;
  fields: readonly Field[];
  path: string;
}

function planMessage(
  scopes: readonly MessageDescriptor[],
  fields: readonly Field[],
  path: string,
  extra: string[],
  mismatches: string[],
): MessagePlan {
  const columns = new Map(fields.map((field, index) => [field.name.toLowerCase(), { field, index }]));
  const byNumber = new Map<number, ColumnPlan>();
  const written = new Set<string>();
  for (const proto of scopes.at(-1)!.fields) {
    const column = columns.get(proto.name.toLowerCase());
    if (column === undefined) {
      extra.push(path + proto.name);
      continue;
    }
    written.add(proto.name.toLowerCase());
    const planned = planField(scopes, proto, column.field, path, extra, mismatches);
    if (typeof planned === 'string') mismatches.push(planned);
    else {
      byNumber.set(proto.number, {
        ...planned,
        name: column.field.name,
        index: column.index,
        repeated: column.field.mode === 'REPEATED',
      });
    }
  }
  for (const field of fields) {
    if (field.mode === 'REQUIRED' && !written.has(field.name.toLowerCase())) {
      mismatches.push(
        `The required field ${path}${field.name} of the BigQuery table is missing in the proto schema`,
      );
    }
  }
  return { byNumber, fields, path };
}

function planField(
  scopes: readonly MessageDescriptor[],
  proto: FieldDescriptor,
  field: Field,
  path: string,
  extra: string[],
  mismatches: string[],
): Pick<ColumnPlan, 'wireType' | 'packable' | 'read'> | string {
  const dotted = path + field.name;
  if ((proto.label === LABEL_REPEATED) !== (field.mode === 'REPEATED')) {
    return `The proto field mismatched with BigQuery field at ${dotted}, the proto field is ${proto.label === LABEL_REPEATED ? '' : 'not '}repeated, the BigQuery field is ${field.mode}`;
  }
  if (proto.type === TYPE_GROUP) return `The proto field ${dotted} is a group, which is not supported`;
  if (proto.type === TYPE_MESSAGE) {
    if (field.type === 'TIMESTAMP' && /(^|\.)google[._]protobuf[._]Timestamp$/.test(proto.typeName)) {
      return { wireType: WIRE_LENGTH, packable: false, read: readTimestampMessage };
    }
    const nested = resolveType(scopes, proto.typeName, (scope) => scope.messages);
    if (field.type !== 'RECORD' || nested === undefined) return typeMismatch(dotted, 'message', field);
    const subFields = field.fields ?? [];
    const plan = planMessage([...scopes, nested], subFields, `${dotted}.`, extra, mismatches);
    return {
      wireType: WIRE_LENGTH,
      packable: false,
      read(reader) {
        const bytes = readBytes(reader);
        const values = decodeMessage(plan, wireReader(bytes));
        return structValue(Object.fromEntries(subFields.map((sub, index) => [sub.name, values[index]!])));
      },
    };
  }
  const scalar = protoScalars.get(proto.type);
  if (scalar === undefined) return `The proto field ${dotted} has the unknown type ${proto.type}`;
  if (proto.type === TYPE_ENUM && field.type === 'STRING') {
    return planEnum(
      scalar,
      resolveType(scopes, proto.typeName, (scope) => scope.enums),
    );
  }
  const convert = conversionFor(scalar, field.type);
  if (convert === undefined) return typeMismatch(dotted, scalar.name, field);
  return {
    wireType: scalar.wireType,
    packable: scalar.wireType !== WIRE_LENGTH,
    read: (reader) => convert(scalar.read(reader)),
  };
}

function planEnum(
  scalar: ProtoScalar,
  values: ReadonlyMap<number, string> | undefined,
): Pick<ColumnPlan, 'wireType' | 'packable' | 'read'> {
  return {
    wireType: scalar.wireType,
    packable: true,
    read(reader) {
      const value = Number(scalar.read(reader));
      const name = values?.get(value);
      if (name === undefined) throw new ValueError(`Invalid enum value: ${value}`);
      return name;
    },
  };
}

function typeMismatch(dotted: string, protoType: string, field: Field): string {
  return `The proto field mismatched with BigQuery field at ${dotted}, the proto field type ${protoType}, BigQuery field type ${field.type}`;
}

function decodeMessage(plan: MessagePlan, reader: WireReader): DuckDBValue[] {
  const { fields } = plan;
  const values: DuckDBValue[] = new Array(fields.length).fill(null);
  const lists: (DuckDBValue[] | undefined)[] = [];
  let current = '';
  try {
    while (reader.position < reader.end) {
      const { number, wireType } = readTag(reader);
      const column = plan.byNumber.get(number);
      if (column === undefined) {
        current = '';
        skipField(reader, wireType);
        throw new ValueError(`The row has field number ${number}, which the writer schema does not have`);
      }
      current = column.name;
      if (!column.repeated) {
        if (wireType !== column.wireType) throw wrongWireType(wireType);
        values[column.index] = column.read(reader);
        continue;
      }
      lists[column.index] ??= [];
      const list = lists[column.index]!;
      if (wireType === column.wireType) list.push(column.read(reader));
      else if (wireType === WIRE_LENGTH && column.packable) {
        const packed = wireReader(readBytes(reader));
        while (packed.position < packed.end) list.push(column.read(packed));
      } else throw wrongWireType(wireType);
    }
  } catch (error) {
    throw inField(plan.path, current, error);
  }
  for (let index = 0; index < fields.length; index += 1) {
    const field = fields[index]!;
    if (field.mode === 'REPEATED') values[index] = listValue(lists[index] ?? []);
    else if (field.mode === 'REQUIRED' && values[index] === null) {
      throw new ValueError(`Field ${plan.path}${field.name}: Missing value for a REQUIRED field`);
    }
  }
  return values;
}

function wrongWireType(wireType: number): WireError {
  return new WireError(`wire type ${wireType} does not fit the writer schema`);
}

function inField(path: string, name: string, error: unknown): ValueError {
  if (error instanceof ValueError && error.message.startsWith('Field ')) return error;
  const prefix = name === '' ? '' : `Field ${path}${name}: `;
  if (error instanceof JsonTextError) return new ValueError(`${prefix}Invalid JSON value: ${error.message}`);
  if (error instanceof ValueError) return new ValueError(prefix + error.message);
  if (error instanceof WireError || error instanceof RangeError) {
    return new ValueError(`${prefix}Proto deserialization error: ${error.message}`);
  }
  throw error;
}

function readTimestampMessage(reader: WireReader): DuckDBValue {
  const inner = wireReader(readBytes(reader));
  let seconds = 0n;
  let nanos = 0n;
  while (inner.position < inner.end) {
    const { number, wireType } = readTag(inner);
    if (number === 1 && wireType === WIRE_VARINT) seconds = readInt64(inner);
    else if (number === 2 && wireType === WIRE_VARINT) nanos = BigInt.asIntN(32, readUint64(inner));
    else skipField(inner, wireType);
  }
  return timestamp(seconds * 1_000_000n + nanos / 1000n);
}
