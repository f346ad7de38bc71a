import { unescape as decodePercent } from 'node:querystring';
import type { Refusal } from '../../events/event.ts';
import type { DecodeOptions, WireRequest } from '../dialect.ts';
import { gunzip } from '../gunzip.ts';
import { type JsonValue, parseJson } from '../json/parse-json.ts';
import { readParameter } from '../read-parameter.ts';
import { decodeLzString } from './decode-lz-string.ts';
import { decodeProtobuf } from './decode-protobuf.ts';
import { decodeSnappy, measureSnappy } from './decode-snappy.ts';
import type { Route } from './endpoint.ts';
import { requestBounds } from './limits.ts';
import { undoXor } from './undo-xor.ts';

export type ReadBody =
  /** `bytes`: about how long the JSON is. */
  | { readonly ok: true; readonly value: JsonValue; readonly bytes: number }
  | { readonly ok: false; readonly refusal: Refusal };

type Sent = Pick<WireRequest, 'query' | 'header' | 'body'>;

/** What one way of reading says: undefined where the bytes are nothing of its kind. */
type Tried = ReadBody | undefined;

/**
 * The elements in a request of any GrowingIO SDK, by what its bytes are and not by what its headers and parameters claim,
 * since proxies drop those and SDKs of different ages use them differently: JSON or protobuf, plain or in gzip, snappy or
 * LZString, XORed or not. Each format is recognised to its last byte, so that none is taken for another. Where the body
 * is empty it is the parameter `data`, as the web SDK's image has it.
 */
export function readBody(request: Sent, route: Route, options: DecodeOptions): ReadBody {
  const { body, query } = request;
  if (body.length === 0) return readImage(query, options);
  const plain = undoXor(request);
  const read = readBytes(plain, route, options);
  if (read === undefined || (!read.ok && plain !== body)) {
    const asSent = plain === body ? undefined : readBytes(body, route, options);
    return asSent?.ok === true ? asSent : (read ?? asSent ?? unreadable);
  }
  return read;
}

/** Whether the query holds what an image sends. */
export const hasData = (query: string): boolean => (readParameter(query, 'data') ?? '') !== '';

type Attempt = (bytes: Buffer, route: Route, options: DecodeOptions) => Tried;

const readBytes: Attempt = (bytes, route, options) =>
  readAs([tryGzip, ...withoutGzip], bytes, route, options);

function readAs(attempts: readonly Attempt[], ...[bytes, route, options]: Parameters<Attempt>): Tried {
  const json = tryJson(bytes);
  if (json?.ok) return json;
  const refusals: (Tried & { ok: false })[] = json === undefined ? [] : [json];
  for (const attempt of attempts) {
    const read = attempt(bytes, route, options);
    if (read?.ok) return read;
    if (read !== undefined) refusals.push(read);
  }
  return refusals[0];
}

function tryJson(bytes: Buffer): Tried {
  const first = firstByte(bytes);
  return first === leftBracket || first === leftBrace || first === quote ? readWritten(bytes) : undefined;
}

/** What stands inside a compressed body. */
const tryPlain = (bytes: Buffer, route: Route, options: DecodeOptions): Tried => {
  const json = tryJson(bytes);
  return json?.ok ? json : (tryProtobuf(bytes, route, options) ?? json);
};

/** No SDK does, but a proxy may: once, since gzip in gzip without end can be written, each to be inflated to the bound. */
function tryGzip(bytes: Buffer, route: Route, options: DecodeOptions): Tried {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return undefined;
  try {
    const inflated = gunzip(bytes, options.inflatedBytes);
    return readAs(withoutGzip, inflated, route, options) ?? unreadableInGzip;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') return tooLarge(options.inflatedBytes);
    return refuse('broken_gzip', `the gzip data in the body is broken: ${message}`);
  }
}

function trySnappy(bytes: Buffer, route: Route, options: DecodeOptions): Tried {
  const length = measureSnappy(bytes);
  if (length === undefined) return undefined;
  if (length > options.inflatedBytes) return tooLarge(options.inflatedBytes);
  const content = decodeSnappy(bytes, length);
  return (
    tryPlain(content, route, options) ??
    refuse('unreadable_body', 'the snappy block holds neither JSON nor protobuf')
  );
}

function tryProtobuf(bytes: Buffer, route: Route, { eventsPerRequest }: DecodeOptions): Tried {
  const bounds = { events: eventsPerRequest, values: requestBounds.values };
  const decoded = decodeProtobuf(bytes, route, bounds);
  if (decoded.kind === 'elements') return { ok: true, value: [...decoded.elements], bytes: bytes.length * 2 };
  if (decoded.kind === 'broken') return undefined;
  return decoded.kind === 'too_many_events'
    ? refuse('too_many_events', `the request holds more than ${bounds.events} events`)
    : refuse('too_many_values', `holds more than ${bounds.values} values`);
}

/** The web SDK with its compress plugin. */
const tryLzBytes = (bytes: Buffer, _: Route, { inflatedBytes }: DecodeOptions): Tried =>
  readLzString(decodeLzString(bytes, 'bytes', inflatedBytes), inflatedBytes);

/** Mini-programs: UTF-8 of characters of which each holds 15 bits. */
const tryLzText = (bytes: Buffer, _: Route, { inflatedBytes }: DecodeOptions): Tried =>
  readLzString(decodeLzString(bytes.toString('utf8'), 'utf16', inflatedBytes), inflatedBytes);

function readLzString(decoded: ReturnType<typeof decodeLzString>, inflatedBytes: number): Tried {
  if (decoded.kind === 'text')
    return decoded.text.length > inflatedBytes ? tooLarge(inflatedBytes) : tryJson(decoded.text);
  return decoded.kind === 'too_large' ? tooLarge(inflatedBytes) : undefined;
}

/** Its JSON is written bare or as LZString. `data` is the last parameter, and browsers leave an `&` in it as it is. */
function readImage(query: string, { inflatedBytes }: DecodeOptions): ReadBody {
  const sent = readParameter(query, 'data') ?? '';
  if (sent === '') {
    return refuse(
      'empty_body',
      'the body is empty, and so is the parameter data of the query; one of them should hold events',
    );
  }
  const data = Buffer.from(sent);
  const json = tryJson(data);
  if (json?.ok) return json;
  const rest =
    json &&
    tryJson(Buffer.from(decodePercent(query.slice(query.search(/(?:^|&)data=/)).replace(/^&?data=/, ''))));
  if (rest?.ok) return rest;
  return (
    readLzString(decodeLzString(sent.replaceAll(' ', '+'), 'uri', inflatedBytes), inflatedBytes) ??
    json ??
    unreadable
  );
}

const withoutGzip: readonly Attempt[] = [trySnappy, tryProtobuf, tryLzBytes, tryLzText];

/** Some SDKs write the JSON twice: a string that holds the array. */
function readWritten(bytes: Buffer): ReadBody {
  let read = readJson(bytes);
  for (let times = 0; times < mostTimesWritten && read.ok && typeof read.value === 'string'; times++) {
    read = readJson(Buffer.from(read.value));
  }
  return read;
}

/** UTF-8 JSON, bounded before it is parsed. */
export function readJson(bytes: Buffer): ReadBody {
  const parsed = parseJson(bytes, requestBounds);
  return parsed.ok
    ? { ok: true, value: parsed.value, bytes: bytes.length }
    : refuse(parsed.reason, parsed.detail);
}

const mostTimesWritten = 2;

const leftBracket = 0x5b;
const leftBrace = 0x7b;
const quote = 0x22;

function firstByte(body: Buffer): number | undefined {
  // A byte order mark and white space may stand before JSON.
  let at = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
  while (body[at] === 0x20 || body[at] === 0x0a || body[at] === 0x0d || body[at] === 0x09) at++;
  return body[at];
}

const refuse = (reason: string, detail: string): ReadBody & { ok: false } => ({
  ok: false,
  refusal: { reason, field: undefined, detail },
});

const tooLarge = (inflatedBytes: number): ReadBody & { ok: false } =>
  refuse('inflates_too_large', `the body inflates to more than ${inflatedBytes} bytes`);

const unreadable = refuse(
  'unreadable_body',
  'this is neither JSON nor protobuf, nor gzip, snappy or LZString of them; if it is XORed, the time in stm or X-Timestamp is not the one it was XORed with',
);

const unreadableInGzip = refuse(
  'unreadable_body',
  'the gzip data holds neither JSON nor protobuf, nor snappy or LZString of them',
);
