import type { ListKind } from './encoded-request.ts';
import { eventTypes } from './event-types.ts';
import { eventMessage, type FieldType, itemMessage, type MessageShape, mappingMessage } from './messages.ts';

/** An element as the JSON SDKs write it. Members that the shape of its message does not have are left out. */
export type Element = { readonly [member: string]: unknown };

/** A list message. Attributes are text in protobuf: a list is joined with `||`, everything else written as a string. */
export function encodeProtobuf(kind: ListKind, elements: readonly Element[]): Uint8Array {
  const { field, shape } = lists[kind];
  const bytes: number[] = [];
  for (const element of elements) writeDelimited(bytes, field, encodeMessage(element, shape));
  return Uint8Array.from(bytes);
}

const lists: Readonly<Record<ListKind, { readonly field: number; readonly shape: MessageShape }>> = {
  event: { field: 1, shape: eventMessage },
  item: { field: 2, shape: itemMessage },
  user_mapping: { field: 1, shape: mappingMessage },
};

const varint = 0;
const fixed64 = 1;
const lengthDelimited = 2;

function encodeMessage(element: Element, shape: MessageShape): number[] {
  const bytes: number[] = [];
  for (const [number, { name, type }] of shape) {
    const value = element[name];
    if (value !== undefined && value !== null) writeField(bytes, number, type, value);
  }
  return bytes;
}

/** As in proto3, what is the default of its type is not written. */
function writeField(bytes: number[], number: number, type: FieldType, value: unknown): void {
  if (type === 'string') {
    if (value !== '') writeDelimited(bytes, number, utf8(String(value)));
  } else if (type === 'string_map') {
    for (const [key, member] of Object.entries(value as Element)) {
      const entry: number[] = [];
      writeDelimited(entry, 1, utf8(key));
      writeDelimited(entry, 2, utf8(textOf(member)));
      writeDelimited(bytes, number, entry);
    }
  } else if (type === 'double') {
    writeVarint(bytes, BigInt(number * 8 + fixed64));
    const double = new DataView(new ArrayBuffer(8));
    double.setFloat64(0, Number(value), true);
    bytes.push(...new Uint8Array(double.buffer));
  } else if (typeof type === 'object') {
    writeDelimited(bytes, number, encodeMessage(value as Element, type));
  } else {
    const place = type === 'event_type' ? (eventTypes as readonly unknown[]).indexOf(value) : -1;
    const integer = BigInt(place < 0 ? (value as number | bigint | string) : place);
    if (integer === 0n) return;
    writeVarint(bytes, BigInt(number * 8 + varint));
    writeVarint(bytes, BigInt.asUintN(64, integer));
  }
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) {
    return value
      .filter((it) => it !== null && it !== undefined && it !== '')
      .map(textOf)
      .join('||');
  }
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

function writeDelimited(bytes: number[], number: number, content: ArrayLike<number>): void {
  writeVarint(bytes, BigInt(number * 8 + lengthDelimited));
  writeVarint(bytes, BigInt(content.length));
  for (let at = 0; at < content.length; at++) bytes.push(content[at] as number);
}

function writeVarint(bytes: number[], value: bigint): void {
  let left = value;
  while (left > 0x7fn) {
    bytes.push(Number(left & 0x7fn) | 0x80);
    left >>= 7n;
  }
  bytes.push(Number(left));
}

const encoder = new TextEncoder();
const utf8 = (text: string): Uint8Array => encoder.encode(text);
