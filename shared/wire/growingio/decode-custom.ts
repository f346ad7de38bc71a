import { type Event, noKeys } from '../../events/event.ts';
import type { JsonObject } from '../json/parse-json.ts';
import { warn } from '../json/value-rules.ts';
import {
  createDraft,
  type ElementFacts,
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

/** SaaS: `cs1` is the login id, `n` the name, `var` the attributes, `b` the platform. */
const cstmPlans = createContextPlans(['b', 'cs1', 'n', 'tm', 'var']);
/** 2017: `cs1` is `user:` and the login id, `u` the visitor, `s` the visit, `e` the attributes, `ai` the project. */
const customPlans = createContextPlans(['ai', 'cs1', 'e', 'n', 's', 'sdk_type', 'sdk_version', 'tm', 'u']);

/** An element of `/v3/{project}/s2s/cstm`, or of `/custom/{project}/events`: always a custom event. Throws TooDeep. */
export function decodeCustom(element: JsonObject, facts: ElementFacts): ReadElement {
  const is2017 = facts.endpoint.route === 'custom';
  const draft = createDraft(element);
  const { warnings } = draft;
  if (element.t !== 'cstm') warn(warnings, 'unknown_event_type', 't');
  const name = takeText(draft, 'n');
  if (name === undefined)
    return refuse('bad_event_name', 'n', 'a custom event needs a name n that is not empty');
  const project = takeProject(draft, facts.endpoint, 'ai');
  if (project === undefined) return refuse('bad_project', 'ai', 'neither body nor path names a project');
  const login = takeText(draft, 'cs1');
  const userId = is2017 && login?.startsWith('user:') ? login.slice('user:'.length) || undefined : login;
  const anonymousId = is2017 ? takeText(draft, 'u') : undefined;
  if (anonymousId === undefined && userId === undefined) {
    return refuse('missing_id', 'cs1', 'an event needs a login id cs1 that is not empty');
  }
  const times = takeTimes(
    draft,
    facts,
    project,
    { occurred: 'tm', sent: 'sendTime' },
    is2017 ? fromSeconds : undefined,
  );
  if (!times.ok) return times;
  const platform = takeText(draft, is2017 ? 'sdk_type' : 'b', growingioLimits.shortField);
  const properties = writeAttributes(draft, is2017 ? element.e : element.var, facts.text);
  if (properties === undefined) {
    return refuse('bad_attributes', is2017 ? 'e' : 'var', 'attributes should be a JSON object');
  }
  const event: Event = {
    project,
    dialect: 'growingio',
    kind: 'track',
    name,
    itemId: undefined,
    anonymousId,
    userId,
    userKey: undefined,
    occurredAt: times.occurredAt,
    timeSource: times.timeSource,
    sentAt: times.sentAt,
    platform,
    sdk: sdkOf(platform),
    sdkVersion: is2017 ? takeText(draft, 'sdk_version', growingioLimits.shortField) : undefined,
    sessionId: is2017 ? takeText(draft, 's', growingioLimits.shortField) : undefined,
    debug: 0,
    properties,
    keys: noKeys,
    context: writeContext(draft, is2017 ? customPlans : cstmPlans, facts.text),
    warnings: warnings.list ?? noWarnings,
    messageId: undefined,
  };
  return { ok: true, event };
}

/** The SDK takes times of 10 to 13 digits: the shortest are seconds. */
const fromSeconds = (time: number): number => (time < 10_000_000_000 ? time * 1000 : time);
