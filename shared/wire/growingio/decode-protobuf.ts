import { isUtf8 } from 'node:buffer';
import type { JsonObject, JsonValue } from '../json/parse-json.ts';
import { setMember } from '../json/set-member.ts';
import type { Route } from './endpoint.ts';
import { eventTypes } from './event-types.ts';
import { eventMessage, type FieldType, itemMessage, type MessageShape, mappingMessage } from './messages.ts';

export type DecodedProtobuf =
  | { readonly kind: 'elements'; readonly elements: readonly JsonObject[] }
  | { readonly kind: 'broken' | 'too_many_events' | 'too_many_values' };

export interface ProtobufBounds {
  readonly events: number;
  /** Fields, entries of maps included. */
  readonly values: number;
}

/**
 * The elements of the list that is sent to a route, as the JSON objects that the other SDKs would send.
 *
 * As in proto3, a field that holds its default is absent. Numbers of 64 bits stay exact; fields that the shapes do not
 * name, of an SDK newer than they are, are kept under `unknownFields`, by number.
 */
export function decodeProtobuf(bytes: Buffer, route: Route, bounds: ProtobufBounds): DecodedProtobuf {
  const lists = listsOf[route];
  const reader: Reader = { bytes, at: 0, left: bounds.values };
  const elements: JsonObject[] = [];
  try {
    while (reader.at < bytes.length) {
      const tag = readTag(reader, bytes.length);
      const shape = wireOf(tag) === lengthDelimited ? lists.get(numberOf(tag)) : undefined;
      if (shape === undefined) return { kind: 'broken' };
      if (elements.length === bounds.events) return { kind: 'too_many_events' };
      const element = readMessage(reader, readEnd(reader, bytes.length), shape);
      if (route === 'collect') element.eventType ??= eventTypes[0];
      elements.push(element);
    }
  } catch (error) {
    if (error instanceof Broken) return { kind: error.kind };
    throw error;
  }
  return { kind: 'elements', elements };
}

const none: ReadonlyMap<number, MessageShape> = new Map();

/** The list messages, by the number of their one field. */
const listsOf: Readonly<Record<Route, ReadonlyMap<number, MessageShape>>> = {
  collect: new Map([[1, eventMessage]]),
  // The older Python SDK sends items as events.
  item: new Map([
    [2, itemMessage],
    [1, eventMessage],
  ]),
  user_mapping: new Map([[1, mappingMessage]]),
  cstm: none,
  custom: none,
};

class Broken extends Error {
  readonly kind: 'broken' | 'too_many_values';
  constructor(kind: 'broken' | 'too_many_values') {
    super(kind);
    this.kind = kind;
  }
}

interface Reader {
  readonly bytes: Buffer;
  at: number;
  /** Values that may still be read. */
  left: number;
}

/** Wire types, protobuf.dev/programming-guides/encoding. */
const varint = 0;
const fixed64 = 1;
const lengthDelimited = 2;
const fixed32 = 5;

const wireOfType = (type: FieldType): number => {
  if (type === 'double') return fixed64;
  return type === 'int32' || type === 'int64' || type === 'event_type' ? varint : lengthDelimited;
};

function readMessage(reader: Reader, end: number, shape: MessageShape): JsonObject {
  const message: JsonObject = {};
  while (reader.at < end) {
    if (--reader.left < 0) throw new Broken('too_many_values');
    const tag = readTag(reader, end);
    const field = shape.get(numberOf(tag));
    if (field === undefined || wireOfType(field.type) !== wireOf(tag)) keepUnknown(reader, end, tag, message);
    else if (field.type === 'string_map') readEntry(reader, end, message, field.name);
    else {
      const value = readValue(reader, end, field.type);
      if (value === undefined) delete message[field.name];
      else message[field.name] = value;
    }
  }
  return message;
}

/** Undefined for the default of the type. */
function readValue(
  reader: Reader,
  end: number,
  type: Exclude<FieldType, 'string_map'>,
): JsonValue | undefined {
  if (type === 'string') return readText(reader, readEnd(reader, end)) || undefined;
  if (type === 'double') return readDouble(reader, end);
  if (typeof type === 'object') {
    const message = readMessage(reader, readEnd(reader, end), type);
    return Object.keys(message).length === 0 ? undefined : message;
  }
  const value = readVarint(reader, end);
  if (value === 0) return undefined;
  return type === 'event_type' && typeof value === 'number' ? (eventTypes[value] ?? value) : value;
}

function readEntry(reader: Reader, end: number, message: JsonObject, name: string): void {
  const entryEnd = readEnd(reader, end);
  let key = '';
  let value = '';
  while (reader.at < entryEnd) {
    const tag = readTag(reader, entryEnd);
    if (wireOf(tag) !== lengthDelimited || numberOf(tag) > 2) throw new Broken('broken');
    const text = readText(reader, readEnd(reader, entryEnd));
    if (numberOf(tag) === 1) key = text;
    else value = text;
  }
  setMember(entriesOf(message, name), key, value);
}

function keepUnknown(reader: Reader, end: number, tag: number, message: JsonObject): void {
  const value = readUnknown(reader, end, wireOf(tag));
  const fields = entriesOf(message, 'unknownFields');
  const before = fields[numberOf(tag)];
  if (Array.isArray(before)) before.push(value);
  else fields[numberOf(tag)] = before === undefined ? value : [before, value];
}

/** The object that a member is, made where there is none yet. */
function entriesOf(message: JsonObject, name: string): JsonObject {
  const known = message[name];
  if (typeof known === 'object' && known !== null && !Array.isArray(known)) return known;
  const made: JsonObject = {};
  message[name] = made;
  return made;
}

function readUnknown(reader: Reader, end: number, wire: number): JsonValue {
  if (wire === varint) return readVarint(reader, end);
  if (wire === lengthDelimited) {
    const bytes = readBytes(reader, readEnd(reader, end));
    return isUtf8(bytes) ? bytes.toString() : bytes.toString('base64');
  }
  if (wire === fixed64) return readFixed(reader, end, 8).readBigUInt64LE();
  if (wire === fixed32) return readFixed(reader, end, 4).readUInt32LE();
  throw new Broken('broken');
}

/** The number of a field and its wire type in one: every field of every event has one, so it is no object. */
function readTag(reader: Reader, end: number): number {
  const tag = readVarint(reader, end);
  if (typeof tag !== 'number' || tag < 8 || tag > 0xffffffff) throw new Broken('broken');
  return tag;
}

const numberOf = (tag: number): number => tag >>> 3;
const wireOf = (tag: number): number => tag & 7;

/** Where what is length-delimited ends. */
function readEnd(reader: Reader, end: number): number {
  const length = readVarint(reader, end);
  if (typeof length !== 'number' || length < 0 || reader.at + length > end) throw new Broken('broken');
  return reader.at + length;
}

/** A signed number of 64 bits; a bigint where no double holds it. */
function readVarint(reader: Reader, end: number): number | bigint {
  let value = 0;
  for (let shift = 0; shift < 49; shift += 7) {
    const byte = nextByte(reader, end);
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  let large = BigInt(value);
  for (let shift = 49n; shift < 70n; shift += 7n) {
    const byte = nextByte(reader, end);
    large |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) {
      const signed = BigInt.asIntN(64, large);
      return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
    }
  }
  throw new Broken('broken');
}

function nextByte(reader: Reader, end: number): number {
  if (reader.at >= end) throw new Broken('broken');
  return reader.bytes[reader.at++] as number;
}

function readText(reader: Reader, end: number): string {
  const text = reader.bytes.toString('utf8', reader.at, end);
  reader.at = end;
  return text;
}

function readBytes(reader: Reader, end: number): Buffer {
  const bytes = reader.bytes.subarray(reader.at, end);
  reader.at = end;
  return bytes;
}

function readFixed(reader: Reader, end: number, size: number): Buffer {
  if (reader.at + size > end) throw new Broken('broken');
  return readBytes(reader, reader.at + size);
}

/** What is no number is written as its name, as protobuf's JSON form has it. */
function readDouble(reader: Reader, end: number): JsonValue | undefined {
  const value = readFixed(reader, end, 8).readDoubleLE();
  if (value === 0) return undefined;
  return Number.isFinite(value) ? value : String(value);
}
