import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultTimeWindow } from '../../events/event.ts';
import { analysys } from './decode.ts';
import { type EncodedRequest, encodeGzip, encodeJson, type SentEvent } from './encode.ts';

const receivedAt = Date.UTC(2026, 10, 21) * 1000;
const options = { window: defaultTimeWindow, inflatedBytes: 10_000_000, eventsPerRequest: 100 };

/** Events that the vendor's SDKs could send: the keys of xcontext are not the vendor's own. */
const anyEvent: fc.Arbitrary<SentEvent> = fc.record({
  appid: fc.constant('shop 店/&'),
  xwho: fc.string({ minLength: 1, maxLength: 50, unit: 'grapheme' }),
  xwhat: fc.stringMatching(/^[A-Za-z]\w{0,30}$/),
  xwhen: fc.integer({ min: -1_000_000, max: 1_000_000 }).map((offset) => receivedAt / 1000 + offset),
  xcontext: fc.dictionary(
    fc.stringMatching(/^[A-Za-z]\w{0,20}$/),
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.integer(),
      fc.boolean(),
      fc.array(fc.string({ unit: 'grapheme' })),
    ),
  ),
});

function decode({ path, headers, body }: EncodedRequest) {
  const [file = '', query = ''] = path.split('?');
  const byName = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const decoded = analysys.decode(
    {
      method: 'POST',
      path: file,
      query,
      header: (name) => byName.get(name),
      body: Buffer.from(body),
      receivedAt,
    },
    options,
  );
  if (decoded.kind !== 'items') throw new Error(decoded.refusal.detail);
  return decoded.items.map((item) => {
    if (item.kind !== 'event') throw new Error(item.refusal.detail);
    const { project, anonymousId, name, occurredAt, properties } = item.event;
    return {
      appid: project,
      xwho: anonymousId,
      xwhat: name,
      xwhen: occurredAt / 1000,
      xcontext: JSON.parse(Buffer.from(properties ?? '{}').toString()),
    };
  });
}

const plain = (events: readonly SentEvent[]): unknown => JSON.parse(JSON.stringify(events));

test('what is encoded as JSON decodes to the same events', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 5 }), (events) => {
      expect(decode(encodeJson(events))).toEqual(plain(events));
    }),
  );
});

test('what is encoded as base64 of gzip decodes to the same events', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 5 }), (events) => {
      expect(decode(encodeGzip(events))).toEqual(plain(events));
    }),
  );
});
