import { describe, expect, test } from 'vitest';
import { growingio } from './decode.ts';
import {
  collect,
  decode,
  decodeOne,
  itemsOf,
  options,
  receivedAt,
  refusalOf,
  requestOf,
  textOf,
  timestamp,
} from './requests-for-test.ts';

const item = '/projects/shop/collect/item';
const mapping = '/projects/shop/collect/user-mapping';
const cstm = '/v3/shop/s2s/cstm';
const custom = '/custom/shop/events';

const sample = {
  eventType: 'CUSTOM',
  timestamp,
  eventName: 'buy',
  deviceId: 'device-1',
  userId: 'ann',
  userKey: 'email',
  attributes: { price: 5, tags: 'a||b' },
  sendTime: timestamp + 1,
  dataSourceId: 'source',
  projectKey: 'body',
  sdkVersion: '1.0.4',
  platform: 'python',
  sessionId: 'visit-1',
  path: '/cart',
};

const refusal = (element: unknown, target = collect) => refusalOf(decode(target, JSON.stringify([element])));
const warningsOf = (change: object) => decodeOne({ ...sample, ...change }).warnings;

describe('a path', () => {
  test.each([
    collect,
    `${collect}/`,
    item,
    `${item}/`,
    mapping,
    cstm,
    `${cstm}/`,
    custom,
    '/v3/projects/shop/collect/item',
    '/projects/shop/collect',
  ])('%s is of the dialect, posted or as an image', (path) => {
    for (const method of ['POST', 'GET', 'HEAD']) expect(growingio.matches(method, path)).toBe(true);
    expect(growingio.matches('PUT', path)).toBe(false);
  });

  test.each([
    '/',
    '/up',
    '/v3/projects//collect',
    '/v3/projects/shop',
    '/v3/projects/a/b/collect',
    `${item}s`,
  ])('%s is not', (path) => expect(growingio.matches('POST', path)).toBe(false));

  test('with doubled slashes and an escaped project is understood', () => {
    const { projectKey: _, ...event } = sample;
    expect(decodeOne(event, '//v3/projects/my%20shop/collect/').project).toBe('my shop');
  });

  test('asked for without anything to measure holds nothing that could be lost', () => {
    expect(itemsOf(decode(collect, ''))).toEqual([]);
  });
});

describe('an event', () => {
  test('keeps what the caller gave in properties, what the SDK adds in context, and ids and times in columns', () => {
    const event = decodeOne(sample);
    expect({ ...event, properties: textOf(event.properties), context: textOf(event.context) }).toEqual({
      project: 'body',
      dialect: 'growingio',
      kind: 'track',
      name: 'buy',
      itemId: undefined,
      anonymousId: 'device-1',
      userId: 'ann',
      userKey: 'email',
      occurredAt: timestamp * 1000,
      timeSource: 'sender',
      sentAt: (timestamp + 1) * 1000,
      platform: 'python',
      sdk: 'growingio-python',
      sdkVersion: '1.0.4',
      sessionId: 'visit-1',
      debug: 0,
      properties: '{"price":5,"tags":"a||b"}',
      keys: [],
      context: '{"dataSourceId":"source","eventType":"CUSTOM","path":"/cart"}',
      warnings: [],
      messageId: undefined,
    });
  });

  test.each([
    ['VISIT', '$visit'],
    ['PAGE', '$page'],
    ['VIEW_CLICK', '$view_click'],
    ['VIEW_CHANGE', '$view_change'],
    ['FORM_SUBMIT', '$form_submit'],
    ['APP_CLOSED', '$app_closed'],
    ['ACTIVATE', '$activate'],
    ['CONVERSION_VARIABLES', '$conversion_variables'],
    ['PAGE_ATTRIBUTES', '$page_attributes'],
    [8, '$view_click'],
  ])('of type %s is a track %s', (eventType, name) => {
    const event = decodeOne({ ...sample, eventType, eventName: undefined });
    expect(event).toMatchObject({ kind: 'track', name, warnings: [] });
  });

  test.each(['LOGIN_USER_ATTRIBUTES', 'VISITOR_ATTRIBUTES'])('of type %s sets a profile', (eventType) => {
    const event = decodeOne({ ...sample, eventType, eventName: undefined });
    expect(event).toMatchObject({ kind: 'profile_set', name: undefined, userKey: 'email', userId: 'ann' });
    expect(textOf(event.properties)).toBe('{"price":5,"tags":"a||b"}');
  });

  test('of a type that nobody knows is a track of its name, and one without a type is a custom event', () => {
    expect(decodeOne({ ...sample, eventType: 'HOVER' })).toMatchObject({
      name: '$hover',
      warnings: ['unknown_event_type: HOVER'],
    });
    expect(textOf(decodeOne({ ...sample, eventType: 'HOVER' }).context)).toContain('"eventName":"buy"');
    expect(decodeOne({ ...sample, eventType: 99 }).name).toBe('$event_type_99');
    expect(decodeOne({ ...sample, eventType: undefined })).toMatchObject({
      name: 'buy',
      warnings: ['missing_event_type: eventType'],
    });
  });

  test('names its project in the body, and else in the path', () => {
    expect(decodeOne({ ...sample, projectKey: undefined }).project).toBe('shop');
    expect(decodeOne({ ...sample, projectKey: '' }).project).toBe('shop');
  });

  test('without a time, or with that of protobuf for none, has that of receiving', () => {
    for (const time of [undefined, null, 0]) {
      expect(decodeOne({ ...sample, timestamp: time })).toMatchObject({
        occurredAt: receivedAt,
        timeSource: 'received',
      });
    }
  });

  test('of a project that ignores event times has that of receiving, and keeps its own, where it claims one', () => {
    const ignoring = { ...options, ignoresEventTime: (project: string) => project === 'body' };
    const read = (event: object) => {
      const decoded = growingio.decode(requestOf(collect, JSON.stringify([event])), ignoring);
      const [one] = itemsOf(decoded);
      if (one?.kind !== 'event') throw new Error('refused');
      return one.event;
    };
    const ignored = read(sample);
    expect(ignored).toMatchObject({ timeSource: 'received', occurredAt: receivedAt, warnings: [] });
    expect(JSON.parse(textOf(ignored.context))).toMatchObject({ timestamp });
    expect(read({ ...sample, timestamp: 5 }).timeSource).toBe('received');
    expect(read({ ...sample, sendTime: undefined })).toMatchObject({ timeSource: 'sender' });
    expect(read({ ...sample, projectKey: 'other' })).toMatchObject({ timeSource: 'sender' });
  });

  test('may have no attributes, which PHP writes as an empty list', () => {
    for (const attributes of [undefined, null, [], {}]) {
      expect(textOf(decodeOne({ ...sample, attributes }).properties)).toBe('{}');
    }
  });

  test('keeps ids that are whole numbers, as their digits', () => {
    expect(decodeOne({ ...sample, userId: 42 })).toMatchObject({
      userId: '42',
      warnings: ['not_a_string: userId'],
    });
    const [event] = itemsOf(decode(collect, JSON.stringify([sample]).replace('"ann"', '9007199254740993')));
    expect(event).toMatchObject({ event: { userId: '9007199254740993' } });
  });

  test('keeps in context what cannot be a column', () => {
    const event = decodeOne({ ...sample, userId: { a: 1 }, sessionId: 'x'.repeat(256), sendTime: 'soon' });
    expect(event).toMatchObject({ userId: undefined, sessionId: undefined, sentAt: undefined });
    expect(JSON.parse(textOf(event.context))).toMatchObject({
      userId: { a: 1 },
      sessionId: 'x'.repeat(256),
      sendTime: 'soon',
    });
    expect([...event.warnings].sort()).toEqual([
      'bad_send_time: sendTime',
      'not_a_string: userId',
      'too_long: sessionId',
      'user_key_without_user_id: userKey',
    ]);
  });

  test.each([
    [{ eventName: '文 1' }, ['bad_name: 文 1']],
    [{ attributes: { '': 1, ['k'.repeat(101)]: 2 } }, ['bad_key: ', `bad_key: ${'k'.repeat(101)}`]],
    [{ attributes: { long: 'x'.repeat(1001) } }, ['string_too_long: long']],
    [{ attributes: { list: Array(101).fill(1) } }, ['list_too_long: list']],
    [{ attributes: { none: null, deep: { a: 1 } } }, ['nested_value: deep', 'null_value: none']],
    [{ timestamp: `${timestamp}` }, ['not_a_number: timestamp']],
  ])('that bends a rule is accepted with a warning: %#', (change, warnings) => {
    expect(warningsOf(change)).toEqual(warnings);
  });

  test('with values that are hard to carry keeps them exactly, and a prototype is only a key', () => {
    const body = JSON.stringify([sample]).replace(
      '"price":5',
      '"int64":9007199254740993,"huge":1e400,"__proto__":{"polluted":true},"half":"\\ud83d"',
    );
    const [event] = itemsOf(decode(collect, body));
    if (event?.kind !== 'event') throw new Error('refused');
    expect(textOf(event.event.properties)).toBe(
      '{"__proto__":{"polluted":true},"half":"\ufffd","huge":"1e400","int64":9007199254740993,"tags":"a||b"}',
    );
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test.each([
    [{ eventType: undefined, eventName: undefined }, 'bad_event_type'],
    [{ eventType: {} }, 'bad_event_type'],
    [{ eventName: '' }, 'bad_event_name'],
    [{ deviceId: '', userId: null }, 'missing_id'],
    [{ timestamp: 'soon' }, 'bad_timestamp'],
    [{ timestamp: 1.5 }, 'bad_timestamp'],
    [{ timestamp: 1_600_000 }, 'timestamp_outside_window'],
    [{ attributes: 'none' }, 'bad_attributes'],
    [{ userId: 'x'.repeat(8194) }, 'bad_length'],
    [{ attributes: JSON.parse(`{"deep":${'['.repeat(101)}${']'.repeat(101)}}`) }, 'too_deep'],
  ])('is refused where no reading of it is sure: %j', (change, reason) => {
    expect(refusal({ ...sample, ...change })).toBe(reason);
  });

  test('that is refused names its project all the same', () => {
    const refused = (element: unknown) => itemsOf(decode(collect, JSON.stringify([element])))[0];
    expect(refused({ projectKey: 'body' })).toMatchObject({ kind: 'refused', project: 'body' });
    expect(refused({})).toMatchObject({ kind: 'refused', project: 'shop' });
    expect(refused(7)).toMatchObject({ project: 'shop', refusal: { reason: 'not_an_object' } });
  });
});

describe('an item', () => {
  const book = {
    key: 'book',
    id: 'isbn-1',
    attributes: { title: 'x', tags: ['a', 'b'] },
    dataSourceId: 'source',
  };

  test('is set with its attributes, now', () => {
    const event = decodeOne(book, item);
    expect(event).toMatchObject({
      kind: 'item_set',
      project: 'shop',
      name: 'book',
      itemId: 'isbn-1',
      timeSource: 'received',
      occurredAt: receivedAt,
      warnings: [],
    });
    expect(textOf(event.properties)).toBe('{"tags":["a","b"],"title":"x"}');
    expect(textOf(event.context)).toBe('{"dataSourceId":"source"}');
  });

  test('may be sent as an event that holds it', () => {
    const event = decodeOne(
      { resourceItem: { key: 'book', id: 7, attributes: { n: 1 } }, platform: 'python' },
      item,
    );
    expect(event).toMatchObject({ name: 'book', itemId: '7', platform: 'python' });
    expect(textOf(event.properties)).toBe('{"n":1}');
  });

  test('without a key or an id is refused', () => {
    expect(refusal({ ...book, key: '' }, item)).toBe('bad_item');
    expect(refusal({ ...book, id: undefined }, item)).toBe('bad_item');
    expect(refusal({ ...book, attributes: 3 }, item)).toBe('bad_attributes');
  });
});

describe('a user mapping', () => {
  test('is an alias of the first pair by key, with all pairs in context', () => {
    const event = decodeOne({ identifies: { phone: '1', email: 'a@b' }, sendTime: timestamp }, mapping);
    expect(event).toMatchObject({
      kind: 'alias',
      userKey: 'email',
      userId: 'a@b',
      anonymousId: undefined,
      occurredAt: timestamp * 1000,
      timeSource: 'sender',
    });
    expect(textOf(event.context)).toBe('{"identifies":{"email":"a@b","phone":"1"}}');
    expect(decodeOne({ identifies: { a: '1' } }, mapping).timeSource).toBe('received');
  });

  test.each([{}, { identifies: [] }, { identifies: { '': 'x', a: '' } }])(
    'without a pair is refused: %j',
    (it) => {
      expect(refusal(it, mapping)).toBe('bad_identifies');
    },
  );
});

describe('an event of the older servers', () => {
  test('of SaaS is a track of the login id', () => {
    const event = decodeOne(
      { t: 'cstm', tm: timestamp, cs1: 'ann', n: 'buy', num: 2, var: { a: 1 }, av: '1.0', b: 'python' },
      cstm,
    );
    expect(event).toMatchObject({
      kind: 'track',
      name: 'buy',
      userId: 'ann',
      anonymousId: undefined,
      sdk: 'growingio-python',
      occurredAt: timestamp * 1000,
    });
    expect(textOf(event.properties)).toBe('{"a":1}');
    expect(textOf(event.context)).toBe('{"av":"1.0","num":2,"t":"cstm"}');
    expect(refusal({ t: 'cstm', tm: timestamp, n: 'buy' }, cstm)).toBe('missing_id');
    expect(refusal({ t: 'cstm', tm: timestamp, cs1: 'ann' }, cstm)).toBe('bad_event_name');
  });

  test('of 2017 has a visitor, a visit and a user behind its mark', () => {
    const event = decodeOne(
      {
        sdk_type: 'python',
        sdk_version: '1.0.1',
        tm: Math.floor(timestamp / 1000),
        cs1: 'user:7',
        s: 'visit',
        u: 'visitor',
        ai: 'own',
        t: 'cstm',
        n: 'buy',
        e: { a: 1 },
      },
      custom,
    );
    expect(event).toMatchObject({
      project: 'own',
      userId: '7',
      anonymousId: 'visitor',
      sessionId: 'visit',
      sdkVersion: '1.0.1',
      occurredAt: Math.floor(timestamp / 1000) * 1_000_000,
    });
    expect(textOf(event.properties)).toBe('{"a":1}');
  });
});
