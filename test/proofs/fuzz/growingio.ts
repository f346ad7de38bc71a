import LZString from 'lz-string';
import { compress } from 'snappyjs';
import { writeList } from '../../growingio-protobuf.ts';
import type { Context, Dice, Family, Headers, Post } from './cases.ts';
import {
  gzip,
  hashWith,
  type MadeElement,
  noObjects,
  quote,
  refused,
  someMembers,
  spoil,
  tell,
  writeObject,
} from './posts.ts';
import type { Item, ReferenceEvent } from './reference-decoder.ts';

/** What GrowingIO's SDKs send: every route in every codec, with claims about it that are true or not. */

type Route = 'collect' | 'item' | 'user_mapping' | 'cstm' | 'custom';

const routes: readonly Route[] = ['collect', 'collect', 'collect', 'item', 'user_mapping', 'cstm', 'custom'];

export const pathOf = (route: Route, project: string): string =>
  ({
    collect: `/v3/projects/${project}/collect`,
    item: `/projects/${project}/collect/item`,
    user_mapping: `/projects/${project}/collect/user-mapping`,
    cstm: `/v3/${project}/s2s/cstm`,
    custom: `/custom/${project}/events`,
  })[route];

const eventOf = (event: Partial<ReferenceEvent>): Item => ({
  kind: 'event',
  event: {
    project: 'fuzz-gio',
    kind: 'track',
    name: undefined,
    anonymousId: undefined,
    userId: undefined,
    occurredAtMs: undefined,
    debug: 0,
    properties: new Map(),
    context: undefined,
    ...event,
  },
});

/** Text of members by key, and what they become. */
interface Parts {
  readonly members: Record<string, string | undefined>;
  readonly event: Partial<ReferenceEvent>;
  /** Members of which each is needed; the first is missing where there is more than one. */
  readonly faults: readonly Record<string, string | undefined>[];
}

function partsOf(route: Route, { dice, nowMs }: Context, mark: string): Parts {
  const { text, value: properties } = someMembers(dice, mark);
  const at = nowMs - dice.below(86_400_000);
  const user = `user-${dice.below(1000)}`;
  const device = `device-${dice.below(1000)}`;
  const badTimes = (key: string) =>
    ['"yesterday"', '1795287685391.5', '-1', '17952876853910000', 'true', `${nowMs + 3 * 86_400_000}`].map(
      (wrong) => ({ [key]: wrong }),
    );
  const badAttributes = (key: string) =>
    ['"{}"', '1', 'true', '[{"a":1}]'].map((wrong) => ({ [key]: wrong }));
  if (route === 'collect') {
    const type = dice.pick([
      'CUSTOM',
      'CUSTOM',
      'LOGIN_USER_ATTRIBUTES',
      'VISIT',
      'PAGE',
      'VIEW_CLICK',
      'NEWER',
    ]);
    const isCustom = type === 'CUSTOM';
    const isProfile = type === 'LOGIN_USER_ATTRIBUTES';
    const name = dice.pick(['buy', 'view_item', '浏览', 'has space', '__proto__']);
    return {
      members: {
        eventType: quote(type),
        ...(isCustom ? { eventName: quote(name) } : {}),
        deviceId: quote(device),
        ...(dice.chance(0.5) ? { userId: quote(user) } : {}),
        timestamp: `${at}`,
        attributes: text,
        platform: '"web"',
      },
      event: {
        kind: isProfile ? 'profile_set' : 'track',
        name: isCustom ? name : isProfile ? undefined : `$${type.toLowerCase()}`,
        anonymousId: device,
        occurredAtMs: at,
        properties,
      },
      faults: [
        { deviceId: undefined, userId: undefined },
        { deviceId: '""', userId: '[]' },
        { eventType: '"CUSTOM"', eventName: dice.pick(['""', undefined, '{}']) },
        { eventType: '[]' },
        ...badTimes('timestamp'),
        ...badAttributes('attributes'),
      ],
    };
  }
  if (route === 'item') {
    const name = dice.pick(['sku', 'book']);
    return {
      members: { id: quote(mark), key: quote(name), attributes: text },
      event: { kind: 'item_set', name, properties },
      faults: [
        { id: undefined },
        { id: '""' },
        { key: dice.pick([undefined, 'null', '[]']) },
        ...badAttributes('attributes'),
      ],
    };
  }
  if (route === 'user_mapping') {
    return {
      members: { identifies: writeObject({ email: quote(mark), phone: quote(user) }) },
      event: { kind: 'alias', userId: mark },
      faults: [undefined, '{}', '[]', '"x"', '{"":"x"}', '{"email":""}', '{"email":[1]}'].map(
        (identifies) => ({ identifies }),
      ),
    };
  }
  if (route === 'cstm') {
    return {
      members: { t: '"cstm"', n: '"buy"', cs1: quote(user), tm: `${at}`, var: text },
      event: { name: 'buy', userId: user, occurredAtMs: at, properties },
      faults: [{ n: undefined }, { cs1: '""' }, ...badTimes('tm'), ...badAttributes('var')],
    };
  }
  return {
    members: { t: '"cstm"', n: '"buy"', u: quote(device), cs1: quote(`user:${user}`), tm: `${at}`, e: text },
    event: { name: 'buy', anonymousId: device, userId: user, occurredAtMs: at, properties },
    faults: [{ n: '""' }, { u: undefined, cs1: undefined }, ...badTimes('tm'), ...badAttributes('e')],
  };
}

function anyElement(route: Route, context: Context, mark: string, isFaulty: boolean): MadeElement {
  const { dice } = context;
  if (isFaulty && dice.chance(0.2)) return { text: dice.pick(noObjects), items: refused };
  const { members, event, faults } = partsOf(route, context, mark);
  if (isFaulty) return { text: writeObject({ ...members, ...dice.pick(faults) }), items: refused };
  const named = members.userId;
  const user = named === undefined ? {} : { userId: String(JSON.parse(named)) };
  return { text: writeObject(members), items: [eventOf({ ...event, ...user })] };
}

/** A soundly made list of a route, as text. */
export function makeList(context: Context, route: Route, count: number, faulty = 0.25): MadeElement {
  const elements = Array.from({ length: count }, (_, place) =>
    anyElement(route, context, `${context.mark}.${place}`, context.dice.chance(faulty)),
  );
  return {
    text: `[${elements.map(({ text }) => text).join(',')}]`,
    items: elements.flatMap(({ items }) => items),
  };
}

/** One event of protobuf, of which everything is text; written with Google's rules. */
export function makeProtobuf(
  { dice, mark, nowMs }: Context,
  count: number,
): { bytes: Buffer; items: readonly Item[] } {
  const made = Array.from({ length: count }, (_, place) => {
    const isFaulty = dice.chance(0.2);
    const at = nowMs - dice.below(86_400_000);
    const attributes = { mark: `${mark}.${place}`, secret: `sekret-${mark}`, 键: '值', '': 'none' };
    const sound = {
      eventType: 'CUSTOM',
      eventName: 'buy',
      deviceId: `device-${place}`,
      timestamp: at,
      attributes,
    };
    const fault = dice.pick([
      { deviceId: '' },
      { eventName: '' },
      { timestamp: -5 },
      { timestamp: nowMs * 10 },
    ]);
    const event = {
      name: 'buy',
      anonymousId: `device-${place}`,
      occurredAtMs: at,
      properties: new Map(Object.entries(attributes)),
    };
    return isFaulty
      ? { element: { ...sound, ...fault }, item: { kind: 'refused' } as const }
      : { element: sound, item: eventOf(event) };
  });
  return {
    bytes: writeList(
      'EventV3List',
      made.map(({ element }) => element),
    ),
    items: made.map(({ item }) => item),
  };
}

export const xor = (bytes: Uint8Array, key: number): Buffer => Buffer.from(bytes.map((byte) => byte ^ key));
export const snappy = (bytes: Buffer): Buffer => Buffer.from(compress(bytes));

/** LZString as bytes, and as UTF-8 of characters that hold 15 bits each. */
const lzBytes = (text: string): Buffer => Buffer.from(LZString.compressToUint8Array(text));
const lzText = (text: string): Buffer => Buffer.from(LZString.compressToUTF16(text));

const rubbishTimes = ['', 'abc', '-1', '1e3', '99999999999999999999', '%00', '0'];

/** Headers that may say anything, apart from the time that a body was XORed with. */
export const claims = ({ dice }: { dice: Dice }): Headers => {
  const headers: [string, string][] = [
    ['Content-Type', dice.pick(['application/json', 'application/protobuf', 'text/plain;charset=UTF-8', ''])],
  ];
  if (dice.chance(0.5)) headers.push(['X-Compress-Codec', dice.pick(['0', '1', '2', '9', 'gzip'])]);
  if (dice.chance(0.4)) headers.push(['X-Crypt-Codec', dice.pick(['0', '1', 'x'])]);
  if (dice.chance(0.1)) headers.push(['Authorization', 'Bearer sekret']);
  return headers;
};

/** The hashes of a body that may be XORed with either time that the request names. */
export const xorHashes = (post: Post): readonly string[] => unXored(post).map((body) => hashWith(post, body));

/** The body, XORed with each time that the request names. */
export const unXored = (post: Post): readonly Buffer[] => {
  const times = [
    /[?&]stm=(\d{1,15})(?=&|$)/.exec(post.target)?.[1],
    post.headers?.find(([name]) => name === 'X-Timestamp')?.[1],
  ];
  return times.flatMap((time) => (time === undefined ? [] : [xor(post.body, Number(time) % 256)]));
};

/** A list in any codec: the truth is known, whatever headers and query claim. */
const lists: Family = (context) => {
  const { dice, mark, nowMs } = context;
  const route = dice.pick(routes);
  const isProtobuf = route === 'collect' && dice.chance(0.35);
  const count = 1 + dice.below(6);
  const { bytes, items } = isProtobuf
    ? makeProtobuf(context, count)
    : (({ text, items: made }) => ({ bytes: Buffer.from(text), items: made }))(
        makeList(context, route, count),
      );
  const stm = `${nowMs - dice.below(1000)}`;
  const key = Number(stm) % 256;
  const text = bytes.toString();
  const [codec, body, isXored = false] = dice.pick<() => readonly [string, Buffer, boolean?]>([
    () => ['plain', bytes],
    () => ['snappy', snappy(bytes)],
    () => ['snappy, XOR', xor(snappy(bytes), key), true],
    () => ['gzip', gzip(bytes)],
    ...(isProtobuf
      ? []
      : [
          () => ['written twice', Buffer.from(JSON.stringify(text))] as const,
          () => ['LZString', lzBytes(text)] as const,
          () => ['LZString as text', lzText(text)] as const,
        ]),
  ])();
  const isInHeader = isXored && dice.chance(0.4);
  const time = isXored ? stm : dice.pick([...rubbishTimes, stm, stm]);
  const post: Post = {
    target: `${pathOf(route, 'fuzz-gio')}?n=${mark}${isInHeader ? '' : `&stm=${time}`}`,
    headers: [...claims(context), ...(isInHeader ? ([['X-Timestamp', stm]] as const) : [])],
    body,
  };
  return tell({
    family: `${isProtobuf ? 'protobuf' : route}, ${codec}`,
    dialect: 'growingio',
    post,
    outcome: { kind: 'items', items },
    otherHashes: xorHashes(post),
  });
};

/** JSON that is none. */
const spoiled: Family = (context) => {
  const { dice, mark } = context;
  const text = Buffer.from(spoil(makeList(context, 'collect', 1 + dice.below(3), 0).text, context));
  const wrap = dice.pick<(bytes: Buffer) => Buffer>([(bytes) => bytes, snappy, gzip]);
  const post = {
    target: `${pathOf('collect', 'fuzz-gio')}?n=${mark}`,
    headers: claims(context),
    body: wrap(text),
  };
  return tell({ family: 'no JSON', dialect: 'growingio', post, outcome: { kind: 'undecodable' } });
};

/** Events in the address of an image. */
const image: Family = (context) => {
  const { dice, mark } = context;
  const { text, items } = makeList(context, 'collect', 1, 0.2);
  const isRubbish = dice.chance(0.4);
  const rubbish = dice.pick(['%', '%zz%00%ff', 'N4Ig', '[{', 'A'.repeat(1 + dice.below(3000)), '%5B%5D%5B']);
  const sound = dice.chance(0.5) ? LZString.compressToEncodedURIComponent(text) : encodeURIComponent(text);
  const post: Post = {
    method: 'GET',
    target: `${pathOf('collect', 'fuzz-gio')}?n=${mark}&data=${isRubbish || sound.length > 12_000 ? rubbish : sound}`,
    headers: [['Accept', 'image/*']],
    body: Buffer.alloc(0),
  };
  const isSound = !isRubbish && sound.length <= 12_000;
  return tell({
    family: isSound ? 'image' : 'image of rubbish',
    dialect: 'growingio',
    post,
    outcome: isSound ? { kind: 'items', items } : { kind: 'unsure' },
  });
};

export const growingio: readonly (readonly [weight: number, family: Family])[] = [
  [400, lists],
  [80, spoiled],
  [50, image],
];
