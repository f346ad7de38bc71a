import { type Event, noKeys } from '../../events/event.ts';
import type { JsonObject, JsonValue } from '../json/parse-json.ts';
import { mendString, warn } from '../json/value-rules.ts';
import {
  createDraft,
  type Draft,
  type ElementFacts,
  isGiven,
  isObject,
  noWarnings,
  type ReadElement,
  refuse,
  sdkOf,
  takeProject,
  takeText,
  takeTimes,
  writeContext,
} from './element.ts';
import { fieldRules, growingioLimits } from './limits.ts';
import { createContextPlans } from './plans.ts';

const plans = createContextPlans(['platform', 'projectKey', 'sdkVersion', 'sendTime']);

/**
 * An element of `/collect/user-mapping`: ids of one person under several keys. The first pair by key is the user of the
 * alias, and all of them are in its context. Throws TooDeep.
 */
export function decodeMapping(element: JsonObject, facts: ElementFacts): ReadElement {
  const draft = createDraft(element);
  const { warnings } = draft;
  const pair = firstPair(element.identifies, draft);
  if (pair === undefined) {
    const detail =
      'identifies should be a JSON object with an id under at least one key, neither of them empty';
    return refuse('bad_identifies', 'identifies', detail);
  }
  const project = takeProject(draft, facts.endpoint);
  if (project === undefined)
    return refuse('bad_project', 'projectKey', 'neither body nor path names a project');
  const times = takeTimes(draft, facts, project, { occurred: 'sendTime', sent: 'sendTime' });
  if (!times.ok) return times;
  const platform = takeText(draft, 'platform', growingioLimits.shortField);
  const event: Event = {
    project,
    dialect: 'growingio',
    kind: 'alias',
    name: undefined,
    itemId: undefined,
    anonymousId: undefined,
    userId: pair.userId,
    userKey: pair.userKey,
    occurredAt: times.occurredAt,
    timeSource: times.timeSource,
    sentAt: times.sentAt,
    platform,
    sdk: sdkOf(platform),
    sdkVersion: takeText(draft, 'sdkVersion', growingioLimits.shortField),
    sessionId: undefined,
    debug: 0,
    properties: noMembers,
    keys: noKeys,
    context: writeContext(draft, plans, facts.text),
    warnings: warnings.list ?? noWarnings,
    messageId: undefined,
  };
  return { ok: true, event };
}

const noMembers: Uint8Array = Buffer.from('{}');

function firstPair(
  identifies: JsonValue | undefined,
  { warnings }: Draft,
): { readonly userKey: string; readonly userId: string } | undefined {
  if (!isObject(identifies)) return undefined;
  const pairs: Draft = { element: identifies, warnings, left: [] };
  const key = Object.keys(identifies)
    .sort()
    .find((it) => it !== '' && isGiven(identifies[it]));
  if (key === undefined) return undefined;
  const userId = takeText(pairs, key);
  if (userId === undefined) return undefined;
  if (key.length > growingioLimits.shortField) warn(warnings, 'too_long', key);
  return { userKey: mendString(key, fieldRules, warnings, key), userId };
}
