import { randomBytes } from 'node:crypto';
import type { EventKind } from '../shared/events/event.ts';
import { toMessageId } from '../shared/wire/tributary/encode.ts';
import type { TributaryEvent } from '../shared/wire/tributary/wire-event.ts';
import { type BaseOptions, BaseTracker, type ProfileKind } from './base-tracker.ts';
import { createTributaryRoute } from './routes/tributary-route.ts';
import { noSuperProperties, type SuperProperties } from './super-properties.ts';
import type { Tracked } from './tracked.ts';
import {
  checkObject,
  checkText,
  checkTime,
  type Members,
  reportBad,
  throwDetail,
} from './validation/check-fields.ts';
import { collectIssues, type EventIssues, type Report } from './validation/issue.ts';
import { isPlainJson, isPlainObject } from './validation/plain-json.ts';
import { shortLimit, tributaryRules } from './validation/tributary-rules.ts';
import { writeLast } from './validation/write-json.ts';
import { version } from './version.ts';

export interface TrackerOptions extends BaseOptions {
  /** The project: 1 to 255 visible ASCII characters. */
  readonly key: string;
  /** Such as Server; none by default. */
  readonly platform?: string;
}

/** Somebody: a device, a user, or both, which binds the one to the other. */
export interface Who {
  readonly anonymousId?: string | undefined;
  readonly userId?: string | undefined;
  /** The kind of userId, as `email`. */
  readonly userKey?: string | undefined;
}

export interface EventOptions {
  /** When it happened, for history: milliseconds since 1970, or a Date. Now by default. */
  readonly time?: number | Date;
  /** Your own id of the event, 1 to 255 characters and the same whenever you send it again; made by default. */
  readonly id?: string;
  readonly platform?: string;
  readonly sessionId?: string;
  /** The circumstances: page, screen, user agent. */
  readonly context?: object;
}

/**
 * Tracks to Tributary in its own dialect: each event has its id when the call returns, which all of its copies have, so
 * what is sent twice is stored once. With `immediate` the promise settles with the verdict on the event. What a caller
 * gives is never changed. An event that is refused for an error is reported, and its promise settles with `refused`; only
 * the collector rejects (a full queue that refuses, a collector that is closed).
 */
export class Tracker extends BaseTracker<Who, EventOptions> {
  readonly #platform: string | undefined;
  readonly #prefix = randomBytes(16).toString('hex');
  #count = 0;

  /** Throws a TypeError for a key that no header can carry. */
  constructor(options: TrackerOptions) {
    const { key, platform } = options;
    if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key))
      reportBad(key, 'key', '1 to 255 visible ASCII characters', throwDetail);
    super(createTributaryRoute(key), tributaryRules, options);
    this.#platform = platform;
  }

  /** Somebody did something. */
  track(who: Who, name: string, properties?: object, options?: EventOptions): Tracked {
    const issues = collectIssues(name, this.onIssue);
    checkText(name, 'name', shortLimit, issues.report);
    return this.#send(issues, { who, name, properties, superProperties: this.superProperties }, options);
  }

  /** The device `anonymousId` is used by the user `userId`. */
  alias(userId: string, anonymousId: string, options?: EventOptions): Tracked {
    const issues = collectIssues('alias', this.onIssue);
    checkText(userId, 'userId', shortLimit, issues.report);
    checkText(anonymousId, 'anonymousId', shortLimit, issues.report);
    return this.#send(issues, { kind: 'alias', who: { userId, anonymousId } }, options);
  }

  /** What is known of an item: a row of the table `key`. */
  itemSet(key: string, id: string, properties?: object, options?: EventOptions): Tracked {
    const issues = collectIssues('item_set', this.onIssue);
    checkText(key, 'key', shortLimit, issues.report);
    checkText(id, 'id', shortLimit, issues.report);
    return this.#send(issues, { kind: 'item_set', who: nobody, name: key, itemId: id, properties }, options);
  }

  protected readonly operate = (
    issues: EventIssues,
    kind: ProfileKind,
    who: Who,
    properties: Members | undefined,
    options: EventOptions | undefined,
  ): Tracked => this.#send(issues, { kind, who, properties }, options);

  #send({ report, refusal }: EventIssues, draft: Draft, options: EventOptions = noOptions): Tracked {
    const { kind, who, superProperties = noSuperProperties } = draft;
    const { time, id, platform = this.#platform, sessionId, context } = options;
    if (kind !== 'item_set') checkWho(who, report);
    checkShort(id, 'id', report);
    checkShort(platform, 'platform', report);
    checkShort(sessionId, 'sessionId', report);
    const occurredAt = checkTime(time, 'time', report);
    const given = checkObject(draft.properties, 'properties', report);
    const circumstances = context === undefined ? undefined : checkObject(context, 'context', report);
    const detail = refusal();
    if (detail !== undefined || given === undefined || occurredAt === undefined)
      return Promise.resolve({ kind: 'refused', detail: detail ?? '' });
    const properties = superProperties.count === 0 ? given : { ...superProperties.members, ...given };
    const arePlain = isPlain(properties) && (circumstances === undefined || isPlain(circumstances));
    // What differs from event to event lies together, and what never differs around it: so it compresses best. It is one
    // literal, because what spreading an event makes is collected late by Node 20: that took half as much memory again.
    const event: TributaryEvent = {
      kind,
      sdk: 'tributary-sdk',
      sdk_version: version,
      platform,
      debug: this.debug || undefined,
      id: id ?? toMessageId(this.#prefix, this.#count++),
      occurred_at: occurredAt,
      name: draft.name,
      item_id: draft.itemId,
      anonymous_id: who.anonymousId,
      user_id: who.userId,
      user_key: who.userKey,
      session_id: sessionId,
      properties: arePlain ? properties : undefined,
      context: arePlain ? circumstances : undefined,
    };
    let json = JSON.stringify(event);
    if (!arePlain) {
      json = writeLast(json, 'properties', properties, 'properties', report);
      json = writeLast(json, 'context', circumstances, 'context', report);
    }
    return this.collector.add(this.route, json);
  }
}

/** An event on its way. */
interface Draft {
  /** A track where absent. */
  readonly kind?: EventKind;
  readonly who: Who;
  readonly name?: string;
  readonly itemId?: string;
  readonly properties?: object | undefined;
  readonly superProperties?: SuperProperties;
}

const noOptions: EventOptions = {};
const nobody: Who = {};

function checkWho(who: unknown, report: Report): void {
  if (typeof who !== 'object' || who === null) {
    reportBad(who, 'who', '{ anonymousId, userId }', report);
    return;
  }
  const { anonymousId, userId, userKey }: Who = who;
  checkShort(anonymousId, 'anonymousId', report);
  checkShort(userId, 'userId', report);
  checkShort(userKey, 'userKey', report);
  if (anonymousId === undefined && userId === undefined)
    report('error', 'missing_id', 'who', 'an event needs an anonymousId or a userId');
  if (userKey !== undefined && userId === undefined)
    report('error', 'key_without_id', 'userKey', 'a userKey needs a userId');
}

const checkShort = (value: unknown, field: string, report: Report): boolean =>
  value === undefined || checkText(value, field, shortLimit, report);

/** A getter may throw. */
function isPlain(members: object): boolean {
  try {
    return isPlainObject(members) && isPlainJson(members);
  } catch {
    return false;
  }
}
