import { z } from 'zod';
import { growingioElements, readCaptures } from '../../replay-captures.ts';
import { mutate } from './blind.ts';
import {
  type Context,
  type Dice,
  type Family,
  type FuzzCase,
  type FuzzDialect,
  neverWhole,
  type Post,
  toBytes,
} from './cases.ts';
import { isEmptyList } from './empty-list.ts';
import { snappy, unXored, xor, xorHashes } from './growingio.ts';
import { gzip, tell } from './posts.ts';
import type { Outcome } from './reference-decoder.ts';
import { makeMessages, withoutTime } from './segment.ts';
import { makeEvent } from './tributary.ts';

/** Requests of the other dialects, changed without any idea of what they are: each has to leave something and to be answered. */

type OtherDialect = Exclude<FuzzDialect, 'analysys'>;
type MakePost = (context: Context) => Post;

/** What was recorded of GrowingIO's SDKs; a query that no other has tells it from its like. */
const recorded: MakePost = ({ dice, mark, nowMs }) => {
  const capture = dice.pick(captures());
  const isXored = capture.headers.some(([name]) => name === 'X-Crypt-Codec');
  const { decoded } = capture;
  const json = typeof decoded === 'string' ? undefined : marked(JSON.stringify(decoded), mark);
  const body =
    json === undefined ? Buffer.from(capture.body_base64, 'base64') : encode(json, capture.file, nowMs);
  const [path = ''] = capture.path.split('?');
  return {
    target: `${path}?n=${mark}${isXored ? `&stm=${nowMs}` : ''}`,
    headers: capture.headers.filter(([name]) => !/^(host|connection|content-length|expect)$/i.test(name)),
    body,
  };
};

let known: ReturnType<typeof readGrowingio> | undefined;
const readGrowingio = () => readCaptures('growingio', growingioElements.or(z.string()));
const captures = () => {
  known ??= readGrowingio();
  return known;
};

const marked = (json: string, mark: string): Buffer =>
  Buffer.from(json.replaceAll(/"(attributes|identifies)":\{/g, `"$1":{"mark":"${mark}",`));

function encode(json: Buffer, file: string, nowMs: number): Buffer {
  if (file.includes('xor')) return xor(snappy(json), nowMs % 256);
  return file.includes('snappy') ? snappy(json) : json;
}

const segmentBatch: MakePost = (context) => ({
  target: `/v1/batch?n=${context.mark}`,
  headers: [
    ['Authorization', `Basic ${Buffer.from('fuzz-segment:').toString('base64')}`],
    ['Content-Type', 'application/json'],
  ],
  body: zippedOrNot(
    context.dice,
    `{"batch":${makeMessages(context, 2, 0).text},"sentAt":"2026-11-22T01:02:03.004Z"}`,
  ),
});

const ownLines: MakePost = (context) => ({
  target: `/v1/events?n=${context.mark}`,
  headers: [['Authorization', 'Bearer fuzz-own']],
  body: zippedOrNot(
    context.dice,
    [0, 1].map((place) => makeEvent(context, `${context.mark}.${place}`, false).text).join('\n'),
  ),
});

const zippedOrNot = (dice: Dice, text: string): Buffer => (dice.chance(0.4) ? gzip(text) : Buffer.from(text));

const makers: Readonly<Record<OtherDialect, MakePost>> = {
  growingio: recorded,
  segment: segmentBatch,
  tributary: ownLines,
};

const unsure: Outcome = { kind: 'unsure' };
const nothing: Outcome = { kind: 'items', items: [] };

const bodiesOf =
  (dialect: OtherDialect): Family =>
  (context) => {
    const { dice } = context;
    const sound = makers[dialect](context);
    const body = mutate(sound.body, dice, () => makers[dialect](context).body);
    const post = { ...sound, body };
    return tell({
      family: 'mutated bodies',
      dialect,
      post,
      // Our own answers an empty list with an error, and keeps it as what cannot be read.
      outcome: dialect !== 'tributary' && [body, ...unXored(post)].some(isEmptyList) ? nothing : unsure,
      otherHashes: dialect === 'growingio' ? xorHashes(post) : withoutTime(post),
    });
  };

/** Head and body mutated as one: nobody can tell what is left, so only crashes and hangs are judged. */
const wholesOf =
  (dialect: OtherDialect): Family =>
  (context): FuzzCase => {
    const post = makers[dialect](context);
    const bytes = mutate(toBytes(post), context.dice, () => toBytes(makers[dialect](context)));
    return {
      family: `${dialect}: mutated with the head`,
      dialect,
      steps: [{ write: bytes }, { pauseMs: 20 }, { end: 'half' }],
      expected: [{ ...neverWhole(post), answer: 'any' }],
      isWild: true,
    };
  };

const familiesOf = (dialect: OtherDialect): readonly (readonly [weight: number, family: Family])[] => [
  [200, bodiesOf(dialect)],
  [25, wholesOf(dialect)],
];

export const blindOthers: Readonly<Record<OtherDialect, ReturnType<typeof familiesOf>>> = {
  growingio: familiesOf('growingio'),
  segment: familiesOf('segment'),
  tributary: familiesOf('tributary'),
};
