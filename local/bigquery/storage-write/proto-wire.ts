/**
 * The protobuf wire format, read and written by hand: the generic libraries build an object per message,
 * which costs more than everything else an append does.
 */
export interface WireReader {
  readonly bytes: Buffer;
  position: number;
  readonly end: number;
}

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_LENGTH = 2;
export const WIRE_FIXED32 = 5;

/** Thrown for bytes that are not a valid message. */
export class WireError extends Error {}

export function wireReader(bytes: Buffer, position = 0, end = bytes.length): WireReader {
  return { bytes, position, end };
}

/** An unsigned varint that must fit 32 bits: tags and lengths. */
export function readUint32(reader: WireReader): number {
  const { bytes } = reader;
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    if (reader.position >= reader.end) throw new WireError('truncated varint');
    const byte = bytes[reader.position++]!;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) {
      if (value > 0xffffffff) throw new WireError('varint over 32 bits');
      return value;
    }
  }
  throw new WireError('varint over 32 bits');
}

/** Any varint as an unsigned 64-bit integer. */
export function readUint64(reader: WireReader): bigint {
  const { bytes } = reader;
  let low = 0;
  let high = 0;
  for (let index = 0; index < 10; index += 1) {
    if (reader.position >= reader.end) throw new WireError('truncated varint');
    const byte = bytes[reader.position++]!;
    const bits = byte & 0x7f;
    if (index < 4) low += bits * 2 ** (7 * index);
    else if (index === 4) {
      low += (bits & 0x0f) * 2 ** 28;
      high += bits >>> 4;
    } else high += bits * 2 ** (7 * index - 32);
    if (byte < 0x80) {
      if (high === 0) return BigInt(low);
      return BigInt.asUintN(64, (BigInt(high) << 32n) + BigInt(low));
    }
  }
  throw new WireError('varint over 64 bits');
}

export function readInt64(reader: WireReader): bigint {
  return BigInt.asIntN(64, readUint64(reader));
}

/** A tag; throws on field number 0 and on wire types that do not exist. */
export function readTag(reader: WireReader): { number: number; wireType: number } {
  const tag = readUint32(reader);
  const number = Math.floor(tag / 8);
  if (number === 0) throw new WireError('field number 0');
  return { number, wireType: tag & 7 };
}

/** A length-delimited field, without a copy. */
export function readBytes(reader: WireReader): Buffer {
  const length = readUint32(reader);
  const start = reader.position;
  if (start + length > reader.end) throw new WireError('truncated field');
  reader.position = start + length;
  return reader.bytes.subarray(start, start + length);
}

export function readFixed(reader: WireReader, size: 4 | 8): number {
  const start = reader.position;
  if (start + size > reader.end) throw new WireError('truncated field');
  reader.position = start + size;
  return start;
}

export function skipField(reader: WireReader, wireType: number): void {
  switch (wireType) {
    case WIRE_VARINT:
      readUint64(reader);
      return;
    case WIRE_FIXED64:
      readFixed(reader, 8);
      return;
    case WIRE_LENGTH:
      readBytes(reader);
      return;
    case WIRE_FIXED32:
      readFixed(reader, 4);
      return;
    default:
      throw new WireError(`wire type ${wireType}`);
  }
}

/** Walks the fields of a message; `visit` reads the value or answers false to have it skipped. */
export function visitFields(
  bytes: Buffer,
  visit: (number: number, wireType: number, reader: WireReader) => boolean,
): void {
  const reader = wireReader(bytes);
  while (reader.position < reader.end) {
    const { number, wireType } = readTag(reader);
    if (!visit(number, wireType, reader)) skipField(reader, wireType);
  }
}

export function encodeVarint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

/** A varint field; proto3 leaves out zeros, and so does this. */
export function varintField(number: number, value: number | bigint): Buffer {
  if (BigInt(value) === 0n) return Buffer.alloc(0);
  return Buffer.concat([encodeVarint(number * 8 + WIRE_VARINT), encodeVarint(value)]);
}

/** A string, bytes or message field; an empty string is left out, an empty message (a Buffer) is not. */
export function lengthField(number: number, value: string | Buffer): Buffer {
  if (value === '') return Buffer.alloc(0);
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([encodeVarint(number * 8 + WIRE_LENGTH), encodeVarint(bytes.length), bytes]);
}
