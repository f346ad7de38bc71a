import { gzipSync } from 'node:zlib';
import { defaultTimeWindow, type Event, type Refusal } from '../../events/event.ts';
import type { Decoded, DecodeOptions, RequestHead } from '../dialect.ts';
import { segment } from './decode.ts';

/** 2026-11-22T00:00:00Z in microseconds. */
export const receivedAt = Date.UTC(2026, 10, 22) * 1000;

export const decodeOptions: DecodeOptions = {
  window: defaultTimeWindow,
  inflatedBytes: 1_000_000,
  eventsPerRequest: 100,
};

export interface Sent {
  readonly path?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly project?: string;
  readonly body: object | string | Buffer;
  readonly gzip?: boolean;
}

/** As SDKs write it: the write key, a colon, no password. */
export const authorizationOf = (writeKey: string): Readonly<Record<string, string>> => ({
  authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`,
});

export const headOf = ({ path = '/v1/batch', query = '', headers, project }: Sent): RequestHead => ({
  method: 'POST',
  path,
  query,
  header: (name) => (headers ?? authorizationOf('shop'))[name],
  receivedAt,
  project,
});

export function decodeSent(sent: Sent): Decoded {
  const { body } = sent;
  const bytes = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return segment.decode(
    { ...headOf(sent), body: sent.gzip === true ? gzipSync(bytes) : bytes },
    decodeOptions,
  );
}

/** Events as they can be compared, with JSON parsed, and refusals. */
export const shown = (decoded: Decoded): (ShownEvent | Refusal)[] =>
  decoded.kind === 'undecodable'
    ? [decoded.refusal]
    : decoded.items.map((item) => (item.kind === 'event' ? showEvent(item.event) : item.refusal));

export type ShownEvent = Omit<Event, 'properties' | 'context'> & { properties: unknown; context: unknown };

export const showEvent = (event: Event): ShownEvent => ({
  ...event,
  properties: JSON.parse(Buffer.from(event.properties).toString()),
  context: JSON.parse(Buffer.from(event.context).toString()),
});

/** What one message becomes. */
export const decodeOne = (message: unknown): (ShownEvent | Refusal)[] =>
  shown(decodeSent({ body: { batch: [message] } }));
