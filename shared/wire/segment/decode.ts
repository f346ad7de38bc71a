import type {
  Decoded,
  DecodedItem,
  DecodeOptions,
  RequestHead,
  WireDialect,
  WireRequest,
} from '../dialect.ts';
import { type JsonObject, type JsonValue, writeJson } from '../json/parse-json.ts';
import { setMember } from '../json/set-member.ts';
import { createTextBuffer } from '../json/text-buffer.ts';
import { decodeMessage } from './decode-message.ts';
import { readEndpoint } from './endpoint.ts';
import { isObject, type MessageFacts, refuse } from './message.ts';
import { readBody, readJson, withoutSentAt } from './read-body.ts';
import { readWriteKey } from './write-key.ts';

/** The dialect of Segment's HTTP API, which the libraries of Segment and RudderStack speak: JSON sent to `/v1/...`. */
export const segment: WireDialect = {
  dialect: 'segment',
  matches: (method, path) => method === 'POST' && readEndpoint(path) !== undefined,
  decode,
  decodeElement,
  plainBody: ({ body }) => withoutSentAt(body),
  bindsByEvent: true,
  retries: true,
  success: { status: 200, contentType: 'application/json', body: '{"success":true}' },
};

function decode(request: WireRequest, options: DecodeOptions): Decoded {
  const body = readBody(request.body, options.inflatedBytes);
  const project = readWriteKey(request, body.ok && isObject(body.value) ? body.value.writeKey : undefined);
  if (!body.ok) return { kind: 'undecodable', project, refusal: body.refusal };

  const elements = elementsOf(request.path, body.value);
  if (elements === undefined) {
    const { refusal } = refuse(
      'bad_batch',
      'batch',
      'the body should be an object with an array named batch',
    );
    return { kind: 'undecodable', project, refusal };
  }
  if (elements.length > options.eventsPerRequest) {
    const detail = `the request holds ${elements.length} events; at most ${options.eventsPerRequest} are accepted`;
    const { refusal } = refuse('too_many_events', undefined, detail);
    return { kind: 'undecodable', project, refusal };
  }
  const { receivedAt, path } = request;
  if (isObject(body.value) && readEndpoint(path) === 'batch') {
    // What every message gets is written with each: a batch of 100 kB could become gigabytes.
    const isSmall = body.bytes * elements.length <= options.inflatedBytes;
    const bytes = isSmall ? 0 : elements.length * measureCommon(body.value);
    if (bytes > options.inflatedBytes) {
      const detail = `context and integrations of the batch, which all its ${elements.length} messages get, would be ${bytes} bytes; at most ${options.inflatedBytes} are accepted`;
      const { refusal } = refuse('common_context_too_large', 'context', detail);
      return { kind: 'undecodable', project, refusal };
    }
    for (const element of elements) if (isObject(element)) complete(element, body.value);
  }
  // The JSON of the events is seldom longer than that of the request.
  const text = createTextBuffer(body.bytes);
  return decodeElements(elements, path, { project, receivedAt, options, text });
}

/** The messages of a request. */
function elementsOf(path: string, body: JsonValue): readonly JsonValue[] | undefined {
  if (readEndpoint(path) !== 'batch') return [body];
  if (!isObject(body) || !Array.isArray(body.batch)) return undefined;
  return body.batch;
}

const commonFields = ['context', 'integrations'];

/** Bytes of JSON that a batch adds to each of its messages. */
function measureCommon(batch: JsonObject): number {
  const common = commonFields.map((field) => batch[field]).filter(isObject);
  return common.reduce((sum, object) => sum + Buffer.byteLength(writeJson(object)), 0);
}

/** Segment merges context and integrations of a batch with those of its messages; sentAt is its own. */
function complete(element: JsonObject, batch: JsonObject): void {
  if (element.sentAt === undefined && batch.sentAt !== undefined) element.sentAt = batch.sentAt;
  for (const field of commonFields) {
    const common = batch[field];
    if (!isObject(common)) continue;
    const own = element[field];
    if (own !== undefined && own !== null && !isObject(own)) continue;
    const merged: JsonObject = {};
    for (const part of [common, own]) {
      if (isObject(part)) for (const key of Object.keys(part)) setMember(merged, key, part[key] as JsonValue);
    }
    element[field] = merged;
  }
}

/** Which event of a message alone is meant, where quarantine keeps each of a group's two by itself. */
const partField = '$part';

function decodeElement(json: Buffer, head: RequestHead, options: DecodeOptions): Decoded {
  const read = readJson(json);
  const project = readWriteKey(head, read.ok && isObject(read.value) ? read.value.writeKey : undefined);
  if (!read.ok) return { kind: 'undecodable', project, refusal: read.refusal };
  const { value } = read;
  const part = isObject(value) ? value[partField] : undefined;
  if (isObject(value)) delete value[partField];
  const text = createTextBuffer(json.length);
  const decoded = decodeElements([value], head.path, { project, receivedAt: head.receivedAt, options, text });
  if (decoded.kind !== 'items' || part === undefined) return decoded;
  const items = decoded.items.filter((item) => item.kind === 'refused' || item.event.kind === part);
  return { ...decoded, items };
}

function decodeElements(elements: readonly JsonValue[], path: string, facts: MessageFacts): Decoded {
  const endpoint = readEndpoint(path);
  const pathType = endpoint === 'batch' ? undefined : endpoint;
  const items: DecodedItem[] = [];
  const owners: number[] = [];
  for (let index = 0; index < elements.length; index++) {
    for (const item of decodeMessage(elements[index] as JsonValue, pathType, facts)) {
      items.push(item);
      owners.push(index);
    }
  }
  const elementOf = (place: number) => owners[place] ?? place;
  return {
    kind: 'items',
    items,
    elementOf,
    text(place) {
      const index = elementOf(place);
      const item = items[place];
      const isOneOfTwo = owners[place - 1] === index || owners[place + 1] === index;
      return textOf(elements[index], isOneOfTwo && item?.kind === 'event' ? item.event.kind : undefined);
    },
  };
}

function textOf(element: JsonValue | undefined, part: string | undefined): string | undefined {
  if (element === undefined) return undefined;
  try {
    if (part === undefined || !isObject(element)) return writeJson(element);
    return writeJson({ ...element, [partField]: part });
  } catch (error) {
    // Nested deeper than the stack: the request is kept instead.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
