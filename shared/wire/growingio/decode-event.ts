import { type Event, noKeys } from '../../events/event.ts';
import type { JsonObject, JsonValue } from '../json/parse-json.ts';
import { warn } from '../json/value-rules.ts';
import {
  createDraft,
  type Draft,
  type ElementFacts,
  isGiven,
  keysOfAttributes,
  noWarnings,
  type ReadElement,
  refuse,
  sdkOf,
  takeProject,
  takeText,
  takeTimes,
  writeAttributes,
  writeContext,
} from './element.ts';
import { eventTypes, isKnownType, isProfile, nameOfType } from './event-types.ts';
import { growingioLimits } from './limits.ts';
import { createContextPlans } from './plans.ts';

const plans = createContextPlans([
  'attributes',
  'deviceId',
  'eventName',
  'platform',
  'projectKey',
  'sdkVersion',
  'sendTime',
  'sessionId',
  'timestamp',
  'userId',
  'userKey',
]);

/** An event of `/collect`: a track, or the attributes of a user or visitor. Throws TooDeep. */
export function decodeEvent(element: JsonObject, facts: ElementFacts): ReadElement {
  const draft = createDraft(element);
  const { warnings } = draft;
  const type = typeOf(element.eventType, element.eventName);
  if (type === undefined) {
    return refuse(
      'bad_event_type',
      'eventType',
      'an event needs an eventType, which is text, or an eventName',
    );
  }
  if (!isKnownType(type)) warn(warnings, 'unknown_event_type', type);
  if (!isGiven(element.eventType)) warn(warnings, 'missing_event_type', 'eventType');

  const kind = isProfile(type) ? 'profile_set' : 'track';
  const name = type === 'CUSTOM' ? takeEventName(draft) : kind === 'track' ? nameOfType(type) : undefined;
  if (type === 'CUSTOM' && name === undefined) {
    return refuse('bad_event_name', 'eventName', 'a custom event needs an eventName that is not empty');
  }
  if (type !== 'CUSTOM') draft.left.push(...(element.eventName === undefined ? [] : ['eventName']));

  const project = takeProject(draft, facts.endpoint);
  if (project === undefined)
    return refuse('bad_project', 'projectKey', 'neither body nor path names a project');
  const anonymousId = takeText(draft, 'deviceId');
  const userId = takeText(draft, 'userId');
  if (anonymousId === undefined && userId === undefined) {
    return refuse('missing_id', 'deviceId', 'an event needs a deviceId or a userId that is not empty');
  }
  const userKey = takeText(draft, 'userKey', growingioLimits.shortField);
  if (userKey !== undefined && userId === undefined) warn(warnings, 'user_key_without_user_id', 'userKey');

  const times = takeTimes(draft, facts, project, { occurred: 'timestamp', sent: 'sendTime' });
  if (!times.ok) return times;
  const platform = takeText(draft, 'platform', growingioLimits.shortField);
  const sdkVersion = takeText(draft, 'sdkVersion', growingioLimits.shortField);
  const sessionId = takeText(draft, 'sessionId', growingioLimits.shortField);
  const properties = writeAttributes(draft, element.attributes, facts.text);
  if (properties === undefined) {
    return refuse('bad_attributes', 'attributes', 'attributes should be a JSON object');
  }
  const event: Event = {
    project,
    dialect: 'growingio',
    kind,
    name,
    itemId: undefined,
    anonymousId,
    userId,
    userKey,
    occurredAt: times.occurredAt,
    timeSource: times.timeSource,
    sentAt: times.sentAt,
    platform,
    sdk: sdkOf(platform),
    sdkVersion,
    sessionId,
    debug: 0,
    properties,
    keys: kind === 'track' ? noKeys : keysOfAttributes(element.attributes),
    context: writeContext(draft, plans, facts.text),
    warnings: warnings.list ?? noWarnings,
    messageId: undefined,
  };
  return { ok: true, event };
}

/** By name or, as protobuf has it, by number; an event that has only a name was made by hand, and is a custom one. */
function typeOf(type: JsonValue | undefined, name: JsonValue | undefined): string | undefined {
  if (typeof type === 'string' && type !== '') return type;
  if (typeof type === 'number' && Number.isSafeInteger(type)) return eventTypes[type] ?? `EVENT_TYPE_${type}`;
  return !isGiven(type) && isGiven(name) ? 'CUSTOM' : undefined;
}

function takeEventName(draft: Draft): string | undefined {
  const name = takeText(draft, 'eventName');
  if (name !== undefined && !growingioLimits.eventName.test(name)) warn(draft.warnings, 'bad_name', name);
  return name;
}
