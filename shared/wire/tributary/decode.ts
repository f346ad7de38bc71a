import { checkEvent, type Event, noKeys, type Refusal } from '../../events/event.ts';
import type {
  Answer,
  Decoded,
  DecodedItem,
  DecodeOptions,
  RequestHead,
  RequestOutcome,
  WireDialect,
  WireRequest,
} from '../dialect.ts';
import { planObject, TooDeep, writeMembers, writtenKeys } from '../json/canonical-json.ts';
import { createKnownPlans } from '../json/known-plans.ts';
import { type JsonObject, type JsonValue, writeJson } from '../json/parse-json.ts';
import { createTextBuffer, type TextBuffer } from '../json/text-buffer.ts';
import { mendString, type Warnings, warn } from '../json/value-rules.ts';
import { writeVerdicts } from '../verdicts.ts';
import { type CheckedEvent, checkTributaryEvent } from './check.ts';
import { valueRules } from './limits.ts';
import { type ReadElement, readBody, readElement } from './read-body.ts';

/** Our own dialect: canonical events posted to `/v1/events`, answered with a verdict on each. */
export const tributary: WireDialect = {
  dialect: 'tributary',
  matches: (method, path) => method === 'POST' && (path === '/v1/events' || path === '/v1/events/'),
  turnAway: (head) => (keyOf(head) === undefined ? withoutKey : undefined),
  decode,
  decodeElement,
  bindsByEvent: true,
  retries: true,
  success: { status: 200, contentType: 'application/json', body: '{}' },
  answer,
};

/** Nothing is kept, as there is no project to keep it for; a sender of ours keeps its events and says so. */
const withoutKey: Answer = {
  status: 401,
  contentType: 'application/json',
  // RFC 9110, section 11.6.1, asks for it.
  headers: { 'WWW-Authenticate': 'Bearer realm="tributary"' },
  body: `${JSON.stringify({
    code: 401,
    message: 'the key is missing: send the header `Authorization: Bearer KEY`, where KEY is your project',
  })}\n`,
};

/**
 * A body of which nothing could be decoded is kept like every other, so it need not be sent again, and no client sends a
 * 400 again. It is no 200 all the same: a sender that reads no verdicts has to notice that it sends nothing of use.
 */
function answer(outcome: RequestOutcome): Answer {
  return {
    status: outcome.isUndecodable ? 400 : 200,
    contentType: 'application/json',
    body: writeVerdicts(outcome, { isVerify: false }),
  };
}

function decode(request: WireRequest, options: DecodeOptions): Decoded {
  const project = projectOf(request);
  const body = readBody(request.body, options);
  if (!body.ok) return { kind: 'undecodable', project, refusal: body.refusal };
  return decodeElements(body.elements, body.bytes, request.receivedAt, project, options);
}

/** An array is not unwrapped here: in a request it would have been an element that is no object. */
function decodeElement(json: Buffer, head: RequestHead, options: DecodeOptions): Decoded {
  const project = projectOf(head);
  const read = readElement(json);
  if (!read.ok) return { kind: 'undecodable', project, refusal: read.refusal };
  return decodeElements([read], json.length, head.receivedAt, project, options);
}

/** The key is the project. At a replay it is known from before: no credential is kept. */
const projectOf = (head: RequestHead): string => head.project ?? keyOf(head) ?? '';

const keyOf = ({ header }: Pick<RequestHead, 'header'>): string | undefined =>
  /^bearer +([\x21-\x7e]{1,255})$/i.exec(header('authorization')?.trim() ?? '')?.[1];

/** `bytes`: how long the JSON of all the elements is. */
function decodeElements(
  elements: readonly ReadElement[],
  bytes: number,
  receivedAt: number,
  project: string,
  options: DecodeOptions,
): Decoded {
  const text = createTextBuffer(bytes);
  return {
    kind: 'items',
    items: elements.map((element): DecodedItem => {
      const decoded = decodeItem(element, text, receivedAt, project, options);
      return 'reason' in decoded
        ? { kind: 'refused', refusal: decoded, project }
        : { kind: 'event', event: decoded };
    }),
    text: (place) => textOf(elements[place]),
  };
}

function decodeItem(
  element: ReadElement,
  text: TextBuffer,
  receivedAt: number,
  project: string,
  options: DecodeOptions,
): Event | Refusal {
  if (!element.ok) return element.refusal;
  const ignoresTime = options.ignoresEventTime?.(project) === true;
  const checked = checkTributaryEvent(element.value, receivedAt, ignoresTime ? undefined : options.window);
  if (!checked.ok) return checked.refusal;
  const { value } = checked;
  try {
    const event = toEvent(
      ignoresTime ? { ...value, occurredAt: undefined } : value,
      project,
      receivedAt,
      text,
    );
    return checkEvent(event) ?? event;
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error;
    return { reason: 'too_deep', field: 'properties', detail: error.message };
  }
}

function toEvent(
  { event, kind, occurredAt, sentAt }: CheckedEvent,
  project: string,
  receivedAt: number,
  text: TextBuffer,
): Event {
  const warnings: Warnings = { list: undefined };
  const mend = (value: string | undefined, field: string) =>
    value === undefined ? undefined : mendString(value, valueRules, warnings, field);
  if (kind === 'profile_increment')
    warnOperands(event.properties, isNumber, 'increment_not_a_number', warnings);
  if (kind === 'profile_append') warnOperands(event.properties, Array.isArray, 'append_not_a_list', warnings);
  return {
    project,
    dialect: 'tributary',
    kind,
    name: mend(event.name, 'name'),
    itemId: mend(event.item_id, 'item_id'),
    anonymousId: mend(event.anonymous_id, 'anonymous_id'),
    userId: mend(event.user_id, 'user_id'),
    userKey: mend(event.user_key, 'user_key'),
    occurredAt: occurredAt ?? receivedAt,
    timeSource: occurredAt === undefined ? 'received' : 'sender',
    sentAt,
    platform: mend(event.platform, 'platform'),
    sdk: mend(event.sdk, 'sdk'),
    sdkVersion: mend(event.sdk_version, 'sdk_version'),
    sessionId: mend(event.session_id, 'session_id'),
    debug: event.debug ?? 0,
    properties: writeAll(event.properties, text, warnings),
    keys: kind === 'track' ? noKeys : writtenKeys(findPlan(event.properties ?? none).rest),
    context: writeAll(event.context, text, warnings),
    warnings: warnings.list ?? noWarnings,
    messageId: mend(event.id, 'id'),
  };
}

const noWarnings: readonly string[] = [];
const none: JsonObject = {};
const findPlan = createKnownPlans((keys) => planObject(keys, () => false));

const writeAll = (object: JsonObject = none, text: TextBuffer, warnings: Warnings): Uint8Array =>
  writeMembers(text, object, findPlan(object).rest, valueRules, warnings);

/** What the fold will ignore is said here. */
function warnOperands(
  properties: JsonObject = none,
  fits: (value: JsonValue) => boolean,
  rule: string,
  warnings: Warnings,
): void {
  for (const [key, value] of Object.entries(properties)) if (!fits(value)) warn(warnings, rule, key);
}

/** A 64-bit or overlong number is one too, though not to JavaScript. */
const isNumber = (value: JsonValue): boolean =>
  typeof value === 'number' || typeof value === 'bigint' || typeof value === 'symbol';

function textOf(element: ReadElement | undefined): string | undefined {
  if (element === undefined) return undefined;
  if (!element.ok) return element.line;
  try {
    return writeJson(element.value);
  } catch (error) {
    // Nested deeper than the stack: the request is kept instead.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
