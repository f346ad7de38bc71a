import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { segment } from './decode.ts';
import {
  authorizationOf,
  decodeOptions,
  decodeSent,
  headOf,
  receivedAt,
  type Sent,
  showEvent,
  shown,
} from './decode-for-test.ts';

const track = { type: 'track', event: 'buy', userId: 'u', timestamp: '2026-11-21T00:00:00Z' };
const projectsOf = (sent: Sent) => {
  const decoded = decodeSent(sent);
  if (decoded.kind === 'undecodable') return [decoded.project];
  return decoded.items.map((item) => (item.kind === 'event' ? item.event.project : item.project));
};

describe('the endpoints', () => {
  const types = ['track', 'identify', 'page', 'screen', 'group', 'alias', 'batch'];

  test.each([...types, ...types.map((type) => type.charAt(0)), 'import'])('take /v1/%s', (name) => {
    expect(segment.matches('POST', `/v1/${name}`)).toBe(true);
    expect(segment.matches('POST', `/v1/${name}/`)).toBe(true);
    expect(segment.matches('GET', `/v1/${name}`)).toBe(false);
  });

  test.each(['/v1', '/v1/', '/v1/events', '/v1/m', '/v2/track', '/up', '/v1/track/x', '/v1/projects/a'])(
    'do not take %s',
    (path) => {
      expect(segment.matches('POST', path)).toBe(false);
    },
  );

  test('one message is of the type of its path, whatever it says itself', () => {
    const body = { userId: 'u', event: 'e', groupId: 'g', previousId: 'p', timestamp: track.timestamp };
    const kindsOf = (path: string) =>
      shown(decodeSent({ path, body: { ...body, type: 'page' } })).map((one) => 'kind' in one && one.kind);
    expect(kindsOf('/v1/track')).toEqual(['track']);
    expect(kindsOf('/v1/i')).toEqual(['profile_set']);
    expect(kindsOf('//v1//a')).toEqual(['alias']);
    expect(kindsOf('/v1/group')).toEqual(['item_set', 'track']);
    expect(kindsOf('/v1/screen')).toEqual(['track']);
  });

  test('success is what Segment says', () => {
    expect(segment.success).toEqual({
      status: 200,
      contentType: 'application/json',
      body: '{"success":true}',
    });
  });
});

describe('the write key, which is the project, is', () => {
  const body = { batch: [track], writeKey: 'in-body' };
  const none = { headers: {} };

  test('the user name of the basic authentication, with or without the colon', () => {
    expect(projectsOf({ body, headers: authorizationOf('wk-步') })).toEqual(['wk-步']);
    const withoutColon = { authorization: `basic ${Buffer.from('abc').toString('base64')}` };
    expect(projectsOf({ body, headers: withoutColon })).toEqual(['abc']);
    const withPassword = { authorization: `Basic ${Buffer.from('abc:def:g').toString('base64')}` };
    expect(projectsOf({ body, headers: withPassword })).toEqual(['abc']);
  });

  test('else that of the body, as with OAuth; else that of the query; else that of the message', () => {
    expect(projectsOf({ body, ...none, query: 'writeKey=in-query' })).toEqual(['in-body']);
    expect(projectsOf({ body, headers: { authorization: 'Bearer aaaa' } })).toEqual(['in-body']);
    expect(projectsOf({ body: { batch: [track] }, ...none, query: 'a=b&writeKey=in%20query' })).toEqual([
      'in query',
    ]);
    expect(projectsOf({ body: { batch: [{ ...track, writeKey: 'own' }] }, ...none })).toEqual(['own']);
  });

  test('at a replay the one that is known from before, as Authorization is never kept', () => {
    expect(projectsOf({ body: { batch: [track] }, ...none, project: 'known' })).toEqual(['known']);
  });

  test('missing where none of these names it: the events are refused', () => {
    expect(shown(decodeSent({ body: { batch: [track, track] }, ...none }))).toMatchObject([
      { reason: 'missing_write_key' },
      { reason: 'missing_write_key' },
    ]);
    expect(projectsOf({ body: { batch: [track] }, headers: { authorization: 'Basic Og==' } })).toEqual([
      undefined,
    ]);
  });

  test('known of what cannot be decoded too', () => {
    expect(projectsOf({ body: '{"batch":[' })).toEqual(['shop']);
  });

  test('no part of context, unless the message names another', () => {
    const contextOf = (writeKey: string) =>
      shown(decodeSent({ body: { batch: [{ ...track, writeKey }] } }))[0];
    expect(contextOf('shop')).not.toHaveProperty('context.writeKey');
    expect(contextOf('blog')).toMatchObject({ project: 'shop', context: { writeKey: 'blog' } });
  });
});

describe('a body', () => {
  test('may be gzip, whatever its headers say', () => {
    const body = { batch: [track] };
    expect(shown(decodeSent({ body, gzip: true }))).toEqual(shown(decodeSent({ body })));
  });

  test.each([
    ['nothing', '', 'empty_body'],
    ['no JSON', '{"batch":[', 'invalid_json'],
    ['no UTF-8', Buffer.from('{"batch":["\xff"]}', 'latin1'), 'invalid_utf8'],
    ['broken gzip', gzipSync('{"batch":[]}').subarray(0, 12), 'broken_gzip'],
    ['a bomb', gzipSync(Buffer.alloc(2_000_000, ' ')), 'inflates_too_large'],
    ['no batch', { event: 'e' }, 'bad_batch'],
    ['a list', [track], 'bad_batch'],
    ['too many', { batch: Array(101).fill(track) }, 'too_many_events'],
    [
      'a context that all its messages would make far more of than was sent',
      { batch: Array(100).fill(track), context: { page: 'x'.repeat(10_000) } },
      'common_context_too_large',
    ],
  ])('of %s is kept whole', (_, body, reason) => {
    expect(decodeSent({ body })).toMatchObject({
      kind: 'undecodable',
      project: 'shop',
      refusal: { reason },
    });
  });

  test('an empty batch holds nothing', () => {
    expect(decodeSent({ body: { batch: [] } })).toMatchObject({ kind: 'items', items: [] });
  });

  test('says once for its messages what is true of all: sentAt, context and integrations', () => {
    const [event] = shown(
      decodeSent({
        body: {
          batch: [{ ...track, context: { ip: '8.8.8.8', app: { name: 'own' } } }],
          sentAt: '2026-11-21T00:00:01.5Z',
          context: { app: { name: 'all' }, locale: 'de' },
          integrations: { All: false },
        },
      }),
    );
    expect(event).toMatchObject({
      sentAt: Date.UTC(2026, 10, 21, 0, 0, 1, 500) * 1000,
      context: { ip: '8.8.8.8', app: { name: 'own' }, locale: 'de', integrations: { All: false } },
    });
  });

  test('that is sent again is known by all but the time of sending', () => {
    const plain = (sentAt: string, event = 'buy') =>
      segment
        .plainBody?.({
          ...headOf({ body: {} }),
          body: Buffer.from(JSON.stringify({ batch: [{ ...track, event, sentAt }], sentAt })),
        })
        .toString();
    expect(plain('2026-11-21T00:00:01.5Z')).toBe(plain('2026-11-21T00:00:07.5Z'));
    const python = (sentAt: string) =>
      segment
        .plainBody?.({ ...headOf({ body: {} }), body: Buffer.from(`{"batch": [], "sentAt": "${sentAt}"}`) })
        .toString();
    expect(python('2026-11-21T00:00:01.500000+00:00')).toBe(python('2026-11-21T00:00:02.500000+00:00'));
    expect(plain('2026-11-21T00:00:01.5Z')).not.toBe(plain('2026-11-21T00:00:01.5Z', 'sell'));
  });

  test('that is broken is known by all but the members named sentAt, none of which begins within another', () => {
    const pieces = fc.constantFrom('"sentAt"', '"sentAt":"', ':', '"', ' ', '\\', '2026', '],', '}');
    const test = fc.array(pieces, { maxLength: 20 }).map((list) => Buffer.from(list.join('')));
    fc.assert(
      fc.property(test, (body) => {
        const left = body.toString('latin1').replace(/"sentAt"\s*:\s*"[^"\\]*"/g, '""');
        expect(segment.plainBody?.({ ...headOf({ body: {} }), body }).toString('latin1')).toBe(left);
      }),
    );
  });

  test('with numbers of any size and keys of any name arrives as it is', () => {
    const body =
      '{"batch":[{"type":"track","event":"e","userId":9007199254740993,"messageId":"m","properties":' +
      '{"__proto__":{"polluted":1},"big":18446744073709551615,"long":123456789012345678901234,"s":"\\ud83d"},' +
      '"context":{"__proto__":{"polluted":2}}}]}';
    const decoded = decodeSent({ body });
    const item = decoded.kind === 'items' ? decoded.items[0] : undefined;
    if (item?.kind !== 'event') throw new Error('expected an event');
    expect(item.event.userId).toBe('9007199254740993');
    expect(Buffer.from(item.event.properties).toString()).toBe(
      '{"__proto__":{"polluted":1},"big":18446744073709551615,"long":"123456789012345678901234","s":"\ufffd"}',
    );
    expect(Buffer.from(item.event.context).toString()).toContain('"__proto__":{"polluted":2}');
    expect(item.event.warnings).toEqual(['inexact_number: long', 'lone_surrogate: s']);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

/** Messages, good and bad, as a caller of the HTTP API might make them. */
const anyMessage = fc.oneof(
  fc.jsonValue(),
  fc.record(
    {
      type: fc.constantFrom('track', 'identify', 'page', 'screen', 'group', 'alias', 'merge', 1),
      userId: fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.constant({})),
      anonymousId: fc.string(),
      event: fc.oneof(fc.string(), fc.integer()),
      groupId: fc.string(),
      previousId: fc.string(),
      name: fc.string(),
      category: fc.jsonValue(),
      messageId: fc.oneof(fc.string(), fc.jsonValue()),
      timestamp: fc.oneof(
        fc.constant('2026-11-21T00:00:00.123456Z'),
        fc.string(),
        fc.constant(receivedAt / 1000),
      ),
      sentAt: fc.oneof(fc.constant('2026-11-21T00:00:00Z'), fc.string()),
      properties: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue()),
      traits: fc.dictionary(fc.string(), fc.jsonValue()),
      context: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue()),
      extra: fc.jsonValue(),
    },
    { requiredKeys: [] },
  ),
);

describe('any batch', () => {
  test('that is kept message by message decodes to the very same from there', () => {
    const batch = fc.record(
      {
        batch: fc.array(anyMessage, { maxLength: 4 }),
        sentAt: fc.constant('2026-11-21T00:00:02Z'),
        context: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 2 }),
      },
      { requiredKeys: ['batch'] },
    );
    fc.assert(
      fc.property(batch, (body) => {
        const sent = { body };
        const decoded = decodeSent(sent);
        if (decoded.kind !== 'items') throw new Error(decoded.refusal.detail);
        decoded.items.forEach((item, place) => {
          const again = segment.decodeElement(
            Buffer.from(decoded.text(place) ?? ''),
            headOf({ ...sent, headers: {}, project: 'shop' }),
            decodeOptions,
          );
          const expected = item.kind === 'event' ? showEvent(item.event) : item.refusal;
          expect(shown(again)).toEqual([expected]);
        });
      }),
      { numRuns: 500 },
    );
  });

  test('loses no member: each is a column, a property or in context', () => {
    const columns = new Set([
      'anonymousId',
      'sentAt',
      'originalTimestamp',
      'properties',
      'context',
      'writeKey',
      '__proto__',
    ]);
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (extra) => {
        const own = Object.entries(extra).filter(([key]) => !(key in track) && !columns.has(key));
        const [event] = shown(decodeSent({ body: { batch: [{ ...extra, ...track }] } }));
        for (const [key, value] of own) {
          const { context } = event as { context: Record<string, unknown> };
          expect(context[key]).toEqual(normal(value));
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** Minus zero is zero in JSON. */
const normal = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
