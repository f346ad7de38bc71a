import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeEvents } from './encode.ts';
import { compressBody } from './encode-compressed.ts';
import { eventsOf, good, receivedAt, sample } from './requests-for-test.ts';
import type { TributaryEvent } from './wire-event.ts';

describe('encoding', () => {
  const expected = (event: TributaryEvent) => {
    const at = (given: string | number | undefined) =>
      given === undefined ? undefined : new Date(given).getTime() * 1000;
    return {
      kind: event.kind,
      name: event.name,
      itemId: event.item_id,
      anonymousId: event.anonymous_id,
      userId: event.user_id,
      userKey: event.user_key,
      occurredAt: at(event.occurred_at) ?? receivedAt,
      sentAt: at(event.sent_at),
      platform: event.platform,
      sdk: event.sdk,
      sdkVersion: event.sdk_version,
      sessionId: event.session_id,
      debug: event.debug ?? 0,
      messageId: event.id,
      properties: sorted(event.properties),
      context: sorted(event.context),
    };
  };
  const sorted = (given: unknown) => JSON.parse(JSON.stringify(given ?? {}));

  test('and decoding give back what was given, plain and compressed', () => {
    fc.assert(
      fc.property(
        fc.array(good, { maxLength: 5 }).filter((events) => events.length > 0),
        fc.constantFrom('plain', 'gzip', 'zstd'),
        (events, encoding) => {
          const text = encodeEvents(events);
          const body = encoding === 'plain' ? text : compressBody(text, encoding as 'gzip' | 'zstd').body;
          const decoded = eventsOf(body).map(({ properties, context, ...event }) => ({
            ...event,
            properties: JSON.parse(String(properties)),
            context: JSON.parse(String(context)),
          }));
          expect(decoded).toMatchObject(events.map(expected));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('gives events of a batch ids of its prefix and their place, but for those that have one', () => {
    const body = encodeEvents([sample, { ...sample, id: 'mine' }, sample], 'a1b2');
    expect(eventsOf(body).map(({ messageId }) => messageId)).toEqual(['a1b2-0', 'mine', 'a1b2-2']);
  });

  test('keeps 64-bit numbers', () => {
    const [event] = eventsOf(encodeEvents([{ ...sample, properties: { big: 9007199254740993n } }]));
    expect(String(event?.properties)).toBe('{"big":9007199254740993}');
  });
});
