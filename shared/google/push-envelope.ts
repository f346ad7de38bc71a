import { randomUUID } from 'node:crypto';

/** What Pub/Sub pushes: https://cloud.google.com/pubsub/docs/push#receive_push */
export interface PushedMessage {
  readonly data: Buffer;
  readonly attributes: Readonly<Record<string, string>>;
  readonly messageId: string;
  /** RFC 3339. */
  readonly publishTime: string | undefined;
  /** `projects/P/subscriptions/S` */
  readonly subscription: string;
  /** Counted only where the subscription has a dead-letter topic. */
  readonly deliveryAttempt: number | undefined;
}

/** Reads the JSON that wraps a pushed message; undefined where the body is no such thing. */
export function parsePushEnvelope(body: Buffer): PushedMessage | undefined {
  return parseAroundData(body) ?? parseWhole(body);
}

const dataStart = Buffer.from('"data":"');
const quote = 0x22;
/** Stands where the data was cut out. Nobody else knows it, so where it is found, the data was. */
const mark = randomUUID();

/**
 * Nearly all of an envelope is base64, which JSON.parse would scan and copy: that takes longer than all else that is
 * done with a message. So the data is cut out first and the rest parsed; any doubt is left to `parseWhole`.
 */
function parseAroundData(body: Buffer): PushedMessage | undefined {
  const found = body.indexOf(dataStart);
  if (found < 0) return undefined;
  const start = found + dataStart.length;
  const end = body.indexOf(quote, start);
  if (end < 0) return undefined;
  const data = decodeBase64(body.toString('latin1', start, end));
  if (data === undefined) return undefined;
  const envelope = parseJson(body.toString('utf8', 0, start) + mark + body.toString('utf8', end));
  return readEnvelope(envelope, (text) => (text === mark ? data : undefined));
}

function parseWhole(body: Buffer): PushedMessage | undefined {
  return readEnvelope(parseJson(body.toString()), decodeBase64);
}

function readEnvelope(
  envelope: unknown,
  readData: (text: string) => Buffer | undefined,
): PushedMessage | undefined {
  if (!isObject(envelope) || !isObject(envelope.message) || typeof envelope.subscription !== 'string') {
    return undefined;
  }
  const { message, subscription, deliveryAttempt } = envelope;
  const { data: text = '', attributes = {}, messageId, publishTime } = message;
  if (typeof text !== 'string' || typeof messageId !== 'string' || messageId === '') return undefined;
  if (!isStrings(attributes)) return undefined;
  const data = readData(text);
  if (data === undefined) return undefined;
  return {
    data,
    attributes,
    messageId,
    publishTime: typeof publishTime === 'string' ? publishTime : undefined,
    subscription,
    deliveryAttempt: typeof deliveryAttempt === 'number' ? deliveryAttempt : undefined,
  };
}

/** Decodes standard base64; undefined for anything that Node's lenient decoder would have skipped. */
function decodeBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const data = Buffer.from(text, 'base64');
  return data.length === (text.length / 4) * 3 - padding ? data : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStrings(value: unknown): value is Record<string, string> {
  if (!isObject(value)) return false;
  for (const key in value) if (typeof value[key] !== 'string') return false;
  return true;
}
