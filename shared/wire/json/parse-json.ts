import { isUtf8 } from 'node:buffer';
import { hasEscapedKey, parseEscapedKeys } from './parse-escaped-keys.ts';

/** JSON as it is parsed here: integers of 64 bits are exact, what no number can hold is kept as it was written. */
export type JsonValue = null | boolean | number | bigint | string | InexactNumber | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

/**
 * A number that neither 64 bits nor a double hold exactly: a symbol whose description is what the
 * sender wrote, so that no other value can be mistaken for it.
 */
export type InexactNumber = symbol;

export interface JsonBounds {
  /** How many values, counted before parsing, so that memory is bounded. */
  readonly values: number;
  readonly depth: number;
}

export type ParsedJson =
  | { readonly ok: true; readonly value: JsonValue }
  | {
      readonly ok: false;
      readonly reason: 'invalid_utf8' | 'invalid_json' | 'too_deep' | 'too_many_values';
      readonly detail: string;
    };

/**
 * Parses UTF-8 bytes as JSON, without losing a digit. The lossless way costs several times the plain
 * one, so it is taken only when the text holds 16 digits in a row or a three-digit exponent.
 */
export function parseJson(bytes: Buffer, bounds: JsonBounds): ParsedJson {
  // What is shorter cannot hold enough values to hurt.
  if (bytes.length > 64 * 1024) {
    const measured = measureJson(bytes, bounds);
    if (typeof measured !== 'number') return measured;
  }
  let text = bytes.toString('utf8');
  if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
  // Decoding replaces what is not UTF-8 silently; only then is it worth asking.
  if (text.includes('\ufffd') && !isUtf8(bytes)) {
    return { ok: false, reason: 'invalid_utf8', detail: 'the text is not UTF-8' };
  }
  try {
    const isLossless = hasLongNumber(bytes) || hasLongExponent(text);
    const value: JsonValue = isLossless ? JSON.parse(text, keepDigits) : JSON.parse(text);
    // Only now, when it is known to be JSON.
    if (!hasEscapedKey(text)) return { ok: true, value };
    const parseScalar = (scalar: string) =>
      isLossless ? JSON.parse(scalar, keepDigits) : JSON.parse(scalar);
    return { ok: true, value: parseEscapedKeys(text, parseScalar) };
  } catch (error) {
    // The lossless way recurses.
    if (error instanceof RangeError)
      return { ok: false, reason: 'too_deep', detail: 'nested too deep to read' };
    return {
      ok: false,
      reason: 'invalid_json',
      detail: error instanceof Error ? error.message : String(error),
    };
  }
}

/** The text of a parsed value; throws a RangeError where it is nested too deep for the stack. */
export function writeJson(value: JsonValue): string {
  return JSON.stringify(value, (_key, member: JsonValue) => {
    if (typeof member === 'bigint') return rawJson(member.toString());
    if (typeof member === 'symbol') return rawJson(member.description ?? '');
    return member;
  });
}

// Begins with a digit: V8 skips faster to those than over alternatives. It is in many a UUID too, so it is looked at again.
const longExponent = /\d[eE][-+]?\d{3}/;
const numberWithLongExponent = /(?:^|[[:,\s])-?\d[\d.]*[eE][-+]?\d{3}/;

const hasLongExponent = (text: string): boolean =>
  longExponent.test(text) && numberWithLongExponent.test(text);

/**
 * Whether 16 digits stand in a row, which a double may not hold.
 * Such a run covers a multiple of 16, so only every sixteenth byte is looked at.
 */
function hasLongNumber(bytes: Buffer): boolean {
  for (let at = 15; at < bytes.length; at += 16) {
    if (isDigitOrPoint(bytes[at]) && runLength(bytes, at) >= 16) return true;
  }
  return false;
}

const isDigitOrPoint = (byte: number | undefined): boolean =>
  byte !== undefined && ((byte >= 0x30 && byte <= 0x39) || byte === 0x2e);

function runLength(bytes: Buffer, at: number): number {
  let start = at;
  let end = at;
  while (isDigitOrPoint(bytes[start - 1])) start--;
  while (isDigitOrPoint(bytes[end])) end++;
  return end - start;
}

// Source text access is in V8 since 11.4 and not yet in TypeScript's library.
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

function keepDigits(_key: string, value: JsonValue, context?: { source?: string }): JsonValue {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  const written = context.source;
  // No longer one lies within 64 bits; and the digits of a number may be millions.
  if (written.length <= 20 && /^-?\d+$/.test(written)) {
    if (Number.isSafeInteger(value)) return value;
    const whole = BigInt(written);
    if (whole >= -(2n ** 63n) && whole < 2n ** 64n) return whole;
  }
  return Number.isFinite(value) && sameDecimal(written, String(value)) ? value : Symbol(written);
}

/** Whether two decimal notations denote the same number. */
function sameDecimal(left: string, right: string): boolean {
  return normalizeDecimal(left) === normalizeDecimal(right);
}

function normalizeDecimal(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  // A pattern would try from every zero anew: millions of them would take hours.
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 0x30) end--;
  const significant = digits.slice(0, end);
  if (significant === '') return '0';
  const scale = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${sign}${significant}e${scale}`;
}

/** How many values the text of one JSON value holds, about, or which bound they exceed. */
export function measureJson(bytes: Buffer, bounds: JsonBounds): number | (ParsedJson & { ok: false }) {
  let depth = 0;
  let values = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === 0x5c) at++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x5b || byte === 0x7b) {
      values++;
      if (++depth > bounds.depth) {
        return { ok: false, reason: 'too_deep', detail: `nested deeper than ${bounds.depth} levels` };
      }
    } else if (byte === 0x5d || byte === 0x7d) depth--;
    else if (byte === 0x2c) values++;
  }
  if (values <= bounds.values) return values;
  return { ok: false, reason: 'too_many_values', detail: `holds more than ${bounds.values} values` };
}
