import type { Refusal } from '../../events/event.ts';
import type { WireRequest } from '../dialect.ts';
import { gunzip } from '../gunzip.ts';
import { type JsonValue, parseJson } from '../json/parse-json.ts';
import { readParameter } from '../read-parameter.ts';
import { decodeBase64 } from './decode-base64.ts';
import { decrypt, readEnvelope } from './decrypt.ts';
import { mendUtf8 } from './mend-utf8.ts';

/** Members of an event and its xcontext, nested values included; an SDK sends a few dozen an event. */
const bounds = { values: 1_000_000, depth: 1_000 };

export type ReadBody =
  /** `bytes`: the length of the JSON. */
  | { readonly ok: true; readonly value: JsonValue; readonly bytes: number }
  | { readonly ok: false; readonly refusal: Refusal };

type Sent = Pick<WireRequest, 'query' | 'header'>;

/**
 * The JSON in a request of any Analysys SDK, by what its bytes are and not by what its headers claim, which is wrong as
 * often as not: plain, or base64 of it; in both gzip, or gzip of hexadecimal ciphertext. Where the body is empty it is
 * the parameter `data`, as the web SDK's image has it.
 *
 * Nothing is asked of `reqv` before the bytes have been looked at: an SDK whose encryption failed says it and sends
 * plain JSON. `send_type` is not verified at all: it is a checksum without a key over the URL as the SDK was given it,
 * so it keeps nobody out, and a proxy that adds or takes away a path would make every event of its site look false.
 */
export function readBody(request: Sent & Pick<WireRequest, 'body'>, inflatedBytes: number): ReadBody {
  const { body, query } = request;
  const payload = body.length > 0 ? body : Buffer.from(readParameter(query, 'data') ?? '');
  const first = firstByte(payload);
  if (first === undefined) {
    return refuse(
      'empty_body',
      'the body is empty, and so is the parameter data of the query; one of them should be a JSON array of events',
    );
  }
  if (first === leftBracket || first === leftBrace) return readJson(payload);
  if (isGzip(payload)) return readGzip(payload, request, inflatedBytes);
  if (isHexadecimal(payload)) return readText(payload, request);

  const decoded = decodeBase64(payload);
  if (decoded === undefined) {
    if (saysEncrypted(request)) return readEncrypted(payload, request);
    return refuse('not_base64', 'this is neither JSON nor base64; an SDK sends one of the two');
  }
  if (isGzip(decoded)) return readGzip(decoded, request, inflatedBytes);
  // An image of the encrypt plugin is base64 of what it would have posted.
  const inner = decoded.toString('latin1', 0, 4) === 'H4sI' ? decodeBase64(decoded) : undefined;
  if (inner !== undefined) return readGzip(inner, request, inflatedBytes);
  const read = readText(decoded, request);
  return read.ok
    ? read
    : refuse(read.refusal.reason, `taken for base64, which it could be: ${read.refusal.detail}`);
}

function readGzip(bytes: Buffer, request: Sent, inflatedBytes: number): ReadBody {
  let text: Buffer;
  try {
    text = gunzip(bytes, inflatedBytes);
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
  return readText(text, request);
}

/** What is no JSON is ciphertext where it looks like whole blocks of it, and where the request says so. */
function readText(text: Buffer, request: Sent): ReadBody {
  const first = firstByte(text);
  if (first === leftBracket || first === leftBrace) return readJson(text);
  const isBlocks = text.length % 32 === 0 && isHexadecimal(text);
  return isBlocks || saysEncrypted(request) ? readEncrypted(text, request) : readJson(text);
}

const saysEncrypted = (request: Sent): boolean => readEnvelope(request).reqv !== undefined;

function readEncrypted(text: Buffer, request: Sent): ReadBody {
  const decrypted = decrypt(text, readEnvelope(request));
  return decrypted.ok ? readJson(decrypted.text) : decrypted;
}

/** UTF-8 JSON, bounded before it is parsed. */
export function readJson(bytes: Buffer): ReadBody {
  const parsed = parseJson(bytes, bounds);
  if (parsed.ok) return { ok: true, value: parsed.value, bytes: bytes.length };
  if (parsed.reason !== 'invalid_utf8') return refuse(parsed.reason, parsed.detail);
  const mended = parseJson(mendUtf8(bytes), bounds);
  return mended.ok
    ? { ok: true, value: mended.value, bytes: bytes.length }
    : refuse(mended.reason, mended.detail);
}

const leftBracket = 0x5b;
const leftBrace = 0x7b;

const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

function isHexadecimal(bytes: Buffer): boolean {
  for (const byte of bytes) {
    const isDigit = byte >= 0x30 && byte <= 0x39;
    const isLetter = (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
    if (!isDigit && !isLetter) return false;
  }
  return bytes.length > 0;
}

function firstByte(body: Buffer): number | undefined {
  // A byte order mark and white space may stand before JSON.
  let at = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
  while (body[at] === 0x20 || body[at] === 0x0a || body[at] === 0x0d || body[at] === 0x09) at++;
  return body[at];
}

const refuse = (reason: string, detail: string): ReadBody => ({
  ok: false,
  refusal: { reason, field: undefined, detail },
});
