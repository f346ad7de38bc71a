import { encodeSnappyTexts } from '../shared/wire/growingio/encode-snappy.ts';
import type { GrowingCodec } from './codecs/codec.ts';

export interface SnappyOptions {
  /** Every byte XORed with the time of sending, as `SnappyParser(crypt_data=True)` does; false by default. */
  readonly xor?: boolean;
}

/** As SnappyParser of the vendor's Python SDK: JSON as a raw snappy block. */
export const snappy = ({ xor = false }: SnappyOptions = {}): GrowingCodec => ({
  encode: (kind, projectId, elements, sentAt) =>
    encodeSnappyTexts(kind, projectId, elements, sentAt, { xor }),
});
