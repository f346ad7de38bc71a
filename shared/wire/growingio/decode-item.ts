import type { Event } from '../../events/event.ts';
import type { JsonObject } from '../json/parse-json.ts';
import {
  createDraft,
  type Draft,
  type ElementFacts,
  isObject,
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
import { growingioLimits } from './limits.ts';
import { createContextPlans } from './plans.ts';

const columns = ['platform', 'projectKey', 'sdkVersion', 'sendTime', 'timestamp'];
const plans = createContextPlans([...columns, 'attributes', 'id', 'key']);
const eventPlans = createContextPlans([...columns, 'resourceItem']);

/**
 * An element of `/collect/item`: what is known of an item now. The older Python SDK sends it as an event of which
 * `resourceItem` is the item. Throws TooDeep.
 */
export function decodeItem(element: JsonObject, facts: ElementFacts): ReadElement {
  const draft = createDraft(element);
  const { warnings } = draft;
  const inner = isObject(element.resourceItem) ? element.resourceItem : undefined;
  const item: Draft = inner === undefined ? draft : { element: inner, warnings, left: [] };
  const name = takeText(item, 'key');
  const itemId = takeText(item, 'id');
  if (name === undefined || itemId === undefined) {
    return refuse(
      'bad_item',
      name === undefined ? 'key' : 'id',
      'an item needs a key and an id that are not empty',
    );
  }
  const project = takeProject(draft, facts.endpoint);
  if (project === undefined)
    return refuse('bad_project', 'projectKey', 'neither body nor path names a project');
  const times = takeTimes(draft, facts, project, { occurred: 'timestamp', sent: 'sendTime' });
  if (!times.ok) return times;
  const platform = takeText(draft, 'platform', growingioLimits.shortField);
  const sdkVersion = takeText(draft, 'sdkVersion', growingioLimits.shortField);
  const properties = writeAttributes(draft, item.element.attributes, facts.text);
  if (properties === undefined) {
    return refuse('bad_attributes', 'attributes', 'attributes should be a JSON object');
  }
  const event: Event = {
    project,
    dialect: 'growingio',
    kind: 'item_set',
    name,
    itemId,
    anonymousId: undefined,
    userId: undefined,
    userKey: undefined,
    occurredAt: times.occurredAt,
    timeSource: times.timeSource,
    sentAt: times.sentAt,
    platform,
    sdk: sdkOf(platform),
    sdkVersion,
    sessionId: undefined,
    debug: 0,
    properties,
    keys: keysOfAttributes(item.element.attributes),
    context: writeContext(draft, inner === undefined ? plans : eventPlans, facts.text),
    warnings: warnings.list ?? noWarnings,
    messageId: undefined,
  };
  return { ok: true, event };
}
