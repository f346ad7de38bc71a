import { gzipSync } from 'node:zlib';
import {
  type Context,
  type Expected,
  expectReference,
  type FuzzCase,
  type Headers,
  type Post,
  toBytes,
} from './cases.ts';
import type { anyElement, Element } from './events.ts';
import type { Outcome } from './reference-decoder.ts';

/** A body of Analysys events whose truth is known from how it was made, not from any decoder. */
export interface Made {
  readonly text: string;
  readonly truth: readonly boolean[] | 'undecodable';
}

export const targetOf = ({ dice, mark }: Context): string =>
  `${dice.pick(['/up', '/up', '/up', '/up/', '//up', '/up/up', '///up//up'])}?n=${mark}${dice.chance(0.3) ? '&appid=fuzz' : ''}`;

/** What SDKs claim of their bodies, and what nobody should. */
export const misleadingHeaders = ({ dice }: Context): Headers => {
  const headers: [string, string][] = [];
  const type = dice.pick([
    undefined,
    'application/json',
    'application/x-www-form-urlencoded',
    'text/plain; charset=ISO-8859-1',
    'text/plain;charset=UTF-16',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'image/gif',
    'application/json; charset=shift_jis',
    ';;;',
    '',
  ]);
  if (type !== undefined) headers.push(['Content-Type', type]);
  const encoding = dice.pick([
    undefined,
    undefined,
    'UTF-8',
    'gzip',
    'br',
    'deflate',
    'identity',
    'gzip, gzip',
    'zstd',
    '\xff',
  ]);
  if (encoding !== undefined) headers.push(['Content-Encoding', encoding]);
  if (dice.chance(0.2)) headers.push(['X-Compress-Codec', '2'], ['X-Crypt-Codec', '1']);
  if (dice.chance(0.1)) headers.push(['Authorization', 'Bearer sekret'], ['Cookie', 'a=sekret']);
  if (dice.chance(0.1)) headers.push(['Expect', '100-continue']);
  if (dice.chance(0.1))
    headers.push(['traceparent', '00-zzzz-1-01'], ['X-Cloud-Trace-Context', '\u00ff/;o=9']);
  if (dice.chance(0.05)) headers.push(['User-Agent', 'u'.repeat(5000)]);
  return headers;
};

export function elementsOf(context: Context, make: typeof anyElement, count: number): Element[] {
  const { dice, mark, nowMs } = context;
  return Array.from({ length: count }, (_, place) => make(dice, `${mark}.${place}`, nowMs));
}

export const made = (elements: readonly Element[]): Made => ({
  text: `[${elements.map(({ text }) => text).join(',')}]`,
  truth: elements.map(({ isEvent }) => isEvent),
});

type Wrap = (bytes: Buffer) => Buffer;
export const plain: Wrap = (bytes) => bytes;
export const zipped: Wrap = (bytes) => Buffer.from(gzipSync(bytes, { level: 1 }).toString('base64'));
export const wraps: readonly Wrap[] = [
  plain,
  plain,
  zipped,
  zipped,
  (bytes) => Buffer.from(bytes.toString('base64')),
  (bytes) => Buffer.concat([Buffer.from('\ufeff'), bytes]),
  (bytes) => Buffer.concat([Buffer.from(' \r\n\t\n'), bytes, Buffer.from('\n\n ')]),
  (bytes) => zipped(Buffer.concat([Buffer.from('\ufeff '), bytes])),
  (bytes) => Buffer.from(gzipSync(bytes, { level: 1 }).toString('base64').replace(/.{76}/g, '$&\r\n')),
];

/** A case of a body whose truth is known; the reference decoder has to come to the same. */
export function caseOf(family: string, context: Context, { text, truth }: Made, wrap: Wrap): FuzzCase {
  const post: Post = {
    target: targetOf(context),
    headers: misleadingHeaders(context),
    body: wrap(Buffer.from(text)),
  };
  const expected = expectReference(post, context.nowMs);
  checkTruth(family, expected.outcome, truth);
  return { family, steps: [{ write: toBytes(post) }], expected: [expected] };
}

/** The reference decoder is judged here: a difference is a fault of the proof. */
export function checkTruth(family: string, outcome: Outcome, truth: Made['truth']): void {
  const isSame =
    truth === 'undecodable'
      ? outcome.kind === 'undecodable'
      : outcome.kind === 'items' &&
        outcome.items.length === truth.length &&
        outcome.items.every(({ kind }, place) => kind === 'either' || (kind === 'event') === truth[place]);
  if (isSame) return;
  throw new Error(
    `The reference decoder and the maker of ${family} disagree: ${JSON.stringify(truth)} and ${JSON.stringify(outcome).slice(0, 500)}`,
  );
}

/** Odd bodies of any kind, by the reference decoder's word. */
export function reference(
  family: string,
  context: Context,
  body: Buffer,
  change: Partial<Expected> = {},
): FuzzCase {
  const post: Post = { target: targetOf(context), headers: misleadingHeaders(context), body };
  return {
    family,
    steps: [{ write: toBytes(post) }],
    expected: [{ ...expectReference(post, context.nowMs), ...change }],
  };
}
