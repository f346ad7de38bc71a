import { encodeJsonTexts, pathOf } from './encode-json.ts';
import { type Element, encodeProtobuf } from './encode-protobuf.ts';
import { encodeSnappyTexts, encodeSnappyXorBytes } from './encode-snappy.ts';
import type { EncodedRequest, ListKind } from './encoded-request.ts';

export type { EncodedRequest } from './encoded-request.ts';

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
  encodeList('event', events, options);

/** Items, each with id, key and attributes. */
export const encodeItems = (items: readonly Element[], options: EncodeOptions): EncodedRequest =>
  encodeList('item', items, options);

/** User mappings, each with identifies: ids of one person by their keys. */
export const encodeUserMappings = (mappings: readonly Element[], options: EncodeOptions): EncodedRequest =>
  encodeList('user_mapping', mappings, options);

function encodeList(
  kind: ListKind,
  elements: readonly Element[],
  { project, codec, sentAt }: EncodeOptions,
): EncodedRequest {
  switch (codec) {
    case 'json':
      return encodeJsonTexts(kind, project, textsOf(elements), sentAt);
    case 'snappy':
      return encodeSnappyTexts(kind, project, textsOf(elements), sentAt, { xor: false });
    case 'snappy_xor':
      return encodeSnappyTexts(kind, project, textsOf(elements), sentAt, { xor: true });
    case 'protobuf':
      return {
        path: pathOf(kind, project),
        headers: { 'Content-Type': 'application/protobuf' },
        body: encodeProtobuf(kind, elements),
      };
    case 'protobuf_snappy_xor':
      return encodeSnappyXorBytes(kind, project, encodeProtobuf(kind, elements), sentAt);
  }
}

const textsOf = (elements: readonly Element[]): string[] => elements.map((one) => JSON.stringify(one));
