import { gunzipSync } from 'node:zlib';
import type { Refusal } from '../../events/event.ts';
import { type JsonValue, parseJson } from '../json/parse-json.ts';

/** Members of an event and its xcontext, nested values included; an SDK sends a few dozen an event. */
const bounds = { values: 1_000_000, depth: 1_000 };

export type ReadBody =
  /** `bytes`: the length of the JSON. */
  | { readonly ok: true; readonly value: JsonValue; readonly bytes: number }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * The JSON in a body of any Analysys SDK: plain, base64, or base64 of gzip, whatever the headers say
 * (Python, Java, PHP and Go send content types and encodings that are not what the body is).
 */
export function readBody(body: Buffer, inflatedBytes: number): ReadBody {
  const first = firstByte(body);
  if (first === undefined)
    return refuse('empty_body', 'the body is empty; it should be a JSON array of events');
  if (first === leftBracket || first === leftBrace) return readJson(body);
  const decoded = decodeBase64(body);
  if (decoded === undefined) {
    return refuse('not_base64', 'the body is neither JSON nor base64; an SDK sends one of the two');
  }
  if (decoded[0] !== 0x1f || decoded[1] !== 0x8b) return readJson(decoded);
  try {
    return readJson(gunzipSync(decoded, { maxOutputLength: inflatedBytes }));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      return refuse('inflates_too_large', `the body inflates to more than ${inflatedBytes} bytes`);
    }
    return refuse(
      'broken_gzip',
      `the gzip data in the body is broken: ${error instanceof Error ? error.message : code}`,
    );
  }
}

const leftBracket = 0x5b;
const leftBrace = 0x7b;

/** UTF-8 JSON, bounded before it is parsed. */
export function readJson(bytes: Buffer): ReadBody {
  const parsed = parseJson(bytes, bounds);
  return parsed.ok
    ? { ok: true, value: parsed.value, bytes: bytes.length }
    : refuse(parsed.reason, parsed.detail);
}

function firstByte(body: Buffer): number | undefined {
  // A byte order mark and white space may stand before JSON.
  let at = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
  while (body[at] === 0x20 || body[at] === 0x0a || body[at] === 0x0d || body[at] === 0x09) at++;
  return body[at];
}

/** Node's decoder skips what is not base64, so a body is checked before it is believed. */
function decodeBase64(body: Buffer): Buffer | undefined {
  const text = body.toString('latin1');
  return notBase64.test(text) ? undefined : Buffer.from(text, 'base64');
}

const notBase64 = /[^A-Za-z0-9+/=\r\n]/;

const refuse = (reason: string, detail: string): ReadBody => ({
  ok: false,
  refusal: { reason, field: undefined, detail },
});
