import { createDecipheriv, createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import {
  Bottomless,
  decimalOf,
  depthOf,
  isWritten,
  type Json,
  parseReference,
  storedNumber,
  storedString,
} from './reference-json.ts';

/** A request as it lies on the wire. */
export interface WireRequest {
  readonly method: string;
  /** Path and query, a byte a character. */
  readonly target: string;
  readonly body: Buffer;
}

/** What shall be stored of one element of a request. */
export type Item =
  | { readonly kind: 'event'; readonly event: ReferenceEvent }
  | { readonly kind: 'refused' }
  /** The documents do not say: one of the two, once. */
  | { readonly kind: 'either' };

export interface ReferenceEvent {
  readonly project: string;
  readonly kind: string;
  readonly name: string | undefined;
  readonly anonymousId: string | undefined;
  readonly userId: string | undefined;
  /** Undefined: when it was received. */
  readonly occurredAtMs: number | undefined;
  readonly debug: number;
  readonly properties: ReadonlyMap<string, Json>;
  /** Undefined where the proof does not say. */
  readonly context: ReadonlyMap<string, Json> | undefined;
}

export type Outcome =
  | { readonly kind: 'items'; readonly items: readonly Item[] }
  /** The whole request in quarantine. */
  | { readonly kind: 'undecodable' }
  /** The documents do not say: whole in quarantine, or events. */
  | { readonly kind: 'unsure' }
  /** No SDK's: nothing is stored. */
  | { readonly kind: 'nothing' };

/** What README and functions/ingest/README.md promise. */
export const caps = { body: 5 * 1024 * 1024, inflated: 20 * 1024 * 1024, events: 10_000 };

const dayMs = 86_400_000;

/**
 * The Analysys dialect over again, from the vendor's side and slowly, to judge the one that serves. It shares no line
 * with it.
 */
export function decodeReference({ method, target, body }: WireRequest, nowMs: number): Outcome {
  const [rawPath = '', ...rest] = target.split('?');
  const query = rest.join('?');
  const path = rawPath.replace(/\/+/g, '/').replace(/(.)\/$/, '$1');
  if (path !== '/up' && path !== '/up/up') return { kind: 'nothing' };
  const parameters = new URLSearchParams(query);
  if (method === 'GET') {
    const data = parameters.get('data');
    if (data === null) return { kind: 'unsure' };
    return decodeBody(Buffer.from(data, 'utf8'), nowMs, true);
  }
  if (method !== 'POST') return { kind: 'nothing' };
  if (body.length > caps.body) return { kind: 'undecodable' };
  if (parameters.has('reqv')) return decodeEncrypted(parameters, body, nowMs);
  return decodeBody(body, nowMs, false);
}

function decodeBody(body: Buffer, nowMs: number, isQuery: boolean): Outcome {
  const text = textOf(body);
  if (text === undefined && hasHalves(body)) return { kind: 'unsure' };
  const begin = /^\ufeff?[ \t\r\n]*([[{])/.exec(text ?? body.toString('latin1'));
  if (begin !== null) return text === undefined ? { kind: 'undecodable' } : decodeJson(text, nowMs);
  // Raw gzip is sent by no SDK; and a form parser's blank for `+` may be undone or refused.
  if (body[0] === 0x1f && body[1] === 0x8b) return { kind: 'unsure' };
  const latin = body.toString('latin1');
  if (isQuery && latin.includes(' ')) return { kind: 'unsure' };
  if (!/^[A-Za-z0-9+/=\r\n]+$/.test(latin)) {
    // A few decoders take what others do not: blanks, escapes, and the alphabet of URLs.
    return /^[A-Za-z0-9+/=\r\n\t %_-]+$/.test(latin) ? { kind: 'unsure' } : { kind: 'undecodable' };
  }
  const letters = latin.replace(/[\r\n]/g, '');
  const isCanonical = /^[^=]*={0,2}$/.test(letters) && letters.length % 4 === 0;
  if (!isCanonical) return { kind: 'unsure' };
  const decoded = Buffer.from(letters, 'base64');
  if (decoded[0] !== 0x1f || decoded[1] !== 0x8b) {
    return decodeText(decoded, nowMs);
  }
  return decodeInflated(decoded, (inflated) => decodeText(inflated, nowMs));
}

function decodeText(bytes: Buffer, nowMs: number): Outcome {
  const text = textOf(bytes);
  if (text !== undefined) return decodeJson(text, nowMs);
  return { kind: hasHalves(bytes) ? 'unsure' : 'undecodable' };
}

/** Halves of surrogate pairs as if they were characters, which is no UTF-8, but what some JavaScript takes for it. */
const hasHalves = (bytes: Buffer): boolean => /\xed[\xa0-\xbf][\x80-\xbf]/.test(bytes.toString('latin1'));

function decodeInflated(zipped: Buffer, then: (inflated: Buffer) => Outcome): Outcome {
  let inflated: Buffer;
  try {
    inflated = gunzipSync(zipped, { maxOutputLength: caps.inflated });
  } catch {
    return { kind: 'undecodable' };
  }
  return then(inflated);
}

/** Elements or, where the text is no JSON or more than any SDK sends, undecodable. */
function decodeJson(text: string, nowMs: number): Outcome {
  let value: Json;
  try {
    value = parseReference(text.startsWith('\ufeff') ? text.slice(1) : text);
  } catch (error) {
    return error instanceof Bottomless ? { kind: 'unsure' } : { kind: 'undecodable' };
  }
  const elements = Array.isArray(value) ? value : [value];
  if (elements.length > caps.events) return { kind: 'undecodable' };
  return { kind: 'items', items: elements.map((element) => judge(element, nowMs)) };
}

/** UTF-8 to the letter, or undefined. */
function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

const stateKinds = new Set(
  ['alias', 'set', 'set_once', 'increment', 'append', 'unset', 'delete'].map((kind) =>
    kind === 'alias' ? '$alias' : `$profile_${kind}`,
  ),
);
const ownFields = new Set(['$lib', '$lib_version', '$platform', '$debug', '$is_login', '$original_id']);

function judge(element: Json, nowMs: number): Item {
  if (!(element instanceof Map)) return { kind: 'refused' };
  const appid = element.get('appid');
  const xwho = element.get('xwho');
  const xwhat = element.get('xwhat');
  const xwhen = element.get('xwhen');
  const xcontext = element.get('xcontext');
  if (!isId(appid) || !isId(xwho)) return { kind: 'refused' };
  if (typeof xwhat !== 'string' || xwhat === '') return { kind: 'refused' };
  const milliseconds = wholeNumber(xwhen);
  if (milliseconds === undefined) return { kind: 'refused' };
  const age = nowMs - milliseconds;
  const edge = 3_600_000;
  if (age > 3640 * dayMs + edge || age < -dayMs - edge) return { kind: 'refused' };
  if (age > 3640 * dayMs - edge || age < -dayMs + edge) return { kind: 'either' };
  if (!(xcontext instanceof Map)) return { kind: 'refused' };
  const depth = depthOf(xcontext);
  if (depth > 105) return { kind: 'refused' };
  if (depth > 95) return { kind: 'either' };

  const isState = stateKinds.has(xwhat);
  const isAlias = xwhat === '$alias';
  const isLogin = isAlias || xcontext.get('$is_login') === true;
  const isContext = (key: string) => (isState ? ownFields.has(key) : key.startsWith('$'));
  const original = xcontext.get('$original_id');
  const debug = wholeNumber(xcontext.get('$debug'));
  const who = xwho.toWellFormed();
  return {
    kind: 'event',
    event: {
      project: appid.toWellFormed(),
      kind: isState ? xwhat.slice(1) : 'track',
      name: isState ? undefined : storedString(xwhat),
      anonymousId: isAlias
        ? isId(original)
          ? original.toWellFormed()
          : undefined
        : isLogin
          ? undefined
          : who,
      userId: isLogin ? who : undefined,
      occurredAtMs: milliseconds,
      debug: debug === 1 || debug === 2 ? debug : 0,
      properties: new Map([...xcontext].filter(([key]) => !isContext(key))),
      context: new Map([...xcontext].filter(([key]) => isContext(key))),
    },
  };
}

const isId = (value: Json | undefined): value is string =>
  typeof value === 'string' && value !== '' && [...value].length <= 255;

/** The number, where it is whole and small enough for a double to hold. */
function wholeNumber(value: Json | undefined): number | undefined {
  if (!isWritten(value)) return undefined;
  const number = Number(value.number);
  if (!Number.isSafeInteger(number) || typeof storedNumber(value) === 'string') return undefined;
  return decimalOf(value) === decimalOf({ number: String(number) }) ? number : undefined;
}

/** Key of Analysys' AES: of what the request claims of the library that sent it. */
export function keyOf(lib: string, appid: string, version: string, reqt: string): Buffer {
  const sum = createHash('md5').update(`${lib}${appid}${version}${reqt}`).digest('hex').toUpperCase();
  const numbers = version.split('.').map(Number);
  let letters = [...Buffer.from(sum, 'ascii').toString('base64')];
  if ((numbers.at(-2) ?? 0) % 2 === 1) letters.reverse();
  const wanted = (numbers.at(-1) ?? 0) % 2 === 1 ? 0 : 1;
  letters = letters.filter((_, place) => place % 2 === wanted);
  return Buffer.from(letters.slice(0, 16).join(''), 'utf8');
}

export const initialVector = Buffer.from('Analysys_315$CBC');

function decodeEncrypted(claims: URLSearchParams, body: Buffer, nowMs: number): Outcome {
  const version = claims.get('reqv');
  const latin = body.toString('latin1');
  const begin = /^\ufeff?[ \t\r\n]*([[{])/.exec(body.toString('utf8'));
  // A claim that the body does not keep: refused, or read as what it is.
  if (begin !== null || (version !== '1' && version !== '2')) return { kind: 'unsure' };
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(latin) || latin.length % 4 !== 0) return { kind: 'unsure' };
  const zipped = Buffer.from(latin, 'base64');
  if (zipped[0] !== 0x1f || zipped[1] !== 0x8b) return { kind: 'unsure' };
  return decodeInflated(zipped, (inflated) => {
    const hex = inflated.toString('latin1');
    // JSON under a claim of being encrypted: refused, or read as what it is.
    if (/^(?:\xef\xbb\xbf)?[ \t\r\n]*[[{]/.test(hex)) return { kind: 'unsure' };
    if (!/^([0-9A-Fa-f]{2})+$/.test(hex)) return { kind: 'undecodable' };
    const [lib = '', appid = '', libVersion = ''] = Buffer.from(claims.get('spv') ?? '', 'base64')
      .toString('utf8')
      .split('|');
    try {
      const key = keyOf(lib, appid, libVersion, claims.get('reqt') ?? '');
      const cipher =
        version === '1'
          ? createDecipheriv('aes-128-ecb', key, null)
          : createDecipheriv('aes-128-cbc', key, initialVector);
      return decodeText(Buffer.concat([cipher.update(Buffer.from(hex, 'hex')), cipher.final()]), nowMs);
    } catch {
      return { kind: 'undecodable' };
    }
  });
}

/** The column request_hash as the tables document it: SHA-256 of method, path, query without `stm`, and body. */
export function requestHash({ method, target, body }: WireRequest): string {
  const [path = '', ...rest] = target.split('?');
  const query = rest
    .join('?')
    .split('&')
    .filter((one) => !one.startsWith('stm='))
    .join('&');
  return createHash('sha256').update(`${method} ${path}?${query}\n`).update(body).digest('hex');
}
