import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultTimeWindow, type Event } from '../../events/event.ts';
import type { DecodedItem, WireRequest } from '../dialect.ts';
import type { JsonValue } from '../json/parse-json.ts';
import { checkAnalysysEvent } from './check.ts';
import { analysys } from './decode.ts';
import { analysysEventSchema } from './schema.ts';

const receivedAt = Date.UTC(2026, 10, 21) * 1000;
const xwhen = receivedAt / 1000 - 5000;
const options = { window: defaultTimeWindow, inflatedBytes: 1_000_000, eventsPerRequest: 100 };

const request = (body: string | Buffer, query = ''): WireRequest => ({
  method: 'POST',
  path: '/up',
  query,
  header: () => undefined,
  body: Buffer.from(body),
  receivedAt,
});

const sample = {
  appid: 'shop',
  xwho: 'device-1',
  xwhat: 'view',
  xwhen,
  xcontext: { price: 5, $lib: 'Java', $is_login: false },
};

function decodeItems(body: string | Buffer): readonly DecodedItem[] {
  const decoded = analysys.decode(request(body), options);
  if (decoded.kind !== 'items') throw new Error(decoded.refusal.detail);
  return decoded.items;
}

function decodeOne(event: unknown): Event {
  const [item] = decodeItems(JSON.stringify([event]));
  if (item?.kind !== 'event') throw new Error(`refused: ${JSON.stringify(item)}`);
  return item.event;
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

function refusalOf(event: unknown): string | undefined {
  const [item] = decodeItems(typeof event === 'string' ? event : JSON.stringify([event]));
  return item?.kind === 'refused' ? item.refusal.reason : undefined;
}

describe('bodies', () => {
  const json = JSON.stringify([sample]);
  // Its base64 holds `+`.
  const spaced = `   ${JSON.stringify([{ ...sample, xwho: '>>>' }])}`;
  test.each([
    ['plain JSON', json],
    ['plain JSON after a byte order mark and white space', `\ufeff\r\n ${json}`],
    ['one object instead of an array', JSON.stringify(sample)],
    ['base64', Buffer.from(json).toString('base64')],
    ['base64 that a form parser read', Buffer.from(spaced).toString('base64').replaceAll('+', ' ')],
    ['base64 as a form would encode it', encodeURIComponent(Buffer.from(spaced).toString('base64'))],
    ['gzip', gzipSync(json)],
    ['base64 of gzip', gzipSync(json).toString('base64')],
    [
      'base64 of gzip with line breaks',
      gzipSync(json)
        .toString('base64')
        .replace(/(.{60})/g, '$1\r\n'),
    ],
  ])('%s holds the event', (_, body) => {
    expect(decodeItems(body)).toMatchObject([{ kind: 'event', event: { project: 'shop', name: 'view' } }]);
  });

  test('an empty array is a request without events', () => {
    expect(decodeItems('[]')).toEqual([]);
  });

  test.each([
    ['nothing', '', 'empty_body'],
    ['white space', ' \n', 'empty_body'],
    ['a form', 'data=abc&x=1', 'not_base64'],
    [
      'base64 with a character too many',
      `${Buffer.from(json).toString('base64').replace(/=+$/, '')}AAAAA`.slice(0, 65),
      'not_base64',
    ],
    ['text that could be base64', 'not gzip', 'invalid_utf8'],
    ['truncated gzip', gzipSync(json).subarray(0, 40).toString('base64'), 'broken_gzip'],
    ['a bomb', gzipSync(Buffer.alloc(5_000_000, ' ')).toString('base64'), 'inflates_too_large'],
    ['the PHP SDK with a quotation mark in a value', '[{"appid":"a","xwho":"b"c"}]', 'invalid_json'],
    ['the Python SDK with NaN in a value', '[{"appid":"a","xcontext":{"f":NaN}}]', 'invalid_json'],
    ['more events than are accepted', `[${Array(101).fill('{}').join(',')}]`, 'too_many_events'],
  ])('%s is undecodable: %#', (_, body, reason) => {
    const decoded = analysys.decode(request(body, 'appid=shop'), options);
    expect(decoded).toMatchObject({ kind: 'undecodable', project: 'shop', refusal: { reason } });
  });
});

test('a body that was taken for base64 is refused with that said, as the sender may mean another thing', () => {
  const decoded = analysys.decode(request('not gzip'), options);
  expect(decoded).toMatchObject({ refusal: { detail: expect.stringMatching(/^taken for base64/) } });
});

describe('one element', () => {
  const decodeElement = (text: string) => analysys.decodeElement(Buffer.from(text), request(''), options);

  test('taken out of any request and decoded alone is what it was at its place, refusals too', () => {
    const key = fc.constantFrom('appid', 'xwho', 'xwhat', 'xwhen', 'xcontext');
    const good = fc.dictionary(fc.string(), fc.jsonValue()).map((xcontext) => ({ ...sample, xcontext }));
    const bent = fc.tuple(good, key, fc.jsonValue()).map(([event, at, value]) => ({ ...event, [at]: value }));
    fc.assert(
      fc.property(fc.array(fc.oneof(good, bent, fc.jsonValue()), { maxLength: 5 }), (elements) => {
        const whole = analysys.decode(request(JSON.stringify(elements)), options);
        if (whole.kind !== 'items') throw new Error(whole.refusal.detail);
        whole.items.forEach((item, place) => {
          const alone = decodeElement(whole.text(place) ?? '');
          expect(alone).toMatchObject({ kind: 'items', items: [item] });
          if (alone.kind === 'items') expect(alone.text(0)).toBe(whole.text(place));
        });
      }),
      { numRuns: 300 },
    );
  });

  test('that is an array stays one element, and text that is no JSON is undecodable', () => {
    expect(decodeElement(JSON.stringify([sample]))).toMatchObject({
      kind: 'items',
      items: [{ kind: 'refused', refusal: { reason: 'not_an_object' } }],
    });
    expect(decodeElement('{"appid":')).toMatchObject({
      kind: 'undecodable',
      refusal: { reason: 'invalid_json' },
    });
  });
});

describe('events', () => {
  test('a track keeps what the caller gave in properties and what the SDK adds in context', () => {
    expect(decodeOne(sample)).toEqual({
      project: 'shop',
      dialect: 'analysys',
      kind: 'track',
      name: 'view',
      itemId: undefined,
      anonymousId: 'device-1',
      userId: undefined,
      userKey: undefined,
      occurredAt: xwhen * 1000,
      timeSource: 'sender',
      sentAt: undefined,
      platform: undefined,
      sdk: 'Java',
      sdkVersion: undefined,
      sessionId: undefined,
      debug: 0,
      properties: Buffer.from('{"price":5}'),
      keys: [],
      context: Buffer.from('{"$is_login":false,"$lib":"Java"}'),
      warnings: [],
      messageId: undefined,
    });
  });

  test('xwho is the user where $is_login says so, and an alias has both ids', () => {
    const login = decodeOne({ ...sample, xcontext: { $is_login: true } });
    expect([login.userId, login.anonymousId]).toEqual(['device-1', undefined]);
    const alias = decodeOne({
      ...sample,
      xwho: 'anna',
      xwhat: '$alias',
      xcontext: { $original_id: 'device-1' },
    });
    expect([alias.kind, alias.userId, alias.anonymousId, alias.name]).toEqual([
      'alias',
      'anna',
      'device-1',
      undefined,
    ]);
  });

  test('a profile may hold a key of the vendor, which is its property', () => {
    const event = decodeOne({
      ...sample,
      xwhat: '$profile_set_once',
      xcontext: { $first_visit_time: 'x', $lib: 'JS' },
    });
    expect([event.kind, textOf(event.properties), textOf(event.context)]).toEqual([
      'profile_set_once',
      '{"$first_visit_time":"x"}',
      '{"$lib":"JS"}',
    ]);
  });

  test.each([
    ['bad_name: 9中文 bad', { ...sample, xwhat: '9中文 bad' }],
    ['bad_key: a-b', { ...sample, xcontext: { 'a-b': 1 } }],
    [
      'too_many_properties: 101',
      { ...sample, xcontext: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`k${i}`, i])) },
    ],
    ['string_too_long: s', { ...sample, xcontext: { s: 'x'.repeat(256) } }],
    ['list_too_long: l', { ...sample, xcontext: { l: Array(101).fill('x') } }],
    ['null_value: n', { ...sample, xcontext: { n: null } }],
    ['nested_value: o', { ...sample, xcontext: { o: { a: 1 } } }],
    ['increment_not_a_number: p', { ...sample, xwhat: '$profile_increment', xcontext: { p: 'x' } }],
    ['append_not_a_list: p', { ...sample, xwhat: '$profile_append', xcontext: { p: 'x' } }],
    ['alias_without_original_id: $original_id', { ...sample, xwhat: '$alias', xcontext: {} }],
    ['bad_debug: $debug', { ...sample, xcontext: { $debug: 'x' } }],
    ['bad_is_login: $is_login', { ...sample, xcontext: { $is_login: 'yes' } }],
  ])('is accepted with the warning %s', (warning, event) => {
    expect(decodeOne(event).warnings).toEqual([warning]);
  });

  test('1,000 keys are kept', () => {
    const xcontext = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`key_${index}`, index]));
    expect(JSON.parse(textOf(decodeOne({ ...sample, xcontext }).properties))).toEqual(xcontext);
  });

  test('events with other keys in between are not mixed up', () => {
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(fc.string({ maxLength: 3 }), fc.integer()), { maxLength: 20 }),
        (contexts) => {
          for (const xcontext of contexts) {
            const { properties, context } = decodeOne({ ...sample, xcontext });
            expect({ ...JSON.parse(textOf(properties)), ...JSON.parse(textOf(context)) }).toEqual(xcontext);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('refusals', () => {
  const day = 86_400_000;
  test.each([
    ['not_an_object', 5],
    ['bad_appid', { ...sample, appid: 7 }],
    ['bad_appid', { ...sample, appid: '' }],
    ['bad_xwho', { ...sample, xwho: 'x'.repeat(256) }],
    ['bad_xwhat', { ...sample, xwhat: '' }],
    ['bad_xwhen', { ...sample, xwhen: '1795287694310' }],
    ['bad_xwhen', { ...sample, xwhen: 1.5 }],
    ['xwhen_outside_window', { ...sample, xwhen: receivedAt / 1000 + day + 1 }],
    ['xwhen_outside_window', { ...sample, xwhen: receivedAt / 1000 - 3640 * day - 1 }],
    ['bad_xcontext', { ...sample, xcontext: [] }],
    ['bad_xcontext', { ...sample, xcontext: null }],
  ])('%s: %j', (reason, event) => {
    expect(refusalOf(event)).toBe(reason);
  });

  test('the edges of the window are inside, 255 characters of any plane are an id', () => {
    expect(refusalOf({ ...sample, xwhen: receivedAt / 1000 + day })).toBeUndefined();
    expect(refusalOf({ ...sample, xwhen: receivedAt / 1000 - 3640 * day })).toBeUndefined();
    expect(refusalOf({ ...sample, xwho: '😀'.repeat(255) })).toBeUndefined();
    expect(refusalOf({ ...sample, xwho: '😀'.repeat(256) })).toBe('bad_xwho');
  });

  test('one bad event leaves the others of its request as they are', () => {
    const kinds = decodeItems(JSON.stringify([sample, { ...sample, appid: 1 }, sample])).map(
      ({ kind }) => kind,
    );
    expect(kinds).toEqual(['event', 'refused', 'event']);
  });

  test('what is nested too deep is refused, and text that cannot be written again is not invented', () => {
    const deep = `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    const decoded = analysys.decode(
      request(`[{"appid":"shop","xwho":"x","xwhat":"y","xwhen":${xwhen},"xcontext":${deep}}]`),
      {
        ...options,
      },
    );
    expect(decoded).toMatchObject({
      kind: 'items',
      items: [{ kind: 'refused', project: 'shop', refusal: { reason: 'too_deep' } }],
    });
    if (decoded.kind === 'items') expect(decoded.text(0)).toBeUndefined();
  });

  test('the check by hand and the schema agree on anything', () => {
    const schema = analysysEventSchema(receivedAt, defaultTimeWindow);
    const near = fc.integer({ min: -4000 * day, max: 3 * day }).map((offset) => receivedAt / 1000 + offset);
    const id = fc.oneof(
      fc.string({ maxLength: 300, unit: 'binary' }),
      fc.constant(''),
      fc.string({ minLength: 250, maxLength: 260 }),
    );
    const anything = fc.jsonValue();
    const shortId = fc.string({ minLength: 1, maxLength: 255 });
    const good = fc.record({
      appid: shortId,
      xwho: shortId,
      xwhat: fc.string({ minLength: 1 }),
      xwhen: near,
      xcontext: fc.dictionary(fc.string(), anything),
    });
    const event = fc.record(
      {
        appid: fc.oneof({ weight: 6, arbitrary: id }, anything),
        xwho: fc.oneof({ weight: 6, arbitrary: id }, anything),
        xwhat: fc.oneof({ weight: 6, arbitrary: fc.string() }, anything),
        xwhen: fc.oneof({ weight: 6, arbitrary: near }, fc.double({ noNaN: true }), anything),
        xcontext: fc.oneof({ weight: 6, arbitrary: fc.dictionary(fc.string(), anything) }, anything),
      },
      { requiredKeys: [] },
    );
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.oneof({ weight: 20, arbitrary: event }, { weight: 10, arbitrary: good }, anything),
        (value) => {
          const byHand = checkAnalysysEvent(value as JsonValue, receivedAt, defaultTimeWindow).ok;
          if (byHand) accepted++;
          expect(byHand).toBe(schema.safeParse(value).success);
        },
      ),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(300);
  });
});
