import type { Step } from './play.ts';
import { decodeReference, type Outcome, requestHash, type WireRequest } from './reference-decoder.ts';

/** One of the requests of a case, and what shall become of it. */
export interface Expected {
  readonly answer: ExpectedAnswer;
  readonly outcome: Outcome;
  readonly hash: string;
  /** Under which its rows may be as well, as where nobody can tell whether the body is XORed. */
  readonly otherHashes?: readonly string[];
  /** It never arrives whole, or its sender is gone: nothing of it, or all of it. */
  readonly mayBeAbsent: boolean;
}

/**
 * `success` is the SDK's own, `too_large` 413, `refused` a 4xx or a closed connection, `none` a request that is never
 * whole, `no_key` 401, and `any` what the documents leave open.
 */
export type ExpectedAnswer = 'success' | 'too_large' | 'refused' | 'none' | 'no_key' | 'any';

/** What one client does on one connection. */
export interface FuzzCase {
  readonly family: string;
  /** Whose success it is answered with; Analysys' where nothing is said. */
  readonly dialect?: FuzzDialect;
  readonly steps: readonly Step[];
  readonly expected: readonly Expected[];
  /** Nobody can tell what the bytes are: judged by its answers alone. */
  readonly isWild?: boolean;
}

/** Each has families of its own. */
export type FuzzDialect = 'analysys' | 'growingio' | 'segment' | 'tributary';

export type Headers = readonly (readonly [string, string])[];

export interface Post {
  readonly method?: string;
  readonly target: string;
  readonly headers?: Headers;
  readonly body: Buffer;
}

/** The request as bytes; Content-Length is added unless a length or an encoding of transfer is among the headers. */
export function toBytes({ method = 'POST', target, headers = [], body }: Post): Buffer {
  const isFramed = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name));
  const lines = [
    `${method} ${target} HTTP/1.1`,
    'Host: fuzz',
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(isFramed ? [] : [`Content-Length: ${body.length}`]),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

export const hashOf = ({ method = 'POST', target, body }: Post): string =>
  requestHash({ method, target, body });

/** What the reference decoder expects of a request that arrives whole. */
export function expectReference(post: Post, nowMs: number): Expected {
  const request: WireRequest = { method: post.method ?? 'POST', target: post.target, body: post.body };
  const outcome = decodeReference(request, nowMs);
  return {
    outcome,
    answer:
      outcome.kind === 'nothing'
        ? 'refused'
        : request.method === 'GET' && outcome.kind === 'unsure'
          ? 'any'
          : 'success',
    hash: requestHash(request),
    mayBeAbsent: false,
  };
}

/** Several requests' bytes in one case, sent in one go. */
export const sendWhole = (family: string, post: Post, nowMs: number): FuzzCase => ({
  family,
  steps: [{ write: toBytes(post) }],
  expected: [expectReference(post, nowMs)],
});

/** A request that is never whole. */
export const neverWhole = (post: Post): Expected => ({
  answer: 'none',
  outcome: { kind: 'nothing' },
  hash: hashOf(post),
  mayBeAbsent: true,
});

/** Tools of chance over one seeded source. */
export interface Dice {
  readonly random: () => number;
  below(bound: number): number;
  pick<T>(list: readonly T[]): T;
  chance(probability: number): boolean;
  bytes(count: number): Buffer;
}

export function createDice(random: () => number): Dice {
  const below = (bound: number) => Math.floor(random() * bound);
  return {
    random,
    below,
    pick: (list) => list[below(list.length)]!,
    chance: (probability) => random() < probability,
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => below(256))),
  };
}

/** What a family needs to make a case. */
export interface Context {
  readonly dice: Dice;
  /** Unlike that of any other case, so that no two requests and no two events are the same. */
  readonly mark: string;
  readonly nowMs: number;
}

export type Family = (context: Context) => FuzzCase;
