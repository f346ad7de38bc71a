import { createOrdinals, describeRequest, encodeEvent } from '../../events/encode-event.ts';
import { defaultTimeWindow, type Event } from '../../events/event.ts';
import { createRowBuffer } from '../../warehouse/row-buffer.ts';
import type { Decoded, DecodedItem, DecodeOptions, WireRequest } from '../dialect.ts';
import { growingio } from './decode.ts';

/** Microseconds since 1970. */
export const receivedAt = Date.UTC(2026, 10, 21) * 1000;
/** Milliseconds since 1970; its lowest byte is no 0. */
export const timestamp = receivedAt / 1000 - 5001;

export const options: DecodeOptions = {
  window: defaultTimeWindow,
  inflatedBytes: 1_000_000,
  eventsPerRequest: 100,
};

export const collect = '/v3/projects/shop/collect';

/** A request to a path with a query. */
export function requestOf(
  target: string,
  body: Uint8Array | string,
  headers: Readonly<Record<string, string>> = {},
): WireRequest {
  const [path = '', query = ''] = target.split(/\?(.*)/s);
  const byName = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    method: body.length === 0 ? 'GET' : 'POST',
    path,
    query,
    header: (name) => byName.get(name),
    body: Buffer.from(body),
    receivedAt,
  };
}

export const decode = (
  target: string,
  body: Uint8Array | string,
  headers?: Record<string, string>,
): Decoded => growingio.decode(requestOf(target, body, headers), options);

export function itemsOf(decoded: Decoded): readonly DecodedItem[] {
  if (decoded.kind !== 'items') throw new Error(`${decoded.refusal.reason}: ${decoded.refusal.detail}`);
  return decoded.items;
}

export const eventsOf = (decoded: Decoded): Event[] =>
  itemsOf(decoded).map((item) => {
    if (item.kind === 'refused') throw new Error(`${item.refusal.reason}: ${item.refusal.detail}`);
    return item.event;
  });

/** One element, sent as JSON. */
export function decodeOne(element: unknown, target = collect): Event {
  const [event] = eventsOf(decode(target, JSON.stringify([element])));
  if (event === undefined) throw new Error('no event');
  return event;
}

/** Why the first element, or the request, is refused. */
export function refusalOf(decoded: Decoded): string | undefined {
  if (decoded.kind === 'undecodable') return decoded.refusal.reason;
  const [item] = decoded.items;
  return item?.kind === 'refused' ? item.refusal.reason : undefined;
}

/** The ids that the events of one request get. */
export function idsOf(events: readonly Event[]): string[] {
  const buffer = createRowBuffer();
  const ordinals = createOrdinals();
  const facts = describeRequest('batch', 'hash', receivedAt);
  return events.map((event, place) => encodeEvent(buffer, event, place, facts, ordinals));
}

export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
