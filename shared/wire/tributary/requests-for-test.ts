import fc from 'fast-check';
import { defaultTimeWindow, type Event, eventKinds } from '../../events/event.ts';
import type { Decoded, DecodedItem, WireRequest } from '../dialect.ts';
import { tributary } from './decode.ts';
import type { TributaryEvent } from './wire-event.ts';

export const receivedAt = Date.UTC(2026, 10, 21) * 1000;
export const receivedMs = receivedAt / 1000;
export const options = { window: defaultTimeWindow, inflatedBytes: 1_000_000, eventsPerRequest: 100 };

export const request = (
  body: string | Buffer,
  authorization: string | undefined = 'Bearer shop',
): WireRequest => ({
  method: 'POST',
  path: '/v1/events',
  query: '',
  header: (name) => (name === 'authorization' ? authorization : undefined),
  body: Buffer.from(body),
  receivedAt,
});

export const sample = { name: 'view_item', anonymous_id: 'visitor-1', properties: { price: 5 } };
export const decode = (body: string | Buffer): Decoded => tributary.decode(request(body), options);

export function itemsOf(decoded: Decoded): readonly DecodedItem[] {
  if (decoded.kind !== 'items') throw new Error(decoded.refusal.detail);
  return decoded.items;
}
export const eventsOf = (body: string | Buffer): Event[] =>
  itemsOf(decode(body)).map((item) => {
    if (item.kind === 'refused') throw new Error(item.refusal.detail);
    return item.event;
  });
const ids = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });
const short = fc.option(ids, { nil: undefined });
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const millis = fc.integer({ min: receivedMs - 1e9, max: receivedMs + 1e7 });
export const time = fc.oneof(
  millis,
  millis.map((at) => new Date(at).toISOString()),
);
const values = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 });
/** Events that break no rule. */
export const good: fc.Arbitrary<TributaryEvent> = fc
  .record({
    id: short,
    kind: fc.constantFrom(...eventKinds),
    name: ids,
    item_id: ids,
    anonymous_id: ids,
    user_id: ids,
    user_key: short,
    occurred_at: optional(time),
    sent_at: optional(time),
    platform: short,
    sdk: short,
    sdk_version: short,
    session_id: short,
    debug: optional(fc.constantFrom(0 as const, 1 as const, 2 as const)),
    properties: optional(values),
    context: optional(values),
  })
  .map(({ name, item_id, ...event }) => {
    if (event.kind === 'track') return { ...event, name };
    return event.kind === 'item_set' ? { ...event, name, item_id } : event;
  });
