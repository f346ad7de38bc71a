import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import LZString from 'lz-string';
import { compress } from 'snappyjs';
import { describe, expect, test } from 'vitest';
import type { Event } from '../../events/event.ts';
import { growingio } from './decode.ts';
import { type Codec, type EncodedRequest, encodeEvents, encodeItems, encodeUserMappings } from './encode.ts';
import type { Element } from './encode-protobuf.ts';
import {
  collect,
  decode,
  eventsOf,
  idsOf,
  options,
  refusalOf,
  requestOf,
  textOf,
  timestamp,
} from './requests-for-test.ts';

const codecs: readonly Codec[] = ['json', 'snappy', 'snappy_xor', 'protobuf', 'protobuf_snappy_xor'];
const sentAt = timestamp;
const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const key = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'toString', '12', ''));
const texts = fc.dictionary(key, text, { maxKeys: 8 });
const id = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });

/** Values are text, as protobuf has them. */
const event = fc.record(
  {
    eventType: fc.constantFrom('CUSTOM', 'VISIT', 'PAGE', 'LOGIN_USER_ATTRIBUTES', 'ACTIVATE'),
    eventName: id,
    deviceId: id,
    userId: id,
    userKey: id,
    sessionId: id,
    timestamp: fc.integer({ min: timestamp - 1_000_000, max: timestamp }),
    sendTime: fc.integer({ min: 1, max: timestamp }),
    attributes: texts,
    title: id,
    screenWidth: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    eventSequenceId: fc.integer({ min: -(2 ** 31), max: -1 }),
    latitude: fc.double({ min: -90, max: 90, noNaN: true }).filter((it) => it !== 0),
    globalSequenceId: fc.integer({ min: 2 ** 50, max: Number.MAX_SAFE_INTEGER }),
    projectKey: id,
    platform: fc.constantFrom('go', 'python', 'web'),
  },
  { requiredKeys: ['eventType', 'eventName', 'deviceId', 'timestamp'] },
);
const item = fc.record({ id, key: id, attributes: texts, dataSourceId: id }, { requiredKeys: ['id', 'key'] });
const mapping = fc.record(
  {
    identifies: fc.dictionary(id, id, { minKeys: 1, maxKeys: 5 }),
    sendTime: fc.constant(timestamp),
    projectKey: id,
  },
  { requiredKeys: ['identifies'] },
);

const routes: readonly {
  readonly name: string;
  readonly elements: fc.Arbitrary<Element>;
  readonly encode: typeof encodeEvents;
}[] = [
  { name: 'events', elements: event, encode: encodeEvents },
  { name: 'items', elements: item, encode: encodeItems },
  { name: 'user mappings', elements: mapping, encode: encodeUserMappings },
];

const send = ({ path, headers, body }: EncodedRequest) => decode(path, body, headers);
const clean = (elements: readonly Element[]): Element[] => JSON.parse(JSON.stringify(elements)) as Element[];
const comparable = (events: readonly Event[]) =>
  events.map((one) => ({ ...one, properties: textOf(one.properties), context: textOf(one.context) }));

describe.each(routes)('$name of any attributes', ({ elements, encode }) => {
  test('are the same, and have the same ids, by every codec', () => {
    fc.assert(
      fc.property(fc.array(elements, { minLength: 1, maxLength: 4 }), (sent) => {
        const [first, ...others] = codecs.map((codec) =>
          eventsOf(send(encode(clean(sent), { project: 'shop', codec, sentAt }))),
        );
        for (const other of others) {
          expect(comparable(other)).toEqual(comparable(first ?? []));
          expect(idsOf(other)).toEqual(idsOf(first ?? []));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('each taken out of its request as JSON text and decoded alone is what it was at its place', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            elements,
            elements.map((it) => ({ ...it, attributes: 7, identifies: 7 })),
          ),
          { maxLength: 4 },
        ),
        fc.constantFrom(...codecs.slice(0, 3)),
        (sent, codec) => {
          const { path, headers, body } = encode(clean(sent), { project: 'shop', codec, sentAt });
          expectAlone(path, headers, body);
        },
      ),
      { numRuns: 60 },
    );
    fc.assert(
      fc.property(fc.array(elements, { maxLength: 4 }), fc.constantFrom(...codecs), (sent, codec) => {
        const { path, headers, body } = encode(clean(sent), { project: 'shop', codec, sentAt });
        if (body.length > 0) expectAlone(path, headers, body);
      }),
      { numRuns: 60 },
    );
  });
});

function expectAlone(path: string, headers: Readonly<Record<string, string>>, body: Uint8Array): void {
  const request = requestOf(path, body, headers);
  const whole = growingio.decode(request, options);
  if (whole.kind !== 'items') throw new Error(whole.refusal.detail);
  whole.items.forEach((one, place) => {
    const json = whole.text(place) ?? '';
    const alone = growingio.decodeElement(Buffer.from(json), request, options);
    expect(alone).toMatchObject({ kind: 'items', items: [one] });
    if (alone.kind === 'items') expect(alone.text(0)).toBe(json);
    if (one.kind === 'event') expect(idsOf(eventsOf(alone))).toEqual(idsOf([one.event]));
  });
}

const sample = {
  eventType: 'CUSTOM',
  timestamp,
  eventName: 'buy',
  deviceId: 'd',
  attributes: { 文: '跑步机 😀', n: 'é' },
};
const json = JSON.stringify([sample]);
/** The event in as much white space as gives its text a plus sign. */
const withPlus =
  Array.from({ length: 50 }, (_, size) =>
    LZString.compressToEncodedURIComponent(' '.repeat(size) + json),
  ).find((it) => it.includes('+')) ?? '';
const xor = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ (sentAt % 256));
const snappy = compress(Buffer.from(json));
const protobufBody = encodeEvents([sample], { project: 'shop', codec: 'protobuf', sentAt }).body;

describe('a body', () => {
  const stm = `${collect}?stm=${sentAt}`;
  const claims = { 'X-Compress-Codec': '2', 'X-Crypt-Codec': '1', 'Content-Type': 'application/protobuf' };
  test.each<[string, string, Uint8Array | string, Record<string, string>?]>([
    ['JSON', stm, json],
    ['JSON after a byte order mark', stm, `\ufeff\n${json}`],
    ['JSON that claims to be everything else', stm, json, claims],
    ['one object instead of an array', stm, JSON.stringify(sample)],
    ['JSON written twice', stm, JSON.stringify(json)],
    ['gzip', stm, gzipSync(json)],
    ['snappy without a header', stm, snappy],
    ['snappy of JSON written twice', stm, compress(Buffer.from(JSON.stringify(json)))],
    ['snappy that claims to be XORed', stm, snappy, claims],
    ['snappy with XOR without a header', stm, xor(snappy)],
    ['snappy with XOR keyed by X-Timestamp alone', collect, xor(snappy), { 'X-Timestamp': `${sentAt}` }],
    ['JSON with XOR', stm, xor(Buffer.from(json)), { 'X-Crypt-Codec': '1' }],
    ['protobuf', stm, protobufBody],
    ['protobuf that claims to be JSON', stm, protobufBody, { 'Content-Type': 'application/json' }],
    ['gzip of protobuf', stm, gzipSync(protobufBody)],
    ['protobuf with XOR', stm, xor(protobufBody), { 'X-Crypt-Codec': '1' }],
    ['LZString in bytes', `${collect}?compress=1`, LZString.compressToUint8Array(json)],
    ['LZString in bytes that claims nothing', collect, LZString.compressToUint8Array(json)],
    ['LZString in UTF-16', stm, LZString.compressToUTF16(json), { 'X-Compress-Codec': '1' }],
    ['LZString in UTF-16 that claims nothing', stm, LZString.compressToUTF16(json)],
    [
      'LZString in an image',
      `${collect}?compress=11&data=${LZString.compressToEncodedURIComponent(json)}`,
      '',
    ],
    [
      'LZString in an image whose plus signs became spaces',
      `${collect}?compress=11&data=${withPlus.replaceAll('+', '%20')}`,
      '',
    ],
    ['JSON in an image', `${collect}?compress=0&data=${encodeURI(json)}`, ''],
  ])('of %s holds the event with the one id', (_, target, body, headers = {}) => {
    const events = eventsOf(decode(target, body, headers));
    expect(idsOf(events)).toEqual(idsOf(eventsOf(decode(collect, json))));
  });

  test('of snappy with XOR without a header may begin as JSON does', () => {
    const [first = 0] = snappy;
    for (const bracket of ['[', '{']) {
      const key = first ^ bracket.charCodeAt(0);
      const body = snappy.map((byte) => byte ^ key);
      const events = eventsOf(decode(`${collect}?stm=${1_795_287_470_080 + key}`, body));
      expect(Buffer.from(body).toString('latin1', 0, 1)).toBe(bracket);
      expect(idsOf(events)).toEqual(idsOf(eventsOf(decode(collect, json))));
    }
  });

  test('of JSON in an image may hold what parts a query', () => {
    const title = 'a&b=c 100%';
    const target = `${collect}?compress=0&data=${encodeURI(JSON.stringify([{ ...sample, title }])).replaceAll('%25', '%')}`;
    expect(textOf(eventsOf(decode(target, ''))[0]?.context ?? new Uint8Array())).toContain(title);
  });

  test('sent again with another time has the hash that it had', () => {
    const plain = [1_795_287_470_220, 1_795_287_470_411].map((at) => {
      const { path, headers, body } = encodeEvents([sample], {
        project: 'shop',
        codec: 'snappy_xor',
        sentAt: at,
      });
      return growingio.plainBody?.(requestOf(path, body, headers)).toString('hex');
    });
    const { body } = encodeEvents([sample], { project: 'shop', codec: 'snappy', sentAt });
    expect(plain).toEqual(Array(2).fill(Buffer.from(body).toString('hex')));
    // What only claims to be XORed is hashed as it is.
    expect(growingio.plainBody?.(requestOf(stm, body, claims))).toEqual(Buffer.from(body));
  });

  test.each<[string, Uint8Array | string, string, Record<string, string>?]>([
    ['NaN in JSON', '[{"a":NaN}]', 'invalid_json'],
    ['JSON that is cut', json.slice(0, 40), 'invalid_json'],
    ['JSON that is no UTF-8', Buffer.from('[{"a":"\xff"}]', 'latin1'), 'invalid_utf8'],
    ['gzip that is cut', gzipSync(json).subarray(0, 30), 'broken_gzip'],
    ['a form', 'data=abc&x=1', 'unreadable_body'],
    ['snappy that is cut', snappy.subarray(0, 40), 'unreadable_body'],
    ['snappy of a picture', compress(Buffer.from('GIF89a')), 'unreadable_body'],
    ['XOR with another key', snappy.map((byte) => byte ^ 77), 'unreadable_body', { 'X-Crypt-Codec': '1' }],
    ['protobuf that is cut', protobufBody.subarray(0, -1), 'unreadable_body'],
    ['a bomb of snappy', compress(Buffer.alloc(2_000_000, ' ')), 'inflates_too_large'],
    ['a bomb of gzip', gzipSync(Buffer.alloc(2_000_000, ' ')), 'inflates_too_large'],
    // Each of a thousand could inflate to the bound, of a few kilobytes.
    ['gzip of gzip', gzipSync(gzipSync(json)), 'unreadable_body'],
    ['a bomb of LZString', LZString.compressToUint8Array(' '.repeat(2_000_000)), 'inflates_too_large'],
    ['more events than are accepted', JSON.stringify(Array(101).fill(sample)), 'too_many_events'],
    [
      'more events than are accepted in protobuf',
      encodeEvents(Array(101).fill(sample), { project: 'shop', codec: 'protobuf', sentAt }).body,
      'too_many_events',
    ],
  ])('of %s is undecodable', (_, body, reason, headers = {}) => {
    const decoded = decode(stm, body, headers);
    expect([decoded.kind, refusalOf(decoded)]).toEqual(['undecodable', reason]);
    expect(decoded).toMatchObject({ project: 'shop' });
  });

  test('of white space, posted without anything in its query, is undecodable', () => {
    expect(refusalOf(decode(collect, ' \n'))).toBe('unreadable_body');
    expect(refusalOf(growingio.decode({ ...requestOf(collect, ''), method: 'POST' }, options))).toBe(
      'empty_body',
    );
  });

  test('of any bytes is decoded or refused, in time', () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          bytes.map((it) => Buffer.concat([snappy, it])),
        ),
        fc.boolean(),
        (body, crypt) => {
          const headers: Record<string, string> = crypt ? { 'X-Crypt-Codec': '1' } : {};
          for (const target of [stm, '/projects/shop/collect/item', '/projects/shop/collect/user-mapping']) {
            expect(['items', 'undecodable']).toContain(decode(target, body, headers).kind);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
