import type { Refusal } from '../../events/event.ts';
import { gunzip } from '../gunzip.ts';
import { type JsonValue, parseJson } from '../json/parse-json.ts';

/** Members of an event, nested values included; an SDK sends a few dozen an event. */
const bounds = { values: 1_000_000, depth: 1_000 };

export type ReadBody =
  /** `bytes`: the length of the JSON. */
  | { readonly ok: true; readonly value: JsonValue; readonly bytes: number }
  | { readonly ok: false; readonly refusal: Refusal };

/** The JSON of a request, or of gzip, by its first bytes: pages send JSON as text/plain, and proxies inflate or not. */
export function readBody(body: Buffer, inflatedBytes: number): ReadBody {
  if (body.length === 0) return refuse('empty_body', 'the body is empty; it should be a JSON object');
  if (!isGzip(body)) return readJson(body);
  try {
    return readJson(gunzip(body, inflatedBytes));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'ERR_BUFFER_TOO_LARGE'
      ? refuse('inflates_too_large', `the body inflates to more than ${inflatedBytes} bytes`)
      : refuse('broken_gzip', `the gzip data in the body is broken: ${code}`);
  }
}

/** UTF-8 JSON, bounded before it is parsed. */
export function readJson(bytes: Buffer): ReadBody {
  const parsed = parseJson(bytes, bounds);
  return parsed.ok
    ? { ok: true, value: parsed.value, bytes: bytes.length }
    : refuse(parsed.reason, parsed.detail);
}

/**
 * A batch without the time of sending, which the SDKs write anew when they send it again, so that it is known as the same.
 * One that is compressed stays as it is: RudderStack's SDK sends the very bytes again.
 */
export function withoutSentAt(body: Buffer): Buffer {
  if (isGzip(body)) return body;
  const kept: Buffer[] = [];
  let from = 0;
  let at = body.indexOf(sentAt);
  while (at >= 0) {
    const member = sentAtMember.exec(body.toString('latin1', at, at + longestSentAt));
    const end = at + (member?.[0] ?? sentAt).length;
    if (member !== null) {
      kept.push(body.subarray(from, at), emptyText);
      from = end;
    }
    at = body.indexOf(sentAt, end);
  }
  return from === 0 ? body : Buffer.concat([...kept, body.subarray(from)]);
}

const sentAt = Buffer.from('"sentAt"');
/** Within a string the quotation marks would be escaped. */
const sentAtMember = /^"sentAt"\s*:\s*"[^"\\]*"/;
/** With white space; a time has some thirty characters. */
const longestSentAt = 200;
const emptyText = Buffer.from('""');

const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

const refuse = (reason: string, detail: string): ReadBody => ({
  ok: false,
  refusal: { reason, field: undefined, detail },
});
