import { gzipSync } from 'node:zlib';
import { type Capture, readCaptures } from '../../replay-captures.ts';
import {
  type Context,
  type Dice,
  expectReference,
  type Family,
  type FuzzCase,
  neverWhole,
  type Post,
  toBytes,
} from './cases.ts';

/** Recorded requests of real SDKs, changed without any idea of what they are. */

let recorded: readonly Capture[] | undefined;

const captures = (): readonly Capture[] => {
  recorded ??= readCaptures('analysys').filter(({ method }) => method === 'POST');
  return recorded;
};

/** A recorded request whose events carry the mark, so that none is like another's; in the form it was recorded in. */
function personalise({ dice, mark }: Context): { post: Post; json: Buffer; isZipped: boolean } {
  const capture = dice.pick(captures());
  const events = capture.decoded.map((event, place) => ({
    ...event,
    xcontext: { ...event.xcontext, mark: `${mark}.${place}` },
  }));
  const json = Buffer.from(JSON.stringify(events));
  const isZipped = !/^[[{]/.test(Buffer.from(capture.body_base64, 'base64').toString('latin1'));
  const [path, query = ''] = capture.path.split('?');
  return {
    post: {
      target: `${path}?n=${mark}${query === '' ? '' : `&${query}`}`,
      headers: capture.headers.filter(([name]) => !/^(host|connection|content-length|expect)$/i.test(name)),
      body: json,
    },
    json,
    isZipped,
  };
}

type Mutation = (bytes: Buffer, dice: Dice, other: () => Buffer) => Buffer;

const anywhere = (bytes: Buffer, dice: Dice): number => dice.below(bytes.length + 1);

const mutations: readonly Mutation[] = [
  (bytes, dice) => {
    const changed = Buffer.from(bytes);
    for (let left = 1 + dice.below(4); left > 0 && changed.length > 0; left--) {
      changed[dice.below(changed.length)]! ^= 1 << dice.below(8);
    }
    return changed;
  },
  (bytes, dice) => {
    const changed = Buffer.from(bytes);
    if (changed.length > 0) changed[dice.below(changed.length)] = dice.below(256);
    return changed;
  },
  (bytes, dice) => {
    const changed = Buffer.from(bytes);
    if (changed.length > 0)
      changed[dice.below(changed.length)] = dice.pick([...Buffer.from('"{}[],:\\0 -.eE9nu')]);
    return changed;
  },
  (bytes, dice) => {
    const from = anywhere(bytes, dice);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + dice.below(20))]);
  },
  (bytes, dice) => {
    const at = anywhere(bytes, dice);
    return Buffer.concat([bytes.subarray(0, at), dice.bytes(1 + dice.below(8)), bytes.subarray(at)]);
  },
  (bytes, dice) => {
    const from = anywhere(bytes, dice);
    const part = bytes.subarray(from, from + dice.below(300));
    const at = anywhere(bytes, dice);
    return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]);
  },
  (bytes, dice) => bytes.subarray(0, anywhere(bytes, dice)),
  (bytes, dice) => bytes.subarray(anywhere(bytes, dice)),
  (bytes, dice, other) => {
    const second = other();
    return Buffer.concat([bytes.subarray(0, anywhere(bytes, dice)), second.subarray(anywhere(second, dice))]);
  },
  // Whole values of JSON in another's place, which leaves more of it JSON than chance would.
  (bytes, dice) => {
    const values = [
      ...bytes.toString('latin1').matchAll(/(?<=[:,[])("[^"\\]*"|-?\d+|true|false|null)(?=[,\]}])/g),
    ];
    if (values.length === 0) return bytes;
    const { index, 0: old } = dice.pick(values);
    const value = dice.pick([
      'null',
      '-1',
      '1e400',
      '""',
      '[]',
      '{}',
      '12345678901234567890',
      'true',
      dice.pick(values)[0],
    ]);
    return Buffer.concat([
      bytes.subarray(0, index),
      Buffer.from(value, 'latin1'),
      bytes.subarray(index + old.length),
    ]);
  },
];

export function mutate(bytes: Buffer, dice: Dice, other: () => Buffer): Buffer {
  let changed = bytes;
  for (let left = dice.pick([1, 1, 1, 2, 3]); left > 0; left--)
    changed = dice.pick(mutations)(changed, dice, other);
  return changed;
}

/** The mutation may strike the JSON, its gzip, or the base64 of that; the reference decoder knows what is left. */
const bodies: Family = (context) => {
  const { dice } = context;
  const { post, json, isZipped } = personalise(context);
  const layer = isZipped ? dice.below(4) : 0;
  const other = () => personalise(context).json;
  let body = layer <= 1 ? mutate(json, dice, other) : json;
  if (isZipped) {
    body = gzipSync(body, { level: 1 });
    if (layer === 2) body = mutate(body, dice, () => gzipSync(other(), { level: 1 }));
    body = Buffer.from(body.toString('base64'));
    if (layer === 3) body = mutate(body, dice, () => Buffer.from(gzipSync(other()).toString('base64')));
  }
  const changed = { ...post, body };
  return {
    family: `captures, mutated ${['as JSON', 'as JSON', 'as gzip', 'as base64'][layer]}`,
    steps: [{ write: toBytes(changed) }],
    expected: [expectReference(changed, context.nowMs)],
  };
};

/** Head and body mutated as one: nobody can tell what is left, so only crashes and hangs are judged, and how many were stored. */
const requests: Family = (context): FuzzCase => {
  const { dice } = context;
  const { post } = personalise(context);
  const bytes = mutate(toBytes(post), dice, () => toBytes(personalise(context).post));
  return {
    family: 'captures, mutated with their head',
    steps: [{ write: bytes }, { pauseMs: 20 }, { end: 'half' }],
    expected: [{ ...neverWhole(post), answer: 'any' }],
    isWild: true,
  };
};

export const blind: readonly (readonly [weight: number, family: Family])[] = [
  [350, bodies],
  [40, requests],
];
