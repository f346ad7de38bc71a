import { checkEvent } from '../../events/event.ts';
import type {
  Decoded,
  DecodedItem,
  DecodeOptions,
  RequestHead,
  WireDialect,
  WireRequest,
} from '../dialect.ts';
import { TooDeep } from '../json/canonical-json.ts';
import { type JsonValue, writeJson } from '../json/parse-json.ts';
import { createTextBuffer } from '../json/text-buffer.ts';
import { decodeCustom } from './decode-custom.ts';
import { decodeEvent } from './decode-event.ts';
import { decodeItem } from './decode-item.ts';
import { decodeMapping } from './decode-mapping.ts';
import { type ElementFacts, isObject, type ReadElement, refuse } from './element.ts';
import { type Endpoint, type Route, readEndpoint } from './endpoint.ts';
import { hasData, readBody, readJson } from './read-body.ts';
import { undoXor } from './undo-xor.ts';

/** The dialect of the GrowingIO SDKs: arrays of events, items or user mappings, answered with 204. */
export const growingio: WireDialect = {
  dialect: 'growingio',
  matches: (method, path) => methods.has(method) && readEndpoint(path) !== undefined,
  decode,
  decodeElement,
  plainBody: undoXor,
  bindsByEvent: true,
  // The web SDK takes nothing else for success and sends the event again as an image.
  success: { status: 204, contentType: undefined, body: '' },
};

/** GET is the web SDK's image; HEAD is what a proxy may make of it. */
const methods: ReadonlySet<string> = new Set(['POST', 'GET', 'HEAD']);

/** Of an element that came without its path. */
const nowhere: Endpoint = { route: 'collect', project: undefined };

function decode(request: WireRequest, options: DecodeOptions): Decoded {
  const endpoint = readEndpoint(request.path) ?? nowhere;
  // Whoever looks whether something is there sends no event.
  if (request.method !== 'POST' && request.body.length === 0 && !hasData(request.query)) {
    return { kind: 'items', items: [], text: () => undefined };
  }
  const undecodable = (refusal: (ReadElement & { ok: false })['refusal']): Decoded => ({
    kind: 'undecodable',
    project: endpoint.project,
    refusal,
  });
  const body = readBody(request, endpoint.route, options);
  if (!body.ok) return undecodable(body.refusal);

  const elements = Array.isArray(body.value) ? body.value : [body.value];
  if (elements.length > options.eventsPerRequest) {
    const detail = `the request holds ${elements.length} events; at most ${options.eventsPerRequest} are accepted`;
    return undecodable(refuse('too_many_events', undefined, detail).refusal);
  }
  // The JSON of the events is seldom longer than that of the request.
  const text = createTextBuffer(body.bytes);
  return decodeElements(elements, { endpoint, receivedAt: request.receivedAt, options, text });
}

/** The path of the request tells what an element is, and may be all that names its project. */
function decodeElement(json: Buffer, head: RequestHead, options: DecodeOptions): Decoded {
  const read = readJson(json);
  if (!read.ok) return { kind: 'undecodable', project: undefined, refusal: read.refusal };
  const endpoint = readEndpoint(head.path) ?? nowhere;
  return decodeElements([read.value], {
    endpoint,
    receivedAt: head.receivedAt,
    options,
    text: createTextBuffer(json.length),
  });
}

function decodeElements(elements: readonly JsonValue[], facts: ElementFacts): Decoded {
  return {
    kind: 'items',
    items: elements.map((element) => decodeOne(element, facts)),
    text: (place) => textOf(elements[place]),
  };
}

const decoders: Readonly<Record<Route, typeof decodeEvent>> = {
  collect: decodeEvent,
  item: decodeItem,
  user_mapping: decodeMapping,
  cstm: decodeCustom,
  custom: decodeCustom,
};

function decodeOne(element: JsonValue, facts: ElementFacts): DecodedItem {
  const read = readElement(element, facts);
  const refusal = read.ok ? checkEvent(read.event) : read.refusal;
  if (read.ok && refusal === undefined) return { kind: 'event', event: read.event };
  if (refusal === undefined) throw new TypeError('an element is an event or refused');
  return { kind: 'refused', refusal, project: projectOf(element, facts.endpoint) };
}

function readElement(element: JsonValue, facts: ElementFacts): ReadElement {
  if (!isObject(element)) return refuse('not_an_object', undefined, 'an event is a JSON object');
  try {
    return decoders[facts.endpoint.route](element, facts);
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error;
    return refuse('too_deep', 'attributes', error.message);
  }
}

/** Whom to ask about what was refused. */
function projectOf(element: JsonValue, { route, project }: Endpoint): string | undefined {
  if (!isObject(element)) return project;
  const named = route === 'cstm' || route === 'custom' ? element.ai : element.projectKey;
  return typeof named === 'string' && named !== '' && named.length <= 255 ? named : project;
}

function textOf(element: JsonValue | undefined): string | undefined {
  if (element === undefined) return undefined;
  try {
    return writeJson(element);
  } catch (error) {
    // Nested deeper than the stack: the request is kept instead.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
