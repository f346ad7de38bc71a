import { compress } from 'snappyjs';
import { jsonHeaders, pathOf, writeList } from './encode-json.ts';
import type { EncodedRequest, ListKind } from './encoded-request.ts';

const snappyHeaders = { 'X-Compress-Codec': '2' } as const;
const xorHeaders = { ...snappyHeaders, 'X-Crypt-Codec': '1' } as const;

/**
 * As the vendor's Python SDK does with SnappyParser, and with `xor` as SnappyParser(crypt_data=True) does, from elements
 * that are JSON already. `sentAt`: milliseconds since 1970, and the key of the XOR.
 */
export function encodeSnappyTexts(
  kind: ListKind,
  project: string,
  elements: readonly string[],
  sentAt: number,
  { xor }: { readonly xor: boolean },
): EncodedRequest {
  const block = compress(writeList(elements));
  return {
    path: `${pathOf(kind, project)}?stm=${sentAt}`,
    headers: { ...jsonHeaders, ...(xor ? xorHeaders : snappyHeaders) },
    body: xor ? applyXor(block, sentAt) : block,
  };
}

/** As the Go SDK does with the bytes of a protobuf list. */
export const encodeSnappyXorBytes = (
  kind: ListKind,
  project: string,
  bytes: Uint8Array,
  sentAt: number,
): EncodedRequest => ({
  path: `${pathOf(kind, project)}?stm=${sentAt}`,
  headers: { 'Content-Type': 'application/protobuf', ...xorHeaders, 'X-Timestamp': `${sentAt}` },
  body: applyXor(compress(bytes), sentAt),
});

/** Every byte with the lowest of the time. */
function applyXor(bytes: Uint8Array, sentAt: number): Uint8Array {
  const key = sentAt % 256;
  return bytes.map((byte) => byte ^ key);
}
