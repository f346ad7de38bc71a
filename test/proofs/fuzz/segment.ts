import type { Context, Family, Headers, Post } from './cases.ts';
import {
  gzip,
  hashWith,
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
import type { Item, Outcome, ReferenceEvent } from './reference-decoder.ts';

/** What the SDKs of Segment and RudderStack send, and what they should not. */

const project = 'fuzz-segment';

type Type = 'track' | 'identify' | 'page' | 'screen' | 'group' | 'alias';
const types: readonly Type[] = ['track', 'track', 'identify', 'page', 'screen', 'group', 'alias'];

interface Parts {
  readonly members: Record<string, string | undefined>;
  readonly events: readonly Partial<ReferenceEvent>[];
  readonly faults: readonly Record<string, string | undefined>[];
}

function partsOf(type: Type, { dice, nowMs }: Context, mark: string): Parts {
  const { text, value: properties } = someMembers(dice, mark);
  const at = nowMs - dice.below(86_400_000);
  const userId = `user-${dice.below(1000)}`;
  const anonymousId = `anonymous-${dice.below(1000)}`;
  const shared = {
    type: quote(type),
    messageId: quote(idOf(mark)),
    timestamp: quote(new Date(at).toISOString()),
    context: dice.pick(['{"library":{"name":"fuzz","version":"1"}}', '{}', 'null', '[]', '"x"', undefined]),
  };
  const who = { anonymousId: quote(anonymousId), userId: quote(userId) };
  const event = { anonymousId, userId, occurredAtMs: at };
  const bad = (field: string) => ['"x"', '1', '[1]', 'true'].map((wrong) => ({ [field]: wrong }));
  const times = ['"yesterday"', '"2026-02-30T00:00:00Z"', '[]', 'true', '"9999-01-01"', quote(`${nowMs}`)];
  const faults = times.map((timestamp) => ({ timestamp }));
  const nobody = { anonymousId: undefined, userId: dice.pick([undefined, '""', '{}', 'null']) };
  if (type === 'track') {
    const name = dice.pick(['Order Completed', '下单', ' ', '__proto__', '$page']);
    return {
      members: { ...shared, ...who, event: quote(name), properties: text },
      events: [{ ...event, kind: 'track', name, properties }],
      faults: [...faults, nobody, { event: dice.pick(['""', '5', undefined, '[]']) }, ...bad('properties')],
    };
  }
  if (type === 'page' || type === 'screen') {
    return {
      members: { ...shared, ...who, properties: text },
      events: [{ ...event, kind: 'track', name: `$${type}`, properties }],
      faults: [...faults, nobody, ...bad('properties')],
    };
  }
  if (type === 'identify') {
    return {
      members: { ...shared, ...who, traits: text },
      events: [{ ...event, kind: 'profile_set', properties }],
      faults: [...faults, nobody, ...bad('traits')],
    };
  }
  if (type === 'group') {
    const item = { ...event, kind: 'item_set', name: 'group', properties };
    const track = { ...event, kind: 'track', name: '$group', properties: new Map([['groupId', 'acme']]) };
    return {
      members: { ...shared, ...who, groupId: '"acme"', traits: text },
      events: [item, track],
      faults: [...faults, { groupId: dice.pick(['""', undefined, '[]', 'true']) }, ...bad('traits')],
    };
  }
  return {
    members: { ...shared, userId: quote(userId), previousId: quote(anonymousId) },
    events: [{ ...event, kind: 'alias' }],
    faults: [...faults, { userId: undefined }, { previousId: dice.pick(['""', undefined, '{}']) }],
  };
}

const eventOf = (event: Partial<ReferenceEvent>): Item => ({
  kind: 'event',
  event: {
    project,
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

export function makeMessage(context: Context, type: Type, mark: string, isFaulty: boolean): MadeElement {
  const { dice } = context;
  if (isFaulty && dice.chance(0.2)) return { text: dice.pick(noObjects), items: refused };
  const { members, events, faults } = partsOf(type, context, mark);
  return isFaulty
    ? { text: writeObject({ ...members, ...dice.pick(faults) }), items: refused }
    : { text: writeObject(members), items: events.map(eventOf) };
}

export function makeMessages(context: Context, count: number, faulty: number): MadeElement {
  const { dice, mark } = context;
  const made = Array.from({ length: count }, (_, place) => {
    if (dice.chance(0.05))
      return { text: `{"type":${dice.pick(['"newer"', '5', 'null'])},"userId":"u"}`, items: refused };
    return makeMessage(context, dice.pick(types), `${mark}.${place}`, dice.chance(faulty));
  });
  return { text: `[${made.map(({ text }) => text).join(',')}]`, items: made.flatMap(({ items }) => items) };
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

/** Where the key stands; rubbish beside it does no harm. */
interface Key {
  readonly headers: Headers;
  readonly member: string | undefined;
  readonly query: string;
}

const rubbishKeys = [
  'Basic',
  'Basic ',
  'Basic !!!',
  'Basic Og==',
  'Bearer sekret',
  'Digest x="sekret"',
  '\xff',
];

function keyOf({ dice }: Context): Key {
  const rubbish: Headers = dice.chance(0.5) ? [['Authorization', dice.pick(rubbishKeys)]] : [];
  return dice.pick<() => Key>([
    () => ({ headers: [['Authorization', basic(`${project}:`)]], member: undefined, query: '' }),
    () => ({
      headers: [['Authorization', basic(`${project}:sekret:x`)]],
      member: '"other"',
      query: '&writeKey=another',
    }),
    () => ({
      headers: [['authorization', basic(project).replace('Basic', 'bAsIc')]],
      member: undefined,
      query: '',
    }),
    () => ({ headers: rubbish, member: quote(project), query: '&writeKey=another' }),
    () => ({ headers: rubbish, member: dice.pick(['5', '""', undefined]), query: `&writeKey=${project}` }),
  ])();
}

const contentTypes = ['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'image/gif', ''];

function send(
  family: string,
  context: Context,
  target: string,
  body: Buffer,
  outcome: Outcome,
  headers: Headers,
) {
  const { dice } = context;
  const encoding: Headers = dice.chance(0.3)
    ? [['Content-Encoding', dice.pick(['gzip', 'br', 'UTF-8'])]]
    : [];
  const post: Post = {
    target,
    headers: [...headers, ['Content-Type', dice.pick(contentTypes)], ...encoding],
    body,
  };
  return tell({ family, dialect: 'segment', post, outcome, otherHashes: withoutTime(post) });
}

/** The hash leaves the time of sending out, which a resend has anew. */
export const withoutTime = (post: Post): readonly string[] => [
  hashWith(
    post,
    Buffer.from(post.body.toString('latin1').replace(/"sentAt"\s*:\s*"[^"\\]*"/g, '""'), 'latin1'),
  ),
];

const wraps: readonly ((bytes: Buffer) => Buffer)[] = [(bytes) => bytes, gzip];
const batchPaths = ['/v1/batch', '/v1/b', '/v1/import', '/v1/batch/', '//v1//batch', '/beacon/v1/batch'];

const batches: Family = (context) => {
  const { dice, mark, nowMs } = context;
  const { headers, member, query } = keyOf(context);
  const { text, items } = makeMessages(context, 1 + dice.below(6), 0.25);
  const sentAt = dice.pick([undefined, quote(new Date(nowMs).toISOString()), '5', '"later"', '{}']);
  const body = Buffer.from(
    writeObject({
      batch: text,
      sentAt,
      writeKey: member,
      context: dice.pick([undefined, '{"ip":"1"}', '[]']),
    }),
  );
  const target = `${dice.pick(batchPaths)}?n=${mark}${query}`;
  return send('batch', context, target, dice.pick(wraps)(body), { kind: 'items', items }, headers);
};

const single: Family = (context) => {
  const { dice, mark } = context;
  const { headers, member, query } = keyOf(context);
  const type = dice.pick(types);
  const made = makeMessage(context, type, mark, dice.chance(0.25));
  const isObject = made.text.startsWith('{') && made.text !== '{}';
  // The path tells what it is, whatever it says of itself.
  const text = isObject && member !== undefined ? `{"writeKey":${member},${made.text.slice(1)}` : made.text;
  const target = `/v1/${dice.chance(0.3) ? type.charAt(0) : type}?n=${mark}${query}`;
  return send(
    'one message',
    context,
    target,
    dice.pick(wraps)(Buffer.from(text)),
    { kind: 'items', items: made.items },
    headers,
  );
};

/** Nobody's: kept, with the reason that it names no project. */
const keyless: Family = (context) => {
  const { dice, mark } = context;
  const { text } = makeMessages(context, 1 + dice.below(3), 0);
  const headers: Headers = dice.chance(0.7) ? [['Authorization', dice.pick(rubbishKeys)]] : [];
  const count = JSON.parse(text).length as number;
  const items: readonly Item[] = Array.from({ length: count }, () => ({ kind: 'refused' }));
  return send(
    'without a key',
    context,
    `/v1/batch?n=${mark}`,
    Buffer.from(`{"batch":${text}}`),
    { kind: 'items', items },
    headers,
  );
};

const bombs = [
  () => gzip(Buffer.alloc(60_000_000, ' ')),
  () => gzip(`{"batch":[${'1,'.repeat(10_000)}1]}`),
  () => gzip(`{"batch":[${'[],'.repeat(1_100_000)}1]}`),
  () => gzip(`{"batch":${'['.repeat(1_000_000)}`),
  // What the batch says of all its messages, merged into each, would be gigabytes.
  () => gzip(`{"context":{"x":"${'x'.repeat(100_000)}"},"batch":[${'{},'.repeat(9_998)}{}]}`),
].map(once);

const undecodable: Family = (context) => {
  const { dice, mark } = context;
  const { headers, query } = keyOf(context);
  const text = `{"batch":${makeMessages(context, 2, 0).text}}`;
  const cut = gzip(text);
  const body = dice.pick<() => Buffer>([
    () => dice.pick(wraps)(Buffer.from(spoil(text.includes('"mark"') ? text : '{"mark":1}', context))),
    () => cut.subarray(0, 2 + dice.below(cut.length - 3)),
    () =>
      Buffer.from(
        dice.pick(['', '[]', '{}', 'null', '{"batch":{}}', '{"batch":"x"}', '"x"', '{"batch":null}']),
      ),
    () => Buffer.concat([Buffer.from(text.slice(0, -3)), Buffer.from([0xff]), Buffer.from('"}]}')]),
    () => dice.bytes(1 + dice.below(300)),
    () => (dice.chance(0.05) ? dice.pick(bombs)() : gzip('')),
  ])();
  return send('no batch', context, `/v1/batch?n=${mark}${query}`, body, { kind: 'undecodable' }, headers);
};

export const segment: readonly (readonly [weight: number, family: Family])[] = [
  [300, batches],
  [150, single],
  [40, keyless],
  [150, undecodable],
];
