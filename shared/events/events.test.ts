import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readRow } from '../warehouse/read-row-for-test.ts';
import { createRowBuffer } from '../warehouse/row-buffer.ts';
import { createOrdinals, describeRequest, encodeEvent, type RowRules } from './encode-event.ts';
import {
  checkEvent,
  defaultTimeWindow,
  dialects,
  type Event,
  eventKinds,
  eventLimits,
  isInsideWindow,
  tellOutsideWindow,
} from './event.ts';
import { eventSchema } from './event-schema.ts';

const event: Event = {
  project: 'shop',
  dialect: 'analysys',
  kind: 'track',
  name: 'view',
  itemId: undefined,
  anonymousId: 'device-1',
  userId: undefined,
  userKey: undefined,
  occurredAt: 1_795_287_694_310_000,
  timeSource: 'sender',
  sentAt: undefined,
  platform: 'Android',
  sdk: 'Java',
  sdkVersion: '4.1.3',
  sessionId: undefined,
  debug: 2,
  properties: Buffer.from('{"name":"跑步机"}'),
  keys: [],
  context: Buffer.from('{}'),
  warnings: ['bad_key: a-b', 'null_value: n'],
  messageId: undefined,
};

const facts = describeRequest('b'.repeat(32), 'c'.repeat(64), 1_795_287_700_000_000);

function encode(
  events: readonly Event[],
  request = facts,
  rules?: RowRules,
): { ids: string[]; rows: Buffer[] } {
  const buffer = createRowBuffer();
  const ordinals = createOrdinals();
  const starts: number[] = [];
  const ids = events.map((one, place) => {
    starts.push(buffer.length);
    return encodeEvent(buffer, one, place, request, ordinals, rules);
  });
  const ends = [...starts.slice(1), buffer.length];
  return { ids, rows: starts.map((start, index) => Buffer.from(buffer.bytes(start, ends[index]!))) };
}

const idOf = (change: Partial<Event>): string => encode([{ ...event, ...change }]).ids[0]!;

describe('a row', () => {
  test('is what the published proto says it is', () => {
    const { ids, rows } = encode([event]);
    expect(readRow('EventLogRow', rows[0]!)).toEqual({
      event_id: ids[0],
      request_hash: 'c'.repeat(64),
      project: 'shop',
      dialect: 'analysys',
      kind: 'track',
      name: 'view',
      anonymous_id: 'device-1',
      occurred_at: '1795287694310000',
      time_source: 'sender',
      received_at: '1795287700000000',
      platform: 'Android',
      sdk: 'Java',
      sdk_version: '4.1.3',
      debug: '2',
      properties: '{"name":"跑步机"}',
      context: '{}',
      warnings: ['bad_key: a-b', 'null_value: n'],
      batch_id: 'b'.repeat(32),
      batch_index: '0',
    });
  });

  test('of an operation names the keys of its properties', () => {
    const properties = Buffer.from('{"":1,"跑步机":2}');
    const { rows } = encode([{ ...event, kind: 'profile_set', properties, keys: ['', '跑步机'] }]);
    expect(readRow('EventLogRow', rows[0]!)).toMatchObject({ kind: 'profile_set', keys: ['', '跑步机'] });
  });
});

describe('an event id', () => {
  test('is 32 hexadecimal digits and the same for every copy, whenever and in whatever request it comes', () => {
    const again = describeRequest('d'.repeat(32), 'e'.repeat(64), facts.receivedAt + 1);
    expect(encode([event]).ids).toEqual(encode([event], again).ids);
    expect(encode([event]).ids[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  test('does not depend on when it was sent or on what we warn about', () => {
    expect(idOf({ sentAt: 5 })).toBe(idOf({}));
    expect(idOf({ warnings: [] })).toBe(idOf({}));
    expect(idOf({ keys: ['name'] })).toBe(idOf({}));
  });

  test.each<[keyof Event, Partial<Event>]>([
    ['project', { project: 'shop2' }],
    ['dialect', { dialect: 'growingio' }],
    ['kind', { kind: 'alias' }],
    ['name', { name: 'View' }],
    ['itemId', { itemId: 'x' }],
    ['anonymousId', { anonymousId: 'device-2' }],
    ['userId', { userId: 'device-1' }],
    ['userKey', { userKey: 'mail' }],
    ['occurredAt', { occurredAt: event.occurredAt + 1 }],
    ['timeSource', { timeSource: 'received' }],
    ['platform', { platform: 'iOS' }],
    ['sdk', { sdk: 'JS' }],
    ['sdkVersion', { sdkVersion: '4.1.4' }],
    ['sessionId', { sessionId: 's' }],
    ['debug', { debug: 0 }],
    ['properties', { properties: Buffer.from('{}') }],
    ['context', { context: Buffer.from('{"a":1}') }],
  ])('depends on %s', (_, change) => {
    expect(idOf(change)).not.toBe(idOf({}));
  });

  test('does not take one field for another', () => {
    expect(idOf({ anonymousId: undefined, userId: 'device-1' })).not.toBe(idOf({}));
    expect(idOf({ name: 'ab', anonymousId: 'c' })).not.toBe(idOf({ name: 'a', anonymousId: 'bc' }));
  });

  test('of a time that we gave does not depend on it', () => {
    expect(idOf({ timeSource: 'received', occurredAt: 1 })).toBe(
      idOf({ timeSource: 'received', occurredAt: 2 }),
    );
  });

  test('tells true twins of one request apart, the same way in every resend', () => {
    const { ids } = encode([event, { ...event, name: 'other' }, event, event]);
    expect(new Set(ids).size).toBe(4);
    expect(encode([event, { ...event, name: 'other' }, event, event]).ids).toEqual(ids);
    expect(encode([event]).ids[0]).toBe(ids[0]);
  });

  test("comes from the sender's message id where there is one, so that copies are copies", () => {
    const sent = { ...event, messageId: 'm-1' };
    const { ids } = encode([sent, { ...sent, properties: Buffer.from('{}') }]);
    expect(ids[0]).toBe(ids[1]);
    expect(idOf({ messageId: 'm-2' })).not.toBe(ids[0]);
    expect(idOf({ messageId: 'm-1', project: 'other' })).not.toBe(ids[0]);
  });

  test('without dedup is another in every request, and the same however often we deliver that request', () => {
    const off = { dedup: 'off' } as const;
    const again = describeRequest('d'.repeat(32), facts.requestHash, facts.receivedAt);
    for (const sent of [event, { ...event, messageId: 'm-1' }]) {
      const { ids } = encode([sent, sent], facts, off);
      expect(encode([sent, sent], facts, off).ids).toEqual(ids);
      // True twins stay two, copies under one message id stay one.
      expect(new Set(ids).size).toBe(new Set(encode([sent, sent]).ids).size);
      const others = [...encode([sent, sent], again, off).ids, ...encode([sent, sent]).ids];
      expect(others.filter((id) => ids.includes(id))).toEqual([]);
      expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);
    }
  });

  test('is that of what the sender says of debug, whatever is decided, and the row is otherwise the same', () => {
    for (const sent of [0, 1, 2] as const) {
      const asSent = readRow('EventLogRow', encode([{ ...event, debug: sent }]).rows[0]!);
      for (const debug of [0, 1, 2] as const) {
        const { rows } = encode([{ ...event, debug: sent }], facts, { dedup: 'on', debug });
        expect(readRow('EventLogRow', rows[0]!)).toEqual({ ...asSent, debug: String(debug) });
      }
    }
  });

  test('is stable from release to release', () => {
    // Changing this value makes every resend across a deploy a second event.
    expect(idOf({})).toBe('506acb79cc3408bdd4302fa767f2e6e5');
  });
});

describe('the check by hand', () => {
  test('agrees with the schema on any event', () => {
    const short = fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom('x'.repeat(8193), 'x'.repeat(8194)));
    const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
    const instant = fc.oneof({ weight: 10, arbitrary: fc.maxSafeInteger() }, fc.double());
    const any = fc.record({
      project: short,
      dialect: fc.constantFrom(...dialects),
      kind: fc.constantFrom(...eventKinds),
      name: maybe(short),
      itemId: maybe(short),
      anonymousId: maybe(short),
      userId: maybe(short),
      userKey: maybe(short),
      occurredAt: instant,
      timeSource: fc.constantFrom('sender' as const, 'received' as const),
      sentAt: maybe(instant),
      platform: maybe(short),
      sdk: maybe(short),
      sdkVersion: maybe(short),
      sessionId: maybe(short),
      debug: fc.constantFrom(0 as const, 1 as const, 2 as const),
      properties: fc.constant(Buffer.from('{}')),
      keys: fc.array(fc.string()),
      context: fc.constant(Buffer.from('{}')),
      warnings: fc.array(fc.string()),
      messageId: maybe(short),
    });
    let accepted = 0;
    fc.assert(
      fc.property(any, (one) => {
        const byHand = checkEvent(one) === undefined;
        if (byHand) accepted++;
        expect(byHand).toBe(eventSchema.safeParse(one).success);
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  test('names the field and the limit', () => {
    expect(checkEvent({ ...event, userId: 'x'.repeat(eventLimits.shortField + 1) })).toEqual({
      reason: 'bad_length',
      field: 'user_id',
      detail: 'user_id has 8194 characters; it may have 0 to 8193',
    });
  });
});

test('the window is judged against receiving, its edges inside', () => {
  const day = 86_400_000_000;
  const at = facts.receivedAt;
  expect(isInsideWindow(at + day, at, defaultTimeWindow)).toBe(true);
  expect(isInsideWindow(at + day + 1, at, defaultTimeWindow)).toBe(false);
  expect(isInsideWindow(at - 3640 * day, at, defaultTimeWindow)).toBe(true);
  expect(isInsideWindow(at - 3640 * day - 1, at, defaultTimeWindow)).toBe(false);
});

test.each([
  ['in seconds', (at: number) => at / 1e6, /it seems to be made of seconds, and should be of milliseconds/],
  [
    'in microseconds',
    (at: number) => at,
    /it seems to be made of microseconds, and should be of milliseconds/,
  ],
  ['of 2010', () => 1_262_304_000_000, /3640 days before and 1 after receiving; timeWindow of the settings/],
])('a time %s is refused with what is to be done', (_, given, fix) => {
  const at = 1_795_287_694_000_000;
  const milliseconds = given(at);
  const detail = tellOutsideWindow('xwhen', milliseconds, milliseconds * 1000, at, defaultTimeWindow);
  expect(detail).toMatch(new RegExp(`^xwhen is ${milliseconds}, `));
  expect(detail).toMatch(fix);
});
