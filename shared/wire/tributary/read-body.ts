import { zstdDecompressSync } from 'node:zlib';
import type { Refusal } from '../../events/event.ts';
import type { DecodeOptions } from '../dialect.ts';
import { gunzip } from '../gunzip.ts';
import { type JsonBounds, type JsonValue, measureJson, parseJson } from '../json/parse-json.ts';

/** An element of a request: a value, or why its line is none, and the line as it came where it is text. */
export type ReadElement =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly refusal: Refusal; readonly line: string | undefined };

export type ReadBody =
  /** `bytes`: the length of the JSON. */
  | { readonly ok: true; readonly elements: readonly ReadElement[]; readonly bytes: number }
  | { readonly ok: false; readonly refusal: Refusal };

const bounds = { values: 1_000_000, depth: 1_000 };

/**
 * The elements of a body: a JSON array of events, one event, or one event a line (NDJSON), plain or compressed with gzip
 * or zstd. Its bytes tell which; the headers are not asked. A line that is no JSON is refused alone.
 */
export function readBody(body: Buffer, options: DecodeOptions): ReadBody {
  const inflated = inflate(body, options.inflatedBytes);
  if (!inflated.ok) return inflated;
  const { text } = inflated;
  const start = firstText(text, 0);
  if (start === text.length) {
    return refuse(
      'empty_body',
      'the body is empty; it should be an event, a JSON array of events or one a line',
    );
  }
  const lineEnd = endOfLine(text, start);
  const isOneLine = firstText(text, lineEnd) === text.length;
  if (!isOneLine && text[start] === leftBrace) {
    const first = parseJson(text.subarray(start, lineEnd), bounds);
    if (first.ok) return readLines(text, options);
  }
  const whole = parseJson(text, bounds);
  if (whole.ok) {
    const values = Array.isArray(whole.value) ? whole.value : [whole.value];
    if (values.length > options.eventsPerRequest) return tooMany(values.length, options);
    return { ok: true, elements: values.map((value) => ({ ok: true, value })), bytes: text.length };
  }
  if (isOneLine || text[start] === leftBracket) return refuse(whole.reason, whole.detail);
  // The first line may be the broken one; where no line is an event, this was never one event a line.
  const lines = readLines(text, options);
  const isLines = !lines.ok || lines.elements.some((one) => one.ok && typeof one.value === 'object');
  return isLines ? lines : refuse(whole.reason, whole.detail);
}

function readLines(text: Buffer, options: DecodeOptions): ReadBody {
  const lines: Buffer[] = [];
  for (let at = firstText(text, 0); at < text.length; at = firstText(text, at)) {
    const end = endOfLine(text, at);
    lines.push(text.subarray(at, end));
    at = end;
  }
  if (lines.length > options.eventsPerRequest) return tooMany(lines.length, options);
  let values = 0;
  // A text that is shorter cannot hold enough of them to hurt.
  for (const line of text.length > 64 * 1024 ? lines : []) {
    const left: JsonBounds = { values: bounds.values - values, depth: Number.POSITIVE_INFINITY };
    const measured = measureJson(line, left);
    if (typeof measured !== 'number') {
      return refuse('too_many_values', `holds more than ${bounds.values} values`);
    }
    values += measured;
  }
  return { ok: true, elements: lines.map(readElement), bytes: text.length };
}

/** One line, or the text of one event. */
export function readElement(line: Buffer): ReadElement {
  const parsed = parseJson(line, bounds);
  if (parsed.ok) return parsed;
  const { reason, detail } = parsed;
  return {
    ok: false,
    refusal: { reason, field: undefined, detail },
    line: reason === 'invalid_utf8' ? undefined : line.toString('utf8'),
  };
}

type Inflated =
  | { readonly ok: true; readonly text: Buffer }
  | { readonly ok: false; readonly refusal: Refusal };

function inflate(body: Buffer, inflatedBytes: number): Inflated {
  const isGzip = body[0] === 0x1f && body[1] === 0x8b;
  const isZstd = body.length >= 4 && body.readUInt32LE(0) === 0xfd2fb528;
  if (!isGzip && !isZstd) return { ok: true, text: body };
  try {
    const text = isGzip
      ? gunzip(body, inflatedBytes)
      : zstdDecompressSync(body, { maxOutputLength: inflatedBytes });
    return { ok: true, text };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      return refuse('inflates_too_large', `the body inflates to more than ${inflatedBytes} bytes`);
    }
    return isGzip
      ? refuse('broken_gzip', `the gzip data in the body is broken: ${message}`)
      : refuse('broken_zstd', `the zstd data in the body is broken: ${message}`);
  }
}

const leftBracket = 0x5b;
const leftBrace = 0x7b;

/** Where the next text begins: behind white space, and a byte order mark at the beginning. */
function firstText(text: Buffer, from: number): number {
  let at = from === 0 && text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf ? 3 : from;
  while (text[at] === 0x20 || text[at] === 0x0a || text[at] === 0x0d || text[at] === 0x09) at++;
  return at;
}

function endOfLine(text: Buffer, from: number): number {
  const end = text.indexOf(0x0a, from);
  return end < 0 ? text.length : end;
}

const tooMany = (count: number, { eventsPerRequest }: DecodeOptions) =>
  refuse('too_many_events', `the request holds ${count} events; at most ${eventsPerRequest} are accepted`);

const refuse = (reason: string, detail: string): { readonly ok: false; readonly refusal: Refusal } => ({
  ok: false,
  refusal: { reason, field: undefined, detail },
});
