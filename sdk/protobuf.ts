import { pathOf } from '../shared/wire/growingio/encode-json.ts';
import { type Element, encodeProtobuf } from '../shared/wire/growingio/encode-protobuf.ts';
import type { GrowingCodec } from './codecs/codec.ts';

/** As ProtobufParser of the vendor's Python SDK, and as the Java SDK always does: attributes are text. */
export const protobuf: GrowingCodec = {
  encode: (kind, projectId, elements) => ({
    path: pathOf(kind, projectId),
    headers: { 'Content-Type': 'application/protobuf' },
    body: encodeProtobuf(
      kind,
      elements.map((text) => JSON.parse(text) as Element),
    ),
  }),
};
