import type { GrowingCodec } from './codecs/codec.ts';
import { json } from './codecs/json.ts';
import type { CloseReport, Collector, Route } from './delivery/route.ts';
import { createGrowingRoute } from './routes/growing-route.ts';
import type { Tracked } from './tracked.ts';
import { checkObject, checkText, checkTime, reportBad, throwDetail } from './validation/check-fields.ts';
import { areClean, cleanMembers } from './validation/check-members.ts';
import { growingLimits, growingRules, isGrowingName } from './validation/growing-rules.ts';
import {
  collectIssues,
  createIssueReporter,
  type EventIssues,
  type OnIssue,
  type Report,
} from './validation/issue.ts';
import { joinLists } from './validation/join-lists.ts';
import { writeJson } from './validation/write-json.ts';

export interface GrowingTrackerOptions {
  /** The project: AccountID, or product_id of the vendor's Python SDK. */
  readonly projectId: string;
  readonly dataSourceId: string;
  readonly collector: Collector;
  /** `json` by default. */
  readonly codec?: GrowingCodec;
  /** What events say of where they come from: `python` by default, whose wire form this is and which servers know. */
  readonly platform?: string;
  /** Hears of everything that is wrong with what callers give; without it, `process.emitWarning` does, once each. */
  readonly onIssue?: OnIssue;
}

export interface GrowingOptions {
  /** The device. An event needs it or a loginUserId. */
  readonly anonymousId?: string;
  readonly loginUserId?: string;
  /** The kind of loginUserId, as `email`; only beside one. */
  readonly loginUserKey?: string;
  /** When it happened, for history: milliseconds since 1970, or a Date. Now by default. */
  readonly eventTime?: number | Date;
}

export interface GrowingEventOptions extends GrowingOptions {
  /** Text, numbers, booleans, and lists of these, which are sent joined by `||`. */
  readonly attributes?: object;
}

/**
 * Tracks to GrowingIO's CDP, or to Tributary in its dialect, as version 1.0.5 of the vendor's Python SDK does on the wire.
 * What a caller gives is never changed. An event that is refused for an error is reported, and its promise settles with
 * `refused`; only the collector rejects (a full queue that refuses, a collector that is closed).
 */
export class GrowingTracker {
  readonly #itemTail: string;
  readonly #eventTail: string;
  readonly #events: Route;
  readonly #items: Route;
  readonly #collector: Collector;
  readonly #onIssue: OnIssue;

  /** Throws a TypeError for a projectId or dataSourceId that is no text. */
  constructor(options: GrowingTrackerOptions) {
    const { projectId, dataSourceId, collector, codec = json, platform = 'python', onIssue } = options;
    checkText(projectId, 'projectId', growingLimits.text, throwDetail);
    checkText(dataSourceId, 'dataSourceId', growingLimits.text, throwDetail);
    this.#itemTail = writeTail({ dataSourceId, projectKey: projectId });
    this.#eventTail = writeTail({ dataSourceId, projectKey: projectId, sdkVersion, platform });
    this.#events = createGrowingRoute('event', projectId, codec);
    this.#items = createGrowingRoute('item', projectId, codec);
    this.#collector = collector;
    collector.open?.(this.#events);
    collector.open?.(this.#items);
    this.#onIssue = createIssueReporter(onIssue);
  }

  /** Somebody did something. */
  trackCustomEvent(name: string, options: GrowingEventOptions): Tracked {
    const issues = collectIssues(typeof name === 'string' ? name : 'trackCustomEvent', this.#onIssue);
    const { report } = issues;
    if (checkText(name, 'name', growingLimits.text, report) && !isGrowingName(name))
      reportBad(name, 'name', '1 to 100 letters, digits and _, beginning with a letter', report, 'warning');
    return this.#sendEvent(issues, 'CUSTOM', name, options);
  }

  /** What is known of a user who logs in. */
  setLoginUserAttributes(
    loginUserId: string,
    attributes: object,
    options: Omit<GrowingOptions, 'loginUserId'> = {},
  ): Tracked {
    const issues = collectIssues('setLoginUserAttributes', this.#onIssue);
    if (readId(loginUserId, 'loginUserId', ignore) === undefined)
      issues.report('error', 'missing_id', 'loginUserId', 'an event needs a loginUserId');
    return this.#sendEvent(issues, 'LOGIN_USER_ATTRIBUTES', undefined, {
      ...options,
      loginUserId,
      attributes,
    });
  }

  /** What is known of an item: a row of the dimension table `key`. */
  submitItem(key: string, id: string, attributes?: object): Tracked {
    const issues = collectIssues('submitItem', this.#onIssue);
    const { report } = issues;
    checkText(key, 'key', growingLimits.text, report);
    checkText(id, 'id', growingLimits.text, report);
    const members = readAttributes(attributes, report);
    return this.#send(this.#items, issues, { key, id }, members, this.#itemTail);
  }

  /** Resolves when all that was tracked before is delivered or reported, that of other trackers of the collector too. */
  flush(): Promise<void> {
    return this.#collector.flush();
  }

  /** Closes the collector, also for other trackers of it, and answers what it could not deliver within `timeoutMs`. */
  close(options?: { readonly timeoutMs?: number }): Promise<CloseReport> {
    return this.#collector.close(options);
  }

  #sendEvent(
    issues: EventIssues,
    eventType: string,
    eventName: string | undefined,
    options: GrowingEventOptions,
  ): Tracked {
    const { report } = issues;
    const { anonymousId, loginUserId, loginUserKey, eventTime, attributes } = options ?? {};
    const deviceId = readId(anonymousId, 'anonymousId', report);
    const userId = readId(loginUserId, 'loginUserId', report);
    const userKey = readId(loginUserKey, 'loginUserKey', report);
    checkIds(deviceId, userId, userKey, report);
    const timestamp = checkTime(eventTime, 'eventTime', report);
    const given = readAttributes(attributes, report);
    // A list of an event is joined; that of an item is sent as it is.
    const members = given && { members: joinLists(given.members, report), arePlain: given.arePlain };
    const head = { eventType, timestamp, eventName, deviceId, userKey, userId };
    const sendTime = eventTime === undefined ? '' : `,"sendTime":${timestamp}`;
    return this.#send(this.#events, issues, head, members, sendTime + this.#eventTail);
  }

  #send(
    route: Route,
    { report, refusal }: EventIssues,
    head: object,
    members: Attributes | undefined,
    tail: string,
  ): Tracked {
    let text: string | undefined;
    if (refusal() === undefined && members !== undefined) text = write(head, members, tail, report);
    if (text === undefined) return Promise.resolve({ kind: 'refused', detail: refusal() ?? '' });
    return this.#collector.add(route, text);
  }
}

/** That of the vendor's Python SDK whose events these are. */
const sdkVersion = '1.0.5';

const ignore: Report = () => {};

/** Attributes, and whether JSON.stringify can write them as they are. */
interface Attributes {
  readonly members: object;
  readonly arePlain: boolean;
}

function readAttributes(attributes: object | undefined, report: Report): Attributes | undefined {
  const given = checkObject(attributes, 'attributes', report);
  if (given === undefined || areClean(given, growingRules))
    return given && { members: given, arePlain: true };
  const members = cleanMembers(given, 'attributes', growingRules, report);
  return members && { members, arePlain: false };
}

/** The vendor's SDKs take whole numbers, and servers their digits. An empty id is none. */
function readId(id: unknown, field: string, report: Report): string | undefined {
  if (id === undefined || id === null || id === '') return undefined;
  if (typeof id === 'string') return id;
  const isWhole = typeof id === 'bigint' || Number.isSafeInteger(id);
  reportBad(id, field, 'text', report, isWhole ? 'warning' : 'error');
  return isWhole ? String(id) : undefined;
}

function checkIds(
  deviceId: string | undefined,
  userId: string | undefined,
  userKey: string | undefined,
  report: Report,
): void {
  if (deviceId === undefined && userId === undefined)
    report('error', 'missing_id', 'anonymousId', 'an event needs an anonymousId or a loginUserId');
  if (userKey !== undefined && userId === undefined)
    report('warning', 'key_without_id', 'loginUserKey', 'a loginUserKey needs a loginUserId');
}

/** The members in the order of the vendor's Python SDK, of which `tail` is the last. */
function write(head: object, { members, arePlain }: Attributes, tail: string, report: Report): string {
  const isEmpty = Object.keys(members).length === 0;
  const attributes = arePlain ? JSON.stringify(members) : writeJson(members, 'attributes', report);
  return JSON.stringify(head).slice(0, -1) + (isEmpty ? '' : `,"attributes":${attributes}`) + tail;
}

/** What every event or item ends with. */
const writeTail = (members: object): string => `,${JSON.stringify(members).slice(1)}`;
