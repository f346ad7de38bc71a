import { compress } from 'snappyjs';
import { type Element, encodeProtobuf, type ListKind } from './encode-protobuf.ts';

/** A POST as an SDK of GrowingIO sends it. */
export interface EncodedRequest {
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * How a list is written: as the vendor's Python SDK does with JsonParser, SnappyParser, SnappyParser(crypt_data=True) and
 * ProtobufParser (the Java SDK does the last too), and as the Go SDK always does.
 */
export type Codec = 'json' | 'snappy' | 'snappy_xor' | 'protobuf' | 'protobuf_snappy_xor';

/** `sentAt`: milliseconds since 1970; a part of what is sent, and with XOR the key of it. */
export interface EncodeOptions {
  readonly project: string;
  readonly codec: Codec;
  readonly sentAt: number;
}

/** Events, each with eventType, deviceId or userId, timestamp, attributes and so on. */
export const encodeEvents = (events: readonly Element[], options: EncodeOptions): EncodedRequest =>
  encodeList('event', `/v3/projects/${encodeURIComponent(options.project)}/collect`, events, options);

/** Items, each with id, key and attributes. */
export const encodeItems = (items: readonly Element[], options: EncodeOptions): EncodedRequest =>
  encodeList('item', `/projects/${encodeURIComponent(options.project)}/collect/item`, items, options);

/** User mappings, each with identifies: ids of one person by their keys. */
export const encodeUserMappings = (mappings: readonly Element[], options: EncodeOptions): EncodedRequest =>
  encodeList(
    'user_mapping',
    `/projects/${encodeURIComponent(options.project)}/collect/user-mapping`,
    mappings,
    options,
  );

function encodeList(
  kind: ListKind,
  path: string,
  elements: readonly Element[],
  { codec, sentAt }: EncodeOptions,
): EncodedRequest {
  const timed = `${path}?stm=${sentAt}`;
  const json = { 'Content-Type': 'application/json' };
  const protobuf = { 'Content-Type': 'application/protobuf' };
  const snappy = { 'X-Compress-Codec': '2' };
  const xor = { ...snappy, 'X-Crypt-Codec': '1' };
  switch (codec) {
    case 'json':
      return { path: timed, headers: json, body: encodeJson(elements) };
    case 'snappy':
      return { path: timed, headers: { ...json, ...snappy }, body: compress(encodeJson(elements)) };
    case 'snappy_xor':
      return {
        path: timed,
        headers: { ...json, ...xor },
        body: applyXor(compress(encodeJson(elements)), sentAt),
      };
    case 'protobuf':
      return { path, headers: protobuf, body: encodeProtobuf(kind, elements) };
    case 'protobuf_snappy_xor':
      return {
        path: timed,
        headers: { ...protobuf, ...xor, 'X-Timestamp': `${sentAt}` },
        body: applyXor(compress(encodeProtobuf(kind, elements)), sentAt),
      };
  }
}

/** Compact, and beyond ASCII escaped, as Python's json.dumps writes it. */
function encodeJson(elements: readonly Element[]): Uint8Array {
  const escaped = JSON.stringify(elements).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return new TextEncoder().encode(escaped);
}

/** Every byte with the lowest of the time. */
function applyXor(bytes: Uint8Array, sentAt: number): Uint8Array {
  const key = sentAt % 256;
  return bytes.map((byte) => byte ^ key);
}
