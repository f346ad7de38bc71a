import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultTimeWindow, eventKinds } from '../../events/event.ts';
import type { JsonValue } from '../json/parse-json.ts';
import { checkTributaryEvent } from './check.ts';
import { tributary } from './decode.ts';
import { readTime } from './read-time.ts';
import {
  decode,
  eventsOf,
  good,
  itemsOf,
  options,
  receivedAt,
  receivedMs,
  request,
  sample,
  time,
} from './requests-for-test.ts';
import { tributaryEventSchema } from './schema.ts';

const refusalOf = (element: unknown) => {
  const [item] = itemsOf(decode(JSON.stringify([element])));
  return item?.kind === 'refused' ? item.refusal : undefined;
};

describe('a request', () => {
  const lines = [sample, { ...sample, name: 'buy' }].map((event) => JSON.stringify(event));

  test.each<[string, string | Buffer, string[]]>([
    ['one event', lines[0]!, ['view_item']],
    ['one event written over several lines', JSON.stringify(sample, undefined, 2), ['view_item']],
    ['an array', `[${lines.join(',')}]`, ['view_item', 'buy']],
    [
      'an array written over several lines',
      JSON.stringify([sample, sample], undefined, 2),
      ['view_item', 'view_item'],
    ],
    ['one event a line', lines.join('\n'), ['view_item', 'buy']],
    [
      'one event a line, with blank lines, as Windows ends them, after a byte order mark',
      `\ufeff\r\n${lines.join('\r\n\r\n')}\r\n`,
      ['view_item', 'buy'],
    ],
    ['gzip', gzipSync(lines.join('\n')), ['view_item', 'buy']],
    ['zstd', zstdCompressSync(lines.join('\n')), ['view_item', 'buy']],
    ['an empty array', '[]', []],
  ])('may be %s, by its bytes', (_, body, names) => {
    expect(eventsOf(body).map(({ name }) => name)).toEqual(names);
  });

  test.each<[string, string | Buffer, string]>([
    ['nothing', '', 'empty_body'],
    ['white space', ' \n\n', 'empty_body'],
    ['broken JSON', '{"name":', 'invalid_json'],
    ['an array that breaks off', `[${lines[0]},`, 'invalid_json'],
    ['one event over several lines that breaks off', '{\n  "name": "view",\n', 'invalid_json'],
    ['bytes that are no text', Buffer.from([0x7b, 0xff, 0x7d]), 'invalid_utf8'],
    ['broken gzip', gzipSync(lines[0]!).subarray(0, 20), 'broken_gzip'],
    ['broken zstd', zstdCompressSync(lines[0]!).subarray(0, 12), 'broken_zstd'],
    ['a gzip bomb', gzipSync(Buffer.alloc(5_000_000, ' ')), 'inflates_too_large'],
    ['a zstd bomb', zstdCompressSync(Buffer.alloc(5_000_000, ' ')), 'inflates_too_large'],
    ['an array of more than are accepted', `[${Array(101).fill('{}').join(',')}]`, 'too_many_events'],
    ['more lines than are accepted', Array(101).fill('{}').join('\n'), 'too_many_events'],
    [
      'lines of more values than are read',
      Array(30)
        .fill(`{"a":[${'0,'.repeat(40_000)}0]}`)
        .join('\n'),
      'too_many_values',
    ],
  ])('of %s is undecodable as a whole', (_, body, reason) => {
    const given = { ...options, inflatedBytes: 4_000_000 };
    expect(tributary.decode(request(body), given)).toMatchObject({
      kind: 'undecodable',
      project: 'shop',
      refusal: { reason },
    });
  });

  test('with a line that is no JSON loses only that line, which is kept as it came', () => {
    for (const body of [`${lines[0]}\n{"name": NaN}\n${lines[1]}`, `{"name": NaN}\n${lines[0]}`]) {
      const decoded = decode(body);
      const place = itemsOf(decoded).findIndex((item) => item.kind === 'refused');
      expect(itemsOf(decoded).filter(({ kind }) => kind === 'refused')).toMatchObject([
        { project: 'shop', refusal: { reason: 'invalid_json' } },
      ]);
      expect(itemsOf(decoded).length).toBe(body.split('\n').length);
      expect(decoded.kind === 'items' && decoded.text(place)).toBe('{"name": NaN}');
    }
  });
});

describe('the key', () => {
  const turnAway = (authorization: string | undefined) =>
    tributary.turnAway?.({ header: () => authorization })?.status;

  test.each(['Bearer shop', 'bearer shop', 'BEARER  shop '])('is the project: %s', (authorization) => {
    expect(turnAway(authorization)).toBeUndefined();
    const decoded = tributary.decode(request(JSON.stringify(sample), authorization), options);
    expect(itemsOf(decoded)).toMatchObject([{ event: { project: 'shop' } }]);
  });

  test.each([undefined, '', 'Bearer', 'Bearer ', 'Basic c2hvcDo=', 'Bearer a b'])(
    'is needed: %s is answered 401',
    (authorization) => expect(turnAway(authorization)).toBe(401),
  );

  test('is not kept, so at a replay the project is what it was', () => {
    const head = { ...request('', undefined), header: () => undefined, project: 'shop' };
    const element = tributary.decodeElement(Buffer.from(JSON.stringify(sample)), head, options);
    expect(itemsOf(element)).toMatchObject([{ event: { project: 'shop' } }]);
  });
});

describe('a refusal names the field and the fix', () => {
  test.each<[object | string | number, string, string | undefined, RegExp]>([
    [7, 'not_an_object', undefined, /is a JSON object; this is the number 7/],
    [{ ...sample, event: 'view' }, 'unknown_field', 'event', /goes into properties/],
    [{ ...sample, kind: 'page' }, 'bad_field', 'kind', /one of track, alias, .*; it is "page"/],
    [
      { ...sample, user_id: 7 },
      'bad_field',
      'user_id',
      /a string of 1 to 255 characters; it is the number 7/,
    ],
    [{ ...sample, user_id: null }, 'bad_field', 'user_id', /it is null/],
    [{ ...sample, name: '' }, 'bad_field', 'name', /it is an empty string/],
    [{ ...sample, name: 'x'.repeat(256) }, 'bad_field', 'name', /a string of 256 characters/],
    [{ ...sample, debug: true }, 'bad_field', 'debug', /should be 0, 1 or 2; it is true/],
    [{ ...sample, properties: [] }, 'bad_field', 'properties', /a JSON object; it is a list/],
    [{ ...sample, occurred_at: 'yesterday' }, 'bad_field', 'occurred_at', /RFC 3339.*; it is "yesterday"/],
    [{ ...sample, occurred_at: 0 }, 'occurred_at_outside_window', 'occurred_at', /within 3640 days before/],
    [{ ...sample, sent_at: -1 }, 'bad_field', 'sent_at', /between 1970 and 2200/],
    [{ anonymous_id: 'v' }, 'field_for_kind', 'name', /kind track needs a name/],
    [{ name: 'view' }, 'field_for_kind', 'anonymous_id', /needs an anonymous_id, a user_id or both/],
    [{ kind: 'profile_set' }, 'field_for_kind', 'anonymous_id', /needs an anonymous_id, a user_id or both/],
    [{ kind: 'alias', user_id: 'u' }, 'field_for_kind', 'anonymous_id', /that it binds$/],
    [{ kind: 'alias', anonymous_id: 'v' }, 'field_for_kind', 'user_id', /that it binds to/],
    [{ kind: 'item_set', name: 'shoe' }, 'field_for_kind', 'item_id', /needs an item_id/],
    [{ ...sample, item_id: 'i' }, 'field_for_kind', 'item_id', /only item_set does/],
    [{ ...sample, kind: 'profile_set' }, 'field_for_kind', 'name', /only track and item_set do/],
    [{ ...sample, user_key: 'email' }, 'field_for_kind', 'user_key', /no user_id/],
  ])('%j', (element, reason, field, detail) => {
    expect(refusalOf(element)).toEqual({ reason, field, detail: expect.stringMatching(detail) });
  });

  test('so deep a value that BigQuery refuses it is told too', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(101)}1${'}'.repeat(101)}`);
    expect(refusalOf({ ...sample, properties: deep })).toMatchObject({ reason: 'too_deep' });
  });
});

test.each<[string | number, string | undefined]>([
  ['2026-11-20T10:30:00Z', '2026-11-20T10:30:00.000000'],
  ['2026-11-20t10:30:00.5z', '2026-11-20T10:30:00.500000'],
  ['2026-11-20T10:30:00.1234567+08:00', '2026-11-20T02:30:00.123456'],
  ['2026-11-20T23:30:00-01:30', '2026-11-21T01:00:00.000000'],
  [Date.UTC(2026, 10, 20), '2026-11-20T00:00:00.000000'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000000'],
  ['2026-02-29T00:00:00Z', undefined],
  ['2026-11-20T24:00:00Z', undefined],
  ['2026-11-20', undefined],
  ['2026-11-20T10:30:00', undefined],
  [1.5, undefined],
  [1e300, undefined],
])('the time %s is %s', (value, expected) => {
  const micros = readTime(value);
  const text = (at: number) =>
    new Date(Math.floor(at / 1000)).toISOString().slice(0, 23) + String(at % 1000).padStart(3, '0');
  expect(micros === undefined ? undefined : text(micros)).toBe(expected);
});

describe('an event', () => {
  test('has what its fields say', () => {
    const [event] = eventsOf(
      JSON.stringify({
        id: 'a1-0',
        kind: 'item_set',
        name: 'shoe',
        item_id: '42',
        anonymous_id: 'v',
        user_id: 'u',
        user_key: 'email',
        occurred_at: receivedMs - 5,
        sent_at: receivedMs - 1,
        platform: 'Web',
        sdk: 'tributary-js',
        sdk_version: '1.0.0',
        session_id: 's',
        debug: 2,
        properties: { b: 1, a: [{ d: null, c: 12345678901234567890n.toString() }] },
        context: { page: '/' },
      }),
    );
    const { properties, context, ...rest } = event!;
    expect(String(properties)).toBe('{"a":[{"c":"12345678901234567890","d":null}],"b":1}');
    expect(String(context)).toBe('{"page":"/"}');
    expect(rest).toEqual({
      project: 'shop',
      dialect: 'tributary',
      kind: 'item_set',
      name: 'shoe',
      itemId: '42',
      anonymousId: 'v',
      userId: 'u',
      userKey: 'email',
      occurredAt: receivedAt - 5_000,
      timeSource: 'sender',
      sentAt: receivedAt - 1_000,
      platform: 'Web',
      sdk: 'tributary-js',
      sdkVersion: '1.0.0',
      sessionId: 's',
      debug: 2,
      keys: ['a', 'b'],
      warnings: [],
      messageId: 'a1-0',
    });
  });

  test('without a time has that of receiving, without a kind it is a track', () => {
    expect(eventsOf(JSON.stringify(sample))).toMatchObject([
      { kind: 'track', occurredAt: receivedAt, timeSource: 'received', debug: 0, messageId: undefined },
    ]);
  });

  test('of a project whose times are ignored has that of receiving, whatever it claims', () => {
    const body = JSON.stringify([{ ...sample, occurred_at: 0 }]);
    const ignoring = { ...options, ignoresEventTime: (project: string) => project === 'shop' };
    expect(itemsOf(tributary.decode(request(body), ignoring))).toMatchObject([
      { event: { occurredAt: receivedAt, timeSource: 'received' } },
    ]);
    expect(refusalOf({ ...sample, occurred_at: 0 })).toMatchObject({ reason: 'occurred_at_outside_window' });
  });

  test('is warned of what the fold will ignore', () => {
    const [increment, append] = eventsOf(
      JSON.stringify([
        { kind: 'profile_increment', user_id: 'u', properties: { a: 1, b: 'x' } },
        { kind: 'profile_append', user_id: 'u', properties: { a: [1], b: 'x' } },
      ]),
    );
    expect(increment?.warnings).toEqual(['increment_not_a_number: b']);
    expect(append?.warnings).toEqual(['append_not_a_list: b']);
  });
});

test('the check by hand and the schema agree on anything', () => {
  const schema = tributaryEventSchema(receivedAt, defaultTimeWindow);
  const fields = [
    'id',
    'kind',
    'name',
    'item_id',
    'anonymous_id',
    'user_id',
    'user_key',
    'occurred_at',
    'sent_at',
    'platform',
    'sdk',
    'sdk_version',
    'session_id',
    'debug',
    'properties',
    'context',
    'other',
    '__proto__',
  ];
  const digits = (most: number) => fc.nat(most).map((number) => String(number).padStart(2, '0'));
  const odd = fc
    .tuple(
      fc.constantFrom('0000', '0099', '1969', '1970', '2024', '2026', '2199', '2200', '9999'),
      digits(13),
      digits(32),
      fc.constantFrom('T', 't', ' '),
      digits(25),
      digits(61),
      digits(61),
      fc.constantFrom('', '.5', '.123456789', '.'),
      fc.constantFrom('Z', 'z', '', '+08:00', '-23:59', '+24:00'),
    )
    .map(([y, mo, d, t, h, mi, s, fraction, zone]) => `${y}-${mo}-${d}${t}${h}:${mi}:${s}${fraction}${zone}`);
  const value = fc.oneof(
    fc.jsonValue(),
    odd,
    time,
    fc.double(),
    fc.constantFrom(
      ...eventKinds,
      -1,
      0,
      7_258_118_400_000,
      7_258_118_400_001,
      'x'.repeat(255),
      'x'.repeat(256),
    ),
    fc.constant(undefined),
  );
  const bent = fc
    .tuple(good, fc.array(fc.tuple(fc.constantFrom(...fields), value), { maxLength: 3 }))
    .map(([event, changes]) => ({ ...event, ...Object.fromEntries(changes) }));
  const timed = fc
    .tuple(fc.constantFrom('occurred_at', 'sent_at'), odd)
    .map(([field, at]) => ({ ...sample, [field]: at }));
  let accepted = 0;
  fc.assert(
    fc.property(fc.oneof(bent, timed, fc.jsonValue()), (given) => {
      // As a request would hold it: absent members are left out.
      const element = JSON.parse(JSON.stringify(given) ?? 'null') as JsonValue;
      const byHand = checkTributaryEvent(element, receivedAt, defaultTimeWindow).ok;
      expect(byHand).toBe(schema.safeParse(element).success);
      if (byHand) accepted++;
    }),
    { numRuns: 3000 },
  );
  expect(accepted).toBeGreaterThan(300);
});

test('one event taken out of any request and decoded alone is what it was at its place', () => {
  const bent = fc
    .tuple(good, fc.string(), fc.jsonValue())
    .map(([event, key, value]) => ({ ...event, [key]: value }));
  fc.assert(
    fc.property(fc.array(fc.oneof(good, bent, fc.jsonValue()), { maxLength: 5 }), (elements) => {
      const whole = decode(JSON.stringify(elements));
      itemsOf(whole).forEach((item, place) => {
        const text = whole.kind === 'items' ? whole.text(place) : undefined;
        const head = { ...request('', undefined), project: 'shop' };
        expect(itemsOf(tributary.decodeElement(Buffer.from(text ?? ''), head, options))).toEqual([item]);
      });
    }),
    { numRuns: 200 },
  );
});
