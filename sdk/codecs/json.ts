import { encodeJsonTexts } from '../../shared/wire/growingio/encode-json.ts';
import type { GrowingCodec } from './codec.ts';

/** The default, as JsonParser of the vendor's Python SDK: plain JSON. */
export const json: GrowingCodec = { encode: encodeJsonTexts };
