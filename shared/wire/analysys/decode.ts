import {
  checkEvent,
  type Debug,
  type Event,
  type EventKind,
  eventLimits,
  type Refusal,
} from '../../events/event.ts';
import type { Decoded, DecodedItem, DecodeOptions, WireDialect, WireRequest } from '../dialect.ts';
import {
  createWarnings,
  mendString,
  TooDeep,
  type Warnings,
  writeObjectParts,
} from '../json/canonical-json.ts';
import { type JsonObject, type JsonValue, writeJson } from '../json/parse-json.ts';
import { type AnalysysEvent, checkAnalysysEvent, isId, isObject } from './check.ts';
import { analysysLimits, analysysValueRules, sdkFields } from './limits.ts';
import { readBody } from './read-body.ts';

/** The dialect of the Analysys (易观方舟) SDKs: a JSON array posted to `/up`, answered with `{"code":200}`. */
export const analysys: WireDialect = {
  dialect: 'analysys',
  // The Python SDK given a URL that already ends in /up asks for /up/up.
  matches: (method, path) => method === 'POST' && (path === '/up' || path === '/up/' || path === '/up/up'),
  decode,
  // Go and Lua compare the whole body, to the byte.
  success: { status: 200, contentType: 'application/json', body: '{"code":200}' },
};

function decode(request: WireRequest, options: DecodeOptions): Decoded {
  const body = readBody(request.body, options.inflatedBytes);
  if (!body.ok) return { kind: 'undecodable', project: queryProject(request.query), refusal: body.refusal };

  const elements = Array.isArray(body.value) ? body.value : [body.value];
  if (elements.length > options.eventsPerRequest) {
    const detail = `the request holds ${elements.length} events; at most ${options.eventsPerRequest} are accepted`;
    const refusal = { reason: 'too_many_events', field: undefined, detail };
    return { kind: 'undecodable', project: queryProject(request.query), refusal };
  }
  return {
    kind: 'items',
    items: elements.map((element) => decodeElement(element, request.receivedAt, options)),
    text: (place) => textOf(elements[place]),
  };
}

function decodeElement(element: JsonValue, receivedAt: number, options: DecodeOptions): DecodedItem {
  const checked = checkAnalysysEvent(element, receivedAt, options.window);
  if (!checked.ok) return refused(element, checked.refusal);
  try {
    const event = toEvent(checked.value);
    const refusal = checkEvent(event);
    return refusal === undefined ? { kind: 'event', event } : refused(element, refusal);
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error;
    return refused(element, { reason: 'too_deep', field: 'xcontext', detail: error.message });
  }
}

function toEvent({ appid, xwho, xwhat, xwhen, xcontext }: AnalysysEvent): Event {
  const warnings = createWarnings(eventLimits.warnings);
  const kind = kinds[xwhat] ?? 'track';
  const isState = kind !== 'track';
  if (!isState && !analysysLimits.name.test(xwhat)) warnings.add('bad_name', xwhat);
  checkProperties(xcontext, kind, warnings);

  // `$` marks the vendor's own fields, but a profile may hold such a one: $first_visit_time.
  const isOwnField = isState ? (key: string) => sdkFields.has(key) : startsWithDollar;
  const { picked, rest } = writeObjectParts(xcontext, isOwnField, analysysValueRules, warnings);
  const person = personOf(kind, xwho.toWellFormed(), xcontext, warnings);
  return {
    project: appid.toWellFormed(),
    dialect: 'analysys',
    kind,
    name: isState ? undefined : mendString(xwhat, analysysValueRules, warnings, 'xwhat'),
    itemId: undefined,
    anonymousId: person.anonymousId,
    userId: person.userId,
    userKey: undefined,
    occurredAt: xwhen * 1000,
    timeSource: 'sender',
    sentAt: undefined,
    platform: text(xcontext.$platform, warnings),
    sdk: text(xcontext.$lib, warnings),
    sdkVersion: text(xcontext.$lib_version, warnings),
    sessionId: text(xcontext.$session_id, warnings),
    debug: debugOf(xcontext.$debug, warnings),
    properties: rest,
    context: picked,
    warnings: warnings.list,
    messageId: undefined,
  };
}

const kinds: Readonly<Record<string, EventKind | undefined>> = Object.assign(Object.create(null), {
  $alias: 'alias',
  $profile_set: 'profile_set',
  $profile_set_once: 'profile_set_once',
  $profile_increment: 'profile_increment',
  $profile_append: 'profile_append',
  $profile_unset: 'profile_unset',
  $profile_delete: 'profile_delete',
});

/** `$is_login` tells which id xwho is; an alias has both. */
function personOf(
  kind: EventKind,
  xwho: string,
  xcontext: JsonObject,
  warnings: Warnings,
): { anonymousId: string | undefined; userId: string | undefined } {
  if (kind === 'alias') {
    const original = xcontext.$original_id;
    if (!isId(original)) warnings.add('alias_without_original_id', '$original_id');
    return { userId: xwho, anonymousId: isId(original) ? original.toWellFormed() : undefined };
  }
  const isLogin = xcontext.$is_login;
  if (isLogin !== undefined && typeof isLogin !== 'boolean') warnings.add('bad_is_login', '$is_login');
  return isLogin === true
    ? { userId: xwho, anonymousId: undefined }
    : { userId: undefined, anonymousId: xwho };
}

/** The vendor's documented limits on names and types, all of which its SDKs let through with a warning. */
function checkProperties(xcontext: JsonObject, kind: EventKind, warnings: Warnings): void {
  let count = 0;
  for (const key of Object.keys(xcontext)) {
    if (sdkFields.has(key)) continue;
    if (!isKnownKey(key)) warnings.add('bad_key', key);
    if (!startsWithDollar(key)) count++;
    if (kind === 'profile_increment' && !isNumber(xcontext[key])) warnings.add('increment_not_a_number', key);
    if (kind === 'profile_append' && !Array.isArray(xcontext[key])) warnings.add('append_not_a_list', key);
  }
  if (count > analysysLimits.properties) warnings.add('too_many_properties', `${count}`);
}

// The keys of a site are few and come back with every event.
const goodKeys = new Set<string>();

function isKnownKey(key: string): boolean {
  if (goodKeys.has(key)) return true;
  if (!analysysLimits.name.test(key)) return false;
  if (goodKeys.size < 10_000) goodKeys.add(key);
  return true;
}

/** A 64-bit or overlong number is one too, though not to JavaScript. */
const isNumber = (value: JsonValue | undefined): boolean =>
  typeof value === 'number' || typeof value === 'bigint' || typeof value === 'symbol';

const startsWithDollar = (key: string): boolean => key.charCodeAt(0) === 0x24;

/** A field of the SDK that is text; anything else stays in context only. */
const text = (value: JsonValue | undefined, warnings: Warnings): string | undefined =>
  typeof value === 'string' ? mendString(value, analysysValueRules, warnings, 'sdk') : undefined;

/** The SDKs take anything but 0, 1 and 2 for 0. */
function debugOf(value: JsonValue | undefined, warnings: Warnings): Debug {
  if (value === 0 || value === 1 || value === 2) return value;
  if (value !== undefined) warnings.add('bad_debug', '$debug');
  return 0;
}

const queryProject = (query: string): string | undefined =>
  query === '' ? undefined : (new URLSearchParams(query).get('appid')?.slice(0, 255) ?? undefined);

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
