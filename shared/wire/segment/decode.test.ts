import { describe, expect, test } from 'vitest';
import { decodeOne, receivedAt } from './decode-for-test.ts';

const at = '2026-11-21T12:34:56.789Z';
const atMicros = Date.parse(at) * 1000;

/** As analytics-node writes it. */
const message = (more: object): object => ({
  timestamp: at,
  integrations: {},
  context: { library: { name: '@segment/analytics-node', version: '3.1.0' } },
  userId: 'user-1',
  messageId: 'node-next-1700000000000-1',
  _metadata: { nodeVersion: 'v24.0.0', jsRuntime: 'node' },
  ...more,
});

describe('a message becomes', () => {
  test('of a track a track of its name, with the rest in context', () => {
    expect(
      decodeOne(message({ type: 'track', event: 'Order Completed 步', properties: { n: 1.5 } })),
    ).toEqual([
      {
        project: 'shop',
        dialect: 'segment',
        kind: 'track',
        name: 'Order Completed 步',
        itemId: undefined,
        anonymousId: undefined,
        userId: 'user-1',
        userKey: undefined,
        occurredAt: atMicros,
        timeSource: 'sender',
        sentAt: undefined,
        platform: undefined,
        sdk: '@segment/analytics-node',
        sdkVersion: '3.1.0',
        sessionId: undefined,
        debug: 0,
        properties: { n: 1.5 },
        keys: [],
        context: {
          _metadata: { nodeVersion: 'v24.0.0', jsRuntime: 'node' },
          integrations: {},
          library: { name: '@segment/analytics-node', version: '3.1.0' },
          messageId: 'node-next-1700000000000-1',
          type: 'track',
        },
        warnings: [],
        messageId: 'node-next-1700000000000-1',
      },
    ]);
  });

  test.each([
    ['page', '$page'],
    ['screen', '$screen'],
  ])('of a %s a track %s, with its name and category in the properties', (type, name) => {
    const properties = { url: 'https://shop.example/' };
    expect(decodeOne(message({ type, name: 'Home', category: 'Docs', properties }))).toMatchObject([
      {
        kind: 'track',
        name,
        properties: { url: 'https://shop.example/', name: 'Home', category: 'Docs' },
        context: { type },
      },
    ]);
    const [event] = decodeOne(message({ type, name: 'Home', category: 'Docs', properties }));
    expect(event).not.toHaveProperty('context.name');
    expect(event).not.toHaveProperty('context.category');
  });

  test('of a page whose properties say another name, both: its own goes to context', () => {
    const [event] = decodeOne(message({ type: 'page', name: 'Home', properties: { name: 'Start', a: 1 } }));
    expect(event).toMatchObject({ properties: { name: 'Start', a: 1 }, context: { name: 'Home' } });
  });

  test('of an identify a profile_set of the traits, of whichever ids there are', () => {
    const traits = { email: 'ada@example.com', plan: null };
    expect(decodeOne(message({ type: 'identify', anonymousId: 'device-1', traits }))).toMatchObject([
      { kind: 'profile_set', name: undefined, anonymousId: 'device-1', userId: 'user-1', properties: traits },
    ]);
    expect(
      decodeOne(message({ type: 'identify', userId: null, anonymousId: 'device-1', traits })),
    ).toMatchObject([
      { kind: 'profile_set', anonymousId: 'device-1', userId: undefined, properties: traits },
    ]);
  });

  test('of an identify of RudderStack, whose traits are in context alone, the same', () => {
    const context = { traits: { plan: 'free' } };
    expect(decodeOne(message({ type: 'identify', traits: {}, context }))).toMatchObject([
      { kind: 'profile_set', properties: { plan: 'free' }, context },
    ]);
  });

  test('of a group an item with its traits, and a track of who belongs to it', () => {
    expect(decodeOne(message({ type: 'group', groupId: 'company-7', traits: { seats: 12 } }))).toMatchObject([
      { kind: 'item_set', name: 'group', itemId: 'company-7', properties: { seats: 12 }, userId: 'user-1' },
      {
        kind: 'track',
        name: '$group',
        itemId: undefined,
        properties: { groupId: 'company-7' },
        userId: 'user-1',
      },
    ]);
  });

  test('of a group of nobody, which analytics-node lets through, only the item', () => {
    expect(decodeOne(message({ type: 'group', userId: undefined, groupId: 'company-7' }))).toMatchObject([
      { kind: 'item_set', itemId: 'company-7', properties: {}, userId: undefined },
    ]);
  });

  test('of an alias one from the previous id to the user; an anonymous id of its own is kept in context', () => {
    expect(
      decodeOne(message({ type: 'alias', previousId: 'device-1', anonymousId: 'device-2' })),
    ).toMatchObject([
      {
        kind: 'alias',
        name: undefined,
        anonymousId: 'device-1',
        userId: 'user-1',
        properties: {},
        context: { anonymousId: 'device-2' },
      },
    ]);
  });
});

describe('of a message', () => {
  const track = (more: object) => message({ type: 'track', event: 'buy', ...more });
  const fields = (more: object) => decodeOne(track(more))[0];

  test('platform is the operating system, else the channel', () => {
    expect(fields({ context: { os: { name: 'iOS' } }, channel: 'mobile' })).toMatchObject({
      platform: 'iOS',
    });
    expect(fields({ context: { os: { name: '' } }, channel: 'web' })).toMatchObject({
      platform: 'web',
      context: { channel: 'web' },
    });
  });

  test('the visit is the number that RudderStack counts', () => {
    expect(fields({ context: { sessionId: 1668147216 } })).toMatchObject({ sessionId: '1668147216' });
  });

  test('ids may be numbers, of any size, and a zero too', () => {
    expect(fields({ userId: 42 })).toMatchObject({ userId: '42', warnings: [] });
    expect(fields({ userId: 0 })).toMatchObject({ userId: '0' });
    const text = '{"batch":[{"type":"track","event":"e","userId":9007199254740993}]}';
    expect(decodeOne(JSON.parse(text).batch[0])).toMatchObject([{ userId: '9007199254740992' }]);
  });

  test('an id that is none is kept in context with a warning where the other one will do', () => {
    expect(fields({ userId: { id: 1 }, anonymousId: 'device-1' })).toMatchObject({
      userId: undefined,
      anonymousId: 'device-1',
      context: { userId: { id: 1 } },
      warnings: ['bad_id: userId'],
    });
  });

  test('what became no column is in context, and gets a dollar where context has such a key', () => {
    expect(
      fields({
        context: { version: 'mine', __proto__: null },
        version: 2,
        receivedAt: 'x',
        groupId: 'g',
        traits: { a: 1 },
      }),
    ).toMatchObject({
      context: { version: 'mine', $version: 2, receivedAt: 'x', groupId: 'g', traits: { a: 1 } },
    });
  });

  test('a context that is no object is kept beside the others with a warning', () => {
    expect(fields({ context: 'web' })).toMatchObject({
      context: { context: 'web', integrations: {} },
      warnings: ['bad_context: context'],
    });
  });

  test('a timestamp that the caller gave comes before originalTimestamp, and is never corrected by sentAt', () => {
    const more = { originalTimestamp: '2026-11-21T10:00:00.000Z', sentAt: '2026-11-21T23:00:00.000Z' };
    expect(fields(more)).toMatchObject({
      occurredAt: atMicros,
      sentAt: Date.parse(more.sentAt) * 1000,
      context: { originalTimestamp: more.originalTimestamp },
    });
    const [event] = decodeOne(track({ ...more, timestamp: undefined }));
    expect(event).toMatchObject({
      occurredAt: Date.parse(more.originalTimestamp) * 1000,
      timeSource: 'sender',
    });
    expect(event).not.toHaveProperty('context.originalTimestamp');
    expect(event).not.toHaveProperty('context.sentAt');
  });

  test('without a time that of receiving counts, and is said to', () => {
    expect(fields({ timestamp: null })).toMatchObject({ occurredAt: receivedAt, timeSource: 'received' });
  });

  test('milliseconds are understood with a warning, and a sentAt that is no time is left out with one', () => {
    expect(fields({ timestamp: atMicros / 1000, sentAt: 'now' })).toMatchObject({
      occurredAt: atMicros,
      sentAt: undefined,
      warnings: ['timestamp_not_iso: timestamp', 'bad_sent_at: sentAt'],
    });
  });

  test('over 32 KB is a warning and no reason to lose it', () => {
    const text = 'x'.repeat(40_000);
    expect(fields({ properties: { text } })).toMatchObject({
      properties: { text },
      warnings: [expect.stringMatching(/^event_over_32_kb: \d+ bytes$/)],
    });
  });

  test('a message id that is no text is kept in context, and the content decides', () => {
    expect(fields({ messageId: ['a'] })).toMatchObject({
      messageId: undefined,
      context: { messageId: ['a'] },
      warnings: ['bad_message_id: messageId'],
    });
  });
});

describe('refused is', () => {
  test.each([
    ['what is no object', 'hello', 'not_an_object'],
    ['a type that there is none of', message({ type: 'merge' }), 'unknown_type'],
    ['a message without a type', message({}), 'unknown_type'],
    ['a track without a name', message({ type: 'track' }), 'bad_event'],
    ['a track with an empty name', message({ type: 'track', event: '' }), 'bad_event'],
    ['a message of nobody', message({ type: 'track', event: 'e', userId: '' }), 'missing_ids'],
    ['an alias without a user', message({ type: 'alias', userId: null, previousId: 'a' }), 'missing_ids'],
    ['an alias of nothing', message({ type: 'alias' }), 'bad_previous_id'],
    ['a group without an id', message({ type: 'group' }), 'bad_group_id'],
    ['properties that are a list', message({ type: 'page', properties: [] }), 'bad_properties'],
    ['traits that are text', message({ type: 'identify', traits: 'vip' }), 'bad_traits'],
    ['a time that is none', message({ type: 'page', timestamp: 'yesterday' }), 'bad_timestamp'],
    ['a time of 1970', message({ type: 'page', timestamp: 1_700_000_000 }), 'timestamp_outside_window'],
    [
      'a time of next week',
      message({ type: 'page', timestamp: '2026-11-29T00:00:00Z' }),
      'timestamp_outside_window',
    ],
    ['a name without end', message({ type: 'track', event: 'x'.repeat(9000) }), 'bad_length'],
  ])('%s', (_, refused, reason) => {
    const becomes = decodeOne(refused);
    expect(becomes).toHaveLength(1);
    expect(becomes).toMatchObject([{ reason, detail: expect.any(String) }]);
  });

  test('what is nested deeper than a hundred levels', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(150)}1${'}'.repeat(150)}`);
    expect(decodeOne(message({ type: 'track', event: 'e', properties: deep }))).toMatchObject([
      { reason: 'too_deep' },
    ]);
  });
});
