import { createRowBuffer } from './row-buffer.ts';
import type { RowDescriptor } from './row-descriptor.ts';

/**
 * Writes AppendRowsRequest messages, one after the other into one buffer:
 * https://github.com/googleapis/googleapis/blob/master/google/cloud/bigquery/storage/v1/storage.proto
 *
 * By hand, because rows are encoded already: protobufjs would copy the message and visit each row three times, and
 * megabytes of fresh memory per append are what the garbage collector spends its time on.
 */
export interface AppendRequestEncoder {
  /** The bytes are valid until the next call. With `opening`, the table and the shape of the rows go along. */
  encode(rows: readonly Uint8Array[], opening: boolean): Buffer;
}

export function createAppendRequestEncoder(
  streamName: string,
  descriptor: RowDescriptor,
): AppendRequestEncoder {
  const writeStream = encodeString(fields.writeStream, streamName);
  const traceId = encodeString(fields.traceId, 'tributary');
  const schema = encodeSchema(descriptor);
  let buffer = Buffer.allocUnsafe(64 * 1024);

  return {
    encode(rows, isOpening) {
      let rowsBytes = 0;
      for (const row of rows) rowsBytes += fieldBytes(row.length);
      const schemaBytes = isOpening ? schema.length : 0;
      const protoRowsBytes = schemaBytes + fieldBytes(rowsBytes);
      const size = writeStream.length + fieldBytes(protoRowsBytes) + traceId.length;
      if (buffer.length < size) buffer = Buffer.allocUnsafe(Math.max(size, buffer.length * 2));

      let at = 0;
      if (isOpening) at += writeStream.copy(buffer, at);
      at = writeHead(buffer, at, fields.protoRows, protoRowsBytes);
      if (isOpening) at += schema.copy(buffer, at);
      at = writeHead(buffer, at, fields.rows, rowsBytes);
      for (const row of rows) {
        at = writeHead(buffer, at, fields.serializedRows, row.length);
        buffer.set(row, at);
        at += row.length;
      }
      if (isOpening) at += traceId.copy(buffer, at);
      return buffer.subarray(0, at);
    },
  };
}

const fields = {
  // AppendRowsRequest
  writeStream: 1,
  protoRows: 4,
  traceId: 6,
  // AppendRowsRequest.ProtoData
  writerSchema: 1,
  rows: 2,
  // ProtoRows
  serializedRows: 1,
  // ProtoSchema
  protoDescriptor: 1,
  // google.protobuf.DescriptorProto
  messageName: 1,
  messageField: 2,
  // google.protobuf.FieldDescriptorProto
  fieldName: 1,
  fieldNumber: 3,
  fieldLabel: 4,
  fieldType: 5,
} as const;

function encodeString(field: number, value: string): Buffer {
  const out = createRowBuffer(512);
  out.string(field, value);
  return Buffer.from(out.bytes(0, out.length));
}

function encodeSchema(descriptor: RowDescriptor): Buffer {
  const message = createRowBuffer(4_096);
  message.string(fields.messageName, descriptor.name);
  for (const { name, number, label, type } of descriptor.field) {
    const field = createRowBuffer(128);
    field.string(fields.fieldName, name);
    field.integer(fields.fieldNumber, number);
    field.integer(fields.fieldLabel, labels[label]);
    field.integer(fields.fieldType, types[type]);
    message.blob(fields.messageField, field.bytes(0, field.length));
  }
  const schema = createRowBuffer(4_096);
  schema.blob(fields.protoDescriptor, message.bytes(0, message.length));
  const out = createRowBuffer(4_096);
  out.blob(fields.writerSchema, schema.bytes(0, schema.length));
  return Buffer.from(out.bytes(0, out.length));
}

/** FieldDescriptorProto.Label and .Type: descriptor.proto of protocol buffers. */
const labels = { LABEL_OPTIONAL: 1, LABEL_REQUIRED: 2, LABEL_REPEATED: 3 } as const;
const types = {
  TYPE_DOUBLE: 1,
  TYPE_INT64: 3,
  TYPE_INT32: 5,
  TYPE_BOOL: 8,
  TYPE_STRING: 9,
  TYPE_BYTES: 12,
} as const;

export type FieldLabel = keyof typeof labels;
export type FieldType = keyof typeof types;

/** What a length-delimited field of `length` bytes takes; all field numbers here fit one byte. */
function fieldBytes(length: number): number {
  let bytes = length + 2;
  for (let rest = length; rest > 0x7f; rest >>>= 7) bytes++;
  return bytes;
}

function writeHead(buffer: Buffer, start: number, field: number, length: number): number {
  let at = start;
  buffer[at++] = (field << 3) | 2;
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) buffer[at++] = (rest & 0x7f) | 0x80;
  buffer[at++] = rest;
  return at;
}
