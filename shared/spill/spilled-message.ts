import type { Message } from '../google/pubsub-publisher.ts';

/** An object of the spill bucket: a message as Pub/Sub would have got it. */
export interface SpilledObject {
  /** `<batch_id>/<part>`. */
  readonly name: string;
  /** The custom metadata: the message's attributes, percent-encoded where they are not plain ASCII. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly data: Buffer;
}

export const spilledContentType = 'application/octet-stream';

/**
 * How a message becomes an object. `part` is its place among the messages of its request, from 0, so that names differ.
 *
 * Names begin with the random batch id and not with a time, since Cloud Storage divides its load by the beginnings of
 * names (cloud.google.com/storage/docs/request-rate); who wants them in order sorts by the time of creation.
 */
export function toSpilledObject({ data, attributes }: Message, part: number): SpilledObject {
  const batchId = attributes.batch_id;
  if (batchId === undefined) throw new TypeError('a message without batch_id cannot be spilled');
  const metadata = Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, encodeValue(value)]),
  );
  return { name: `${batchId}/${part}`, metadata, data };
}

/** The message that an object holds, or undefined where it is none of ours: another name, or attributes of another batch. */
export function readSpilledObject({ name, metadata, data }: SpilledObject): Message | undefined {
  const batchId = spilledName.exec(name)?.groups?.batchId;
  if (batchId === undefined || metadata.batch_id !== batchId) return undefined;
  const attributes: [string, string][] = [];
  for (const [key, value] of Object.entries(metadata)) {
    const decoded = decodeValue(value);
    if (decoded === undefined) return undefined;
    attributes.push([key, decoded]);
  }
  // A name such as __proto__ is one like any other to fromEntries.
  return { data, attributes: Object.fromEntries(attributes) };
}

const spilledName = /^(?<batchId>[0-9a-f]{32})\/\d{1,6}$/;

/** Custom metadata also travels as HTTP headers, which take neither control characters nor outer spaces, and ASCII only. */
const encodeValue = (value: string): string =>
  /^(?! )[\x20-\x24\x26-\x7e]*(?<! )$/.test(value) ? value : encodeURIComponent(value.toWellFormed());

function decodeValue(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
