import { zstdCompressSync } from 'node:zlib';
import type { Context, Family, Headers, Post } from './cases.ts';
import {
  gzip,
  idOf,
  type MadeElement,
  noObjects,
  once,
  quote,
  refused,
  someMembers,
  spoil,
  tell,
  writeObject,
} from './posts.ts';
import type { Item, Outcome } from './reference-decoder.ts';

/** Our own dialect: events one a line or in an array, whose every verdict is answered. */

const project = 'fuzz-own';

const kinds = [
  'track',
  'profile_set',
  'profile_set_once',
  'profile_increment',
  'profile_append',
  'profile_unset',
  'profile_delete',
  'alias',
  'item_set',
];

export function makeEvent({ dice, nowMs }: Context, mark: string, isFaulty: boolean): MadeElement {
  const { text, value: properties } = someMembers(dice, mark);
  const at = nowMs - dice.below(86_400_000);
  const kind = dice.chance(0.5) ? 'track' : dice.pick(kinds);
  const isNamed = kind === 'track' || kind === 'item_set';
  const name = dice.pick(['buy', '浏览', '__proto__', ' ']);
  const debug = dice.pick([0, 0, 0, 1, 2]);
  const isWritten = dice.chance(0.5);
  const members: Record<string, string | undefined> = {
    id: quote(idOf(mark)),
    kind: kind === 'track' && dice.chance(0.5) ? undefined : quote(kind),
    name: isNamed ? quote(name) : undefined,
    item_id: kind === 'item_set' ? '"item-1"' : undefined,
    anonymous_id: quote(`visitor-${mark}`),
    user_id: '"user-1"',
    occurred_at: isWritten ? quote(new Date(at).toISOString()) : `${at}`,
    debug: debug === 0 ? undefined : `${debug}`,
    properties: text,
  };
  if (!isFaulty) {
    const event = {
      project,
      kind,
      name: isNamed ? name : undefined,
      anonymousId: `visitor-${mark}`,
      userId: 'user-1',
      occurredAtMs: at,
      debug,
      properties,
      context: new Map(),
    };
    return { text: writeObject(members), items: [{ kind: 'event', event }] };
  }
  const fault = dice.pick<Record<string, string | undefined>>([
    { id: dice.pick(['""', '5', 'null', quote('x'.repeat(256))]) },
    { kind: dice.pick(['"Track"', '5', 'null', '[]', '"toString"']) },
    { kind: '"track"', name: dice.pick([undefined, '""', '{}']), item_id: undefined },
    { kind: '"alias"', name: undefined, item_id: undefined, user_id: undefined },
    {
      occurred_at: dice.pick([
        '"yesterday"',
        '"2026-02-30T00:00:00Z"',
        '1.5',
        '0',
        '-1',
        '1e400',
        'true',
        `${nowMs * 2}`,
      ]),
    },
    { sent_at: dice.pick(['"x"', '-1', '99999999999999', '[]']) },
    { debug: dice.pick(['3', '"1"', 'true', '1.5', 'null']) },
    { properties: dice.pick(['[]', 'null', '"{}"', '1']) },
    { context: dice.pick(['[]', 'null', '"{}"', '1']) },
    { project: '"x"' },
    { user_key: '"email"', user_id: undefined },
  ]);
  return {
    text: dice.chance(0.2) ? dice.pick(noObjects) : writeObject({ ...members, ...fault }),
    items: refused,
  };
}

const listOf = (context: Context, count: number, faulty: number): MadeElement[] =>
  Array.from({ length: count }, (_, place) =>
    makeEvent(context, `${context.mark}.${place}`, context.dice.chance(faulty)),
  );

const withKey: Headers = [['Authorization', `Bearer ${project}`]];
const wraps: readonly ((bytes: Buffer) => Buffer)[] = [
  (bytes) => bytes,
  gzip,
  (bytes) => zstdCompressSync(bytes),
];

function send(family: string, context: Context, body: Buffer, outcome: Outcome, headers = withKey) {
  const { dice, mark } = context;
  const claims: [string, string][] = [
    ['Content-Type', dice.pick(['application/json', 'application/x-ndjson', 'text/plain', 'image/gif', ''])],
  ];
  if (dice.chance(0.4))
    claims.push(['Content-Encoding', dice.pick(['gzip', 'zstd', 'br', 'UTF-8', 'deflate'])]);
  const post: Post = {
    target: `${dice.pick(['/v1/events', '/v1/events/', '//v1//events'])}?n=${mark}`,
    headers: [...headers, ...claims],
    body,
  };
  const answer = headers === withKey ? 'success' : 'no_key';
  return tell({ family, dialect: 'tributary', post, outcome, answer });
}

const arrays: Family = (context) => {
  const { dice } = context;
  const made = listOf(context, 1 + dice.below(6), 0.3);
  const space = dice.pick(['', '\n', ' ', '\r\n\t']);
  const text = `${space}[${made.map((one) => one.text).join(`,${space}`)}]${space}`;
  const items = made.flatMap((one) => one.items);
  return send('array', context, dice.pick(wraps)(Buffer.from(text)), { kind: 'items', items });
};

/** The first line is sound, so that it is known to be one event a line; what follows may be anything that is no line end. */
const lines: Family = (context) => {
  const { dice, mark } = context;
  const first = makeEvent(context, `${mark}.first`, false);
  const rest = listOf(context, 1 + dice.below(6), 0.3).map((one): MadeElement => {
    if (!dice.chance(0.25)) return one;
    const broken = dice.pick([
      spoil('{"mark":1}', context),
      '{"name":"x"',
      'x',
      '}',
      '{"a":1}{"b":2}',
      '\u0000',
      '[',
      '//',
    ]);
    return { text: broken, items: refused };
  });
  const end = dice.pick(['\n', '\r\n', '\n\n', '\n \n']);
  const made = [first, ...rest];
  const text = `${dice.chance(0.1) ? '\ufeff' : ''}${made.map((one) => one.text).join(end)}${dice.chance(0.5) ? end : ''}`;
  const items: readonly Item[] = made.flatMap((one) => one.items);
  return send('one a line', context, dice.pick(wraps)(Buffer.from(text)), { kind: 'items', items });
};

/** A line of bytes that are no UTF-8 is refused alone, or with it the whole request. */
const notUtf8: Family = (context) => {
  const [one, two] = listOf(context, 2, 0);
  const body = Buffer.concat([
    Buffer.from(`${one!.text}\n`),
    Buffer.from([0xff, 0xc3, 0x28]),
    Buffer.from(`\n${two!.text}`),
  ]);
  return send('not UTF-8', context, context.dice.pick(wraps)(body), { kind: 'unsure' });
};

const keyless: Family = (context) => {
  const { dice } = context;
  const key = dice.pick([
    'Bearer',
    'Bearer ',
    'Basic c2VrcmV0',
    'bearer a b',
    `Bearer ${'x'.repeat(256)}`,
    '',
  ]);
  const headers: Headers = dice.chance(0.8) ? [['Authorization', key]] : [];
  return send(
    'without a key',
    context,
    Buffer.from(listOf(context, 1, 0)[0]!.text),
    { kind: 'nothing' },
    headers,
  );
};

const bombs = [
  () => zstdCompressSync(Buffer.alloc(60_000_000, '[')),
  () => zstdCompressSync(Buffer.alloc(500_000_000)),
  () => gzip(Buffer.alloc(60_000_000, '\n')),
  () => zstdCompressSync('{"name":1}\n'.repeat(10_001)),
  () => zstdCompressSync(`[${'1,'.repeat(10_000)}1]`),
  () => zstdCompressSync(`{"a":1}\n${`[${'1,'.repeat(999)}1]\n`.repeat(1_100)}`),
  () => zstdCompressSync('['.repeat(1_000_000)),
  () => zstdCompressSync(zstdCompressSync(Buffer.alloc(60_000_000))),
].map(once);

const undecodable: Family = (context) => {
  const { dice } = context;
  const text = `[${listOf(context, 2, 0)
    .map((one) => one.text)
    .join(',')}]`;
  const zipped = dice.pick([gzip, (bytes: string) => zstdCompressSync(bytes)])(text);
  const cutAt = 4 + dice.below(zipped.length - 5);
  const body = dice.pick<() => Buffer>([
    () => dice.pick(wraps)(Buffer.from(spoil(text, context))),
    () => zipped.subarray(0, cutAt),
    () => Buffer.concat([zipped.subarray(0, cutAt), dice.bytes(8)]),
    () => Buffer.from(dice.pick(['', ' ', '\n\n', '\ufeff', '{', '[', ']', 'x', '{"name"', '\u0000'])),
    () => dice.pick(wraps)(Buffer.alloc(0)),
    () => Buffer.concat([Buffer.from('28b52ffd', 'hex'), dice.bytes(dice.below(60))]),
  ])();
  return send('no events', context, body, { kind: 'undecodable' });
};

const bomb: Family = (context) => send('bombs', context, context.dice.pick(bombs)(), { kind: 'undecodable' });

export const tributary: readonly (readonly [weight: number, family: Family])[] = [
  [200, arrays],
  [250, lines],
  [30, notUtf8],
  [30, keyless],
  [130, undecodable],
  [3, bomb],
];
