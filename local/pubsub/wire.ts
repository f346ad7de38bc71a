/**
 * Pub/Sub messages as protobuf bytes. A message is kept as the publisher encoded it and sliced into the answers,
 * because decoding and encoding every message again would cost more than everything else the server does.
 */

/** A message as found in a PublishRequest: what validation needs, and its bytes without the fields only a server sets. */
export interface ScannedMessage {
  bytes: Buffer;
  dataLength: number;
  attributeCount: number;
  orderingKey: boolean;
  /** The first attribute that breaks a limit, when there is one. */
  badAttribute: BadAttribute | undefined;
}

export interface BadAttribute {
  problem: 'empty key' | 'long key' | 'long value' | 'reserved key';
  key: string;
  /** Of what is too long, in bytes. */
  length: number;
}

export interface ScannedPublish {
  topic: string;
  messages: ScannedMessage[];
  /** Encoded size of the request in bytes. */
  size: number;
}

export const longestAttributeKey = 256;
export const longestAttributeValue = 1024;

interface Field {
  number: number;
  /** Where the field starts, tag included, and where it ends. */
  start: number;
  end: number;
  /** Where the value of a length-delimited field starts; -1 for other wire types. */
  value: number;
}

/**
 * Reads a google.pubsub.v1.PublishRequest without decoding its messages.
 * Throws on bytes that are no protobuf, which gRPC answers as INTERNAL.
 */
export function readPublishRequest(request: Buffer): ScannedPublish {
  const scanned: ScannedPublish = { topic: '', messages: [], size: request.length };
  eachField(request, 0, request.length, (field) => {
    if (field.value < 0) return;
    if (field.number === 1) scanned.topic = request.toString('utf8', field.value, field.end);
    if (field.number === 2) scanned.messages.push(scanMessage(request, field.value, field.end));
  });
  return scanned;
}

/** Reads the data and the attributes of an encoded PubsubMessage. */
export function readMessage(bytes: Buffer): { data: Buffer; attributes: Record<string, string> } {
  let data = bytes.subarray(0, 0);
  // Without a prototype, so that __proto__ is a key like any other.
  const attributes: Record<string, string> = Object.create(null);
  eachField(bytes, 0, bytes.length, (field) => {
    if (field.number === 1) data = bytes.subarray(field.value, field.end);
    if (field.number === 2) {
      const entry = scanAttribute(bytes, field.value, field.end);
      attributes[bytes.toString('utf8', entry.key, entry.keyEnd)] = bytes.toString(
        'utf8',
        entry.value,
        entry.valueEnd,
      );
    }
  });
  return { data, attributes };
}

/** Adds attributes to an encoded PubsubMessage; one of the same key is replaced, as the last entry of a map wins. */
export function addAttributes(bytes: Buffer, attributes: Record<string, string>): Buffer {
  const parts: Buffer[] = [bytes];
  for (const [key, value] of Object.entries(attributes)) {
    const entry = Buffer.concat([
      lengthDelimited(0x0a, Buffer.from(key)),
      lengthDelimited(0x12, Buffer.from(value)),
    ]);
    parts.push(lengthDelimited(0x12, entry));
  }
  return Buffer.concat(parts);
}

/** One message on its way to a puller. `published` is in milliseconds since the epoch; attempt 0 is left out. */
export interface OutgoingMessage {
  ackId: string;
  messageId: number;
  published: number;
  bytes: Buffer;
  deliveryAttempt: number;
}

/** Encodes a PullResponse, which is also a StreamingPullResponse that holds messages only. */
export function encodePullResponse(messages: readonly OutgoingMessage[]): Buffer {
  const plans = messages.map(planMessage);
  let total = 0;
  for (const plan of plans) total += 1 + varintLength(plan.received) + plan.received;
  const out = Buffer.allocUnsafe(total);
  let at = 0;
  for (const plan of plans) {
    out[at++] = 0x0a;
    at = writeVarint(out, at, plan.received);
    at = writeText(out, at, 0x0a, plan.message.ackId);
    out[at++] = 0x12;
    at = writeVarint(out, at, plan.body);
    at += plan.message.bytes.copy(out, at);
    at = writeText(out, at, 0x1a, plan.messageId);
    out[at++] = 0x22;
    out[at++] = plan.timestamp;
    out[at++] = 0x08;
    at = writeVarint(out, at, plan.seconds);
    if (plan.nanos > 0) {
      out[at++] = 0x10;
      at = writeVarint(out, at, plan.nanos);
    }
    if (plan.message.deliveryAttempt > 0) {
      out[at++] = 0x18;
      at = writeVarint(out, at, plan.message.deliveryAttempt);
    }
  }
  return out;
}

/** Encodes a PublishResponse. */
export function encodePublishResponse(messageIds: readonly number[]): Buffer {
  let total = 0;
  const texts = messageIds.map(String);
  for (const text of texts) total += 2 + text.length;
  const out = Buffer.allocUnsafe(total);
  let at = 0;
  for (const text of texts) at = writeText(out, at, 0x0a, text);
  return out;
}

function planMessage(message: OutgoingMessage) {
  const messageId = String(message.messageId);
  const seconds = Math.floor(message.published / 1000);
  const nanos = (message.published % 1000) * 1_000_000;
  const timestamp = 1 + varintLength(seconds) + (nanos > 0 ? 1 + varintLength(nanos) : 0);
  const body = message.bytes.length + 2 + messageId.length + 2 + timestamp;
  const attempt = message.deliveryAttempt > 0 ? 1 + varintLength(message.deliveryAttempt) : 0;
  const received = 2 + message.ackId.length + 1 + varintLength(body) + body + attempt;
  return { message, messageId, seconds, nanos, timestamp, body, received };
}

function scanMessage(buffer: Buffer, start: number, end: number): ScannedMessage {
  const scanned: ScannedMessage = {
    bytes: buffer.subarray(start, end),
    dataLength: 0,
    attributeCount: 0,
    orderingKey: false,
    badAttribute: undefined,
  };
  const kept: Buffer[] = [];
  let keptFrom = start;
  eachField(buffer, start, end, (field) => {
    if (field.number === 1 && field.value >= 0) scanned.dataLength = field.end - field.value;
    else if (field.number === 2 && field.value >= 0) {
      scanned.attributeCount++;
      scanned.badAttribute ??= judgeAttribute(buffer, field.value, field.end);
    } else if (field.number === 3 || field.number === 4) {
      kept.push(buffer.subarray(keptFrom, field.start));
      keptFrom = field.end;
    } else if (field.number === 5 && field.end > field.value) scanned.orderingKey = true;
  });
  if (kept.length > 0) scanned.bytes = Buffer.concat([...kept, buffer.subarray(keptFrom, end)]);
  return scanned;
}

function judgeAttribute(buffer: Buffer, start: number, end: number): BadAttribute | undefined {
  const entry = scanAttribute(buffer, start, end);
  const keyLength = entry.keyEnd - entry.key;
  const valueLength = entry.valueEnd - entry.value;
  const text = () => buffer.toString('utf8', entry.key, entry.keyEnd);
  if (keyLength === 0) return { problem: 'empty key', key: '', length: 0 };
  if (keyLength > longestAttributeKey) return { problem: 'long key', key: text(), length: keyLength };
  if (valueLength > longestAttributeValue) return { problem: 'long value', key: text(), length: valueLength };
  // Google's own clients send googclient_ attributes (trace context, schema encoding).
  if (buffer[entry.key] === 0x67 && text().startsWith('goog') && !text().startsWith('googclient_')) {
    return { problem: 'reserved key', key: text(), length: keyLength };
  }
  return undefined;
}

function scanAttribute(buffer: Buffer, start: number, end: number) {
  const entry = { key: start, keyEnd: start, value: start, valueEnd: start };
  eachField(buffer, start, end, (field) => {
    if (field.number === 1) {
      entry.key = field.value;
      entry.keyEnd = field.end;
    }
    if (field.number === 2) {
      entry.value = field.value;
      entry.valueEnd = field.end;
    }
  });
  return entry;
}

function eachField(buffer: Buffer, start: number, end: number, visit: (field: Field) => void): void {
  const cursor = { at: start };
  while (cursor.at < end) {
    const fieldStart = cursor.at;
    const tag = readVarint(buffer, cursor, end);
    const wireType = tag & 7;
    const field: Field = { number: tag >>> 3, start: fieldStart, end: 0, value: -1 };
    if (wireType === 2) {
      const length = readVarint(buffer, cursor, end);
      field.value = cursor.at;
      cursor.at += length;
    } else if (wireType === 0) readVarint(buffer, cursor, end);
    else if (wireType === 1) cursor.at += 8;
    else if (wireType === 5) cursor.at += 4;
    else throw new Error(`invalid wire type ${wireType} at offset ${fieldStart}`);
    if (cursor.at > end) throw new Error(`index out of range: ${cursor.at} > ${end}`);
    field.end = cursor.at;
    visit(field);
  }
}

function readVarint(buffer: Buffer, cursor: { at: number }, end: number): number {
  let value = 0;
  let factor = 1;
  for (let i = 0; i < 10; i++) {
    if (cursor.at >= end) throw new Error('index out of range: truncated varint');
    const byte = buffer[cursor.at++]!;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
    factor *= 128;
  }
  throw new Error('invalid varint encoding');
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length;
}

function writeVarint(out: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest >= 128) {
    out[at++] = (rest % 128) + 128;
    rest = Math.floor(rest / 128);
  }
  out[at++] = rest;
  return at;
}

function writeText(out: Buffer, start: number, tag: number, text: string): number {
  // Ids are ASCII and shorter than 128 bytes, so one byte holds their length.
  out[start] = tag;
  out[start + 1] = text.length;
  return start + 2 + out.write(text, start + 2, 'latin1');
}

function lengthDelimited(tag: number, value: Buffer): Buffer {
  const head = Buffer.allocUnsafe(1 + varintLength(value.length));
  head[0] = tag;
  writeVarint(head, 1, value.length);
  return Buffer.concat([head, value]);
}
