import {
  checkEvent,
  type Debug,
  type Event,
  type EventKind,
  noKeys,
  type Refusal,
} from '../../events/event.ts';
import type {
  Decoded,
  DecodedItem,
  DecodeOptions,
  RequestHead,
  WireDialect,
  WireRequest,
} from '../dialect.ts';
import { planObject, TooDeep, type WritePlan, writeMembers, writtenKeys } from '../json/canonical-json.ts';
import { createKnownPlans } from '../json/known-plans.ts';
import { type JsonObject, type JsonValue, writeJson } from '../json/parse-json.ts';
import { createTextBuffer, type TextBuffer } from '../json/text-buffer.ts';
import { mendString, type Warnings, warn } from '../json/value-rules.ts';
import { readParameter } from '../read-parameter.ts';
import { type AnalysysEvent, checkAnalysysEvent, isId, isObject } from './check.ts';
import { projectOf as projectOfEnvelope, readEnvelope } from './decrypt.ts';
import { analysysLimits, analysysValueRules, sdkFields } from './limits.ts';
import { readBody, readJson } from './read-body.ts';

/** The dialect of the Analysys (易观方舟) SDKs: a JSON array sent to `/up`, answered with `{"code":200}`. */
export const analysys: WireDialect = {
  dialect: 'analysys',
  matches: (method, path) => methods.has(method) && paths.has(path),
  decode,
  decodeElement,
  // Go and Lua compare the whole body, to the byte.
  success: { status: 200, contentType: 'application/json', body: '{"code":200}' },
};

/** GET is the web SDK's image and the mobile SDKs' look at our clock; HEAD is what a proxy may make of either. */
const methods: ReadonlySet<string> = new Set(['POST', 'GET', 'HEAD']);
/** The Python SDK given a URL that already ends in /up asks for /up/up. */
const paths: ReadonlySet<string> = new Set(['/up', '/up/', '/up/up', '/up/up/']);

function decode(request: WireRequest, options: DecodeOptions): Decoded {
  if (isClockProbe(request)) return { kind: 'items', items: [], text: () => undefined };
  const body = readBody(request, options.inflatedBytes);
  if (!body.ok) return { kind: 'undecodable', project: projectOf(request), refusal: body.refusal };

  const elements = Array.isArray(body.value) ? body.value : [body.value];
  if (elements.length > options.eventsPerRequest) {
    const detail = `the request holds ${elements.length} events; at most ${options.eventsPerRequest} are accepted`;
    const refusal = { reason: 'too_many_events', field: undefined, detail };
    return { kind: 'undecodable', project: projectOf(request), refusal };
  }
  return decodeElements(elements, body.bytes, request.receivedAt, options);
}

/**
 * When they start, the Android and iOS SDKs ask for the bare URL and read nothing but the header Date, to correct xwhen
 * by it. Such a request holds nothing that could be lost.
 */
const isClockProbe = ({ method, query, body }: WireRequest): boolean =>
  method !== 'POST' && query === '' && body.length === 0;

/** An array is not unwrapped here: in a request it would have been an element that is no object. */
function decodeElement(json: Buffer, { receivedAt }: RequestHead, options: DecodeOptions): Decoded {
  const read = readJson(json);
  if (!read.ok) return { kind: 'undecodable', project: undefined, refusal: read.refusal };
  return decodeElements([read.value], json.length, receivedAt, options);
}

/** `bytes`: how long the JSON of all the elements is. */
function decodeElements(
  elements: readonly JsonValue[],
  bytes: number,
  receivedAt: number,
  options: DecodeOptions,
): Decoded {
  // The JSON of the events is seldom longer than that of the request.
  const text = createTextBuffer(bytes);
  return {
    kind: 'items',
    items: elements.map((element) => decodeItem(element, text, receivedAt, options)),
    text: (place) => textOf(elements[place]),
  };
}

function decodeItem(
  element: JsonValue,
  text: TextBuffer,
  receivedAt: number,
  options: DecodeOptions,
): DecodedItem {
  const checked = checkAnalysysEvent(element, receivedAt, options.window);
  if (!checked.ok) return refused(element, checked.refusal);
  try {
    const event = toEvent(checked.value, text);
    const refusal = checkEvent(event);
    return refusal === undefined ? { kind: 'event', event } : refused(element, refusal);
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error;
    return refused(element, { reason: 'too_deep', field: 'xcontext', detail: error.message });
  }
}

function toEvent({ appid, xwho, xwhat, xwhen, xcontext }: AnalysysEvent, text: TextBuffer): Event {
  const warnings: Warnings = { list: undefined };
  const kind = kinds.get(xwhat) ?? 'track';
  const isState = kind !== 'track';
  if (!isState && !isGoodName(xwhat)) warn(warnings, 'bad_name', xwhat);
  const plan = findPlan[kind === 'track' ? 'track' : 'state'](xcontext);
  for (const { rule, where } of plan.breaks) warn(warnings, rule, where);
  if (kind === 'profile_increment' || kind === 'profile_append')
    checkOperands(kind, xcontext, plan, warnings);

  const id = xwho.toWellFormed();
  const isLogin = kind === 'alias' || xcontext.$is_login === true;
  if (xcontext.$is_login !== undefined && typeof xcontext.$is_login !== 'boolean') {
    warn(warnings, 'bad_is_login', '$is_login');
  }
  return {
    project: appid.toWellFormed(),
    dialect: 'analysys',
    kind,
    name: isState ? undefined : mendString(xwhat, analysysValueRules, warnings, 'xwhat'),
    itemId: undefined,
    // $is_login tells which id xwho is; an alias has both.
    anonymousId: kind === 'alias' ? originalId(xcontext.$original_id, warnings) : isLogin ? undefined : id,
    userId: isLogin ? id : undefined,
    userKey: undefined,
    occurredAt: xwhen * 1000,
    timeSource: 'sender',
    sentAt: undefined,
    platform: textOrNothing(xcontext.$platform, warnings),
    sdk: textOrNothing(xcontext.$lib, warnings),
    sdkVersion: textOrNothing(xcontext.$lib_version, warnings),
    sessionId: textOrNothing(xcontext.$session_id, warnings),
    debug: debugOf(xcontext.$debug, warnings),
    properties: writeMembers(text, xcontext, plan.rest, analysysValueRules, warnings),
    keys: isState ? writtenKeys(plan.rest) : noKeys,
    context: writeMembers(text, xcontext, plan.picked, analysysValueRules, warnings),
    warnings: warnings.list ?? noWarnings,
    messageId: undefined,
  };
}

const noWarnings: readonly string[] = [];

const kinds: ReadonlyMap<string, EventKind> = new Map([
  ['$alias', 'alias'],
  ['$profile_set', 'profile_set'],
  ['$profile_set_once', 'profile_set_once'],
  ['$profile_increment', 'profile_increment'],
  ['$profile_append', 'profile_append'],
  ['$profile_unset', 'profile_unset'],
  ['$profile_delete', 'profile_delete'],
]);

/** How to write the xcontext of events with certain keys, and what is to be said of those keys. */
interface ContextPlan extends WritePlan {
  readonly breaks: readonly { rule: string; where: string }[];
}

/** Keys that break the rules may be of any number and length. */
const keepsRules = (plan: ContextPlan): boolean => plan.breaks.length === 0;

const findPlan = {
  track: createKnownPlans((keys) => planContext(true, keys), keepsRules),
  state: createKnownPlans((keys) => planContext(false, keys), keepsRules),
};

function planContext(isTrack: boolean, keys: readonly string[]): ContextPlan {
  // `$` marks the vendor's own fields, but a profile may hold such a one: $first_visit_time.
  const isOwnField = isTrack ? startsWithDollar : (key: string) => sdkFields.has(key);
  const breaks = keys
    .filter((key) => !analysysLimits.name.test(key))
    .map((key) => ({ rule: 'bad_key', where: key }));
  const given = keys.filter((key) => !startsWithDollar(key)).length;
  if (given > analysysLimits.properties) breaks.push({ rule: 'too_many_properties', where: `${given}` });
  return { ...planObject(keys, isOwnField), breaks };
}

// The names of a site's events are few and come again and again.
const goodNames = new Set<string>();

function isGoodName(name: string): boolean {
  if (goodNames.has(name)) return true;
  if (!analysysLimits.name.test(name)) return false;
  if (goodNames.size < 10_000) goodNames.add(name);
  return true;
}

function originalId(value: JsonValue | undefined, warnings: Warnings): string | undefined {
  if (isId(value)) return value.toWellFormed();
  warn(warnings, 'alias_without_original_id', '$original_id');
  return undefined;
}

/** What the fold will ignore is said here. */
function checkOperands(kind: EventKind, xcontext: JsonObject, plan: WritePlan, warnings: Warnings): void {
  for (const { key } of plan.rest) {
    const value = xcontext[key];
    if (kind === 'profile_increment' && !isNumber(value)) warn(warnings, 'increment_not_a_number', key);
    if (kind === 'profile_append' && !Array.isArray(value)) warn(warnings, 'append_not_a_list', key);
  }
}

/** A 64-bit or overlong number is one too, though not to JavaScript. */
const isNumber = (value: JsonValue | undefined): boolean =>
  typeof value === 'number' || typeof value === 'bigint' || typeof value === 'symbol';

const startsWithDollar = (key: string): boolean => key.charCodeAt(0) === 0x24;

/** A field of the SDK that is text; anything else stays in context only. */
const textOrNothing = (value: JsonValue | undefined, warnings: Warnings): string | undefined =>
  typeof value === 'string' ? mendString(value, analysysValueRules, warnings, 'sdk') : undefined;

/** The SDKs take anything but 0, 1 and 2 for 0. */
function debugOf(value: JsonValue | undefined, warnings: Warnings): Debug {
  if (value === 0 || value === 1 || value === 2) return value;
  if (value !== undefined) warn(warnings, 'bad_debug', '$debug');
  return 0;
}

/** Who sent what cannot be decoded. */
const projectOf = (request: WireRequest): string | undefined =>
  readParameter(request.query, 'appid')?.slice(0, 255) || projectOfEnvelope(readEnvelope(request));

function refused(element: JsonValue, refusal: Refusal): DecodedItem {
  const appid = isObject(element) ? element.appid : undefined;
  return { kind: 'refused', refusal, project: isId(appid) ? appid : undefined };
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
