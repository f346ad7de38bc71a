import { readBytes, readUint32, readUint64, visitFields, WIRE_LENGTH, WIRE_VARINT } from './proto-wire.ts';

/** A message type out of the writer's DescriptorProto, with the nested types in reach by their name. */
export interface MessageDescriptor {
  name: string;
  fields: FieldDescriptor[];
  messages: Map<string, MessageDescriptor>;
  enums: Map<string, Map<number, string>>;
}

export interface FieldDescriptor {
  /** The column it writes: the `column_name` annotation where there is one, else the field's name. */
  name: string;
  number: number;
  /** FieldDescriptorProto.Label: 1 optional, 2 required, 3 repeated. */
  label: number;
  /** FieldDescriptorProto.Type. */
  type: number;
  typeName: string;
}

/** Extension number of `column_name` in google/cloud/bigquery/storage/v1/annotations.proto. */
const COLUMN_NAME_OPTION = 454943157;

/** Decodes a DescriptorProto. Field numbers: google/protobuf/descriptor.proto. Throws WireError. */
export function decodeDescriptor(bytes: Buffer): MessageDescriptor {
  const message: MessageDescriptor = { name: '', fields: [], messages: new Map(), enums: new Map() };
  visitFields(bytes, (number, wireType, reader) => {
    if (wireType !== WIRE_LENGTH) return false;
    if (number === 1) message.name = readBytes(reader).toString();
    else if (number === 2) message.fields.push(decodeField(readBytes(reader)));
    else if (number === 3) {
      const nested = decodeDescriptor(readBytes(reader));
      message.messages.set(nested.name, nested);
    } else if (number === 4) {
      const { name, values } = decodeEnum(readBytes(reader));
      message.enums.set(name, values);
    } else return false;
    return true;
  });
  return message;
}

/**
 * Finds the type a field names. The names are relative or dotted from anywhere, as the clients flatten their
 * descriptors differently, so the last part is looked for from the innermost message outwards.
 */
export function resolveType<T>(
  scopes: readonly MessageDescriptor[],
  typeName: string,
  pick: (scope: MessageDescriptor) => ReadonlyMap<string, T>,
): T | undefined {
  const last = typeName.slice(typeName.lastIndexOf('.') + 1);
  for (const scope of scopes.toReversed()) {
    const found = pick(scope).get(last);
    if (found !== undefined) return found;
  }
  return undefined;
}

function decodeField(bytes: Buffer): FieldDescriptor {
  const field: FieldDescriptor = { name: '', number: 0, label: 1, type: 0, typeName: '' };
  let columnName = '';
  visitFields(bytes, (number, wireType, reader) => {
    if (wireType === WIRE_LENGTH && number === 1) field.name = readBytes(reader).toString();
    else if (wireType === WIRE_LENGTH && number === 6) field.typeName = readBytes(reader).toString();
    else if (wireType === WIRE_LENGTH && number === 8) columnName = decodeColumnName(readBytes(reader));
    else if (wireType === WIRE_VARINT && number === 3) field.number = readUint32(reader);
    else if (wireType === WIRE_VARINT && number === 4) field.label = readUint32(reader);
    else if (wireType === WIRE_VARINT && number === 5) field.type = readUint32(reader);
    else return false;
    return true;
  });
  return columnName === '' ? field : { ...field, name: columnName };
}

function decodeColumnName(options: Buffer): string {
  let columnName = '';
  visitFields(options, (number, wireType, reader) => {
    if (number !== COLUMN_NAME_OPTION || wireType !== WIRE_LENGTH) return false;
    columnName = readBytes(reader).toString();
    return true;
  });
  return columnName;
}

function decodeEnum(bytes: Buffer): { name: string; values: Map<number, string> } {
  let name = '';
  const values = new Map<number, string>();
  visitFields(bytes, (number, wireType, reader) => {
    if (wireType !== WIRE_LENGTH) return false;
    if (number === 1) name = readBytes(reader).toString();
    else if (number === 2) {
      let valueName = '';
      let value = 0;
      visitFields(readBytes(reader), (inner, innerWireType, innerReader) => {
        if (inner === 1 && innerWireType === WIRE_LENGTH) valueName = readBytes(innerReader).toString();
        else if (inner === 2 && innerWireType === WIRE_VARINT)
          value = Number(BigInt.asIntN(32, readUint64(innerReader)));
        else return false;
        return true;
      });
      values.set(value, valueName);
    } else return false;
    return true;
  });
  return { name, values };
}
