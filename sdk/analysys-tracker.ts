import { type BaseOptions, BaseTracker, type ProfileKind } from './base-tracker.ts';
import { createAnalysysRoute } from './routes/analysys-route.ts';
import { noSuperProperties, type SuperProperties } from './super-properties.ts';
import type { Tracked } from './tracked.ts';
import { analysysLimits, analysysName, analysysRules, isAnalysysName } from './validation/analysys-rules.ts';
import {
  checkObject,
  checkText,
  checkTime,
  type Members,
  reportBad,
  throwDetail,
} from './validation/check-fields.ts';
import { areClean, cleanMembers } from './validation/check-members.ts';
import { collectIssues, type EventIssues, type Report } from './validation/issue.ts';
import { writeLast } from './validation/write-json.ts';

export interface AnalysysTrackerOptions extends BaseOptions {
  /** The project. */
  readonly appId: string;
}

export interface AnalysysOptions {
  /** Where it happened: iOS, Android, JS and WeChat in any case of letters, or any other name. `Node` by default. */
  readonly platform?: string;
  /** Whether the id is that of a login; false by default. */
  readonly isLogin?: boolean;
  /** When it happened, for history: milliseconds since 1970, or a Date. Now by default. */
  readonly time?: number | Date;
}

/**
 * Tracks to Analysys, or to Tributary in its dialect, as version 4.0.5 of the vendor's Node SDK does on the wire. What a
 * caller gives is never changed. An event that is refused for an error is reported, and its promise settles with
 * `refused`; only the collector rejects (a full queue that refuses, a collector that is closed).
 */
export class AnalysysTracker extends BaseTracker<string, AnalysysOptions> {
  readonly #appId: string;

  /** Throws a TypeError for an appId that is no text of 1 to 255 characters. */
  constructor(options: AnalysysTrackerOptions) {
    const { appId } = options;
    checkText(appId, 'appId', analysysLimits.id, throwDetail);
    super(createAnalysysRoute(appId), analysysRules, options);
    this.#appId = appId;
  }

  /** Somebody did something. `id`: the device, or with `isLogin` the user. */
  track(id: string, name: string, properties?: object, options?: AnalysysOptions): Tracked {
    const issues = collectIssues(typeof name === 'string' ? name : 'track', this.onIssue);
    checkName(name, issues.report);
    const superProperties = this.superProperties;
    return this.#send(issues, { id, xwhat: name, properties, superProperties }, options);
  }

  /** The device `anonymousId` is used by the user `userId`, who has just logged in or registered. */
  alias(userId: string, anonymousId: string, options?: Omit<AnalysysOptions, 'isLogin'>): Tracked {
    const issues = collectIssues('alias', this.onIssue);
    checkText(anonymousId, 'anonymousId', analysysLimits.id, issues.report);
    const own = { $original_id: anonymousId };
    return this.#send(issues, { id: userId, xwhat: '$alias', own }, { ...options, isLogin: true });
  }

  protected readonly operate = (
    issues: EventIssues,
    kind: ProfileKind,
    id: string,
    properties: Members | undefined,
    options: AnalysysOptions | undefined,
  ): Tracked => {
    const isUnset = kind === 'profile_unset';
    // Which keys go: each with an empty text, of which nothing is to be said.
    const keys = isUnset ? properties : undefined;
    const own = keys && cleanMembers(keys, 'keys', keyRules, issues.report);
    const draft = { id, xwhat: `$${kind}`, properties: isUnset ? undefined : properties, own };
    return this.#send(issues, draft, options);
  };

  #send({ report, refusal }: EventIssues, event: Draft, options: AnalysysOptions = {}): Tracked {
    const json = this.#write(event, options, report);
    const detail = refusal();
    if (detail !== undefined || json === undefined)
      return Promise.resolve({ kind: 'refused', detail: detail ?? '' });
    return this.collector.add(this.route, json);
  }

  /** The event as JSON, its members in the order of the vendor's Node SDK; undefined where it is refused. */
  #write(
    { id, xwhat, properties, own, superProperties = noSuperProperties }: Draft,
    { platform, isLogin = false, time }: AnalysysOptions,
    report: Report,
  ): string | undefined {
    const isId = checkText(id, 'id', analysysLimits.id, report);
    const xwhen = checkTime(time, 'time', report);
    const given = checkObject(properties, 'properties', report);
    if (typeof isLogin !== 'boolean') reportBad(isLogin, 'isLogin', 'true or false', report);
    if (!isId || xwhen === undefined || given === undefined) return undefined;
    const isClean = areClean(given, analysysRules);
    const members = isClean ? given : cleanMembers(given, 'properties', analysysRules, report);
    if (members === undefined || !isFew(members, superProperties, report)) return undefined;
    const xcontext = {
      ...superProperties.members,
      ...members,
      ...own,
      $lib: 'Node',
      $lib_version: libraryVersion,
      $debug: this.debug,
      $is_login: isLogin,
      $platform: canonicalPlatform(platform),
    };
    const arePlain = isClean && superProperties.arePlain;
    const event = {
      appid: this.#appId,
      xwho: id,
      xwhen,
      xwhat,
      xcontext: arePlain ? xcontext : undefined,
    };
    const json = JSON.stringify(event);
    return arePlain ? json : writeLast(json, 'xcontext', xcontext, 'properties', report);
  }
}

/** An event on its way. `own`: what of xcontext the tracker adds. */
interface Draft {
  readonly id: string;
  readonly xwhat: string;
  readonly properties?: object | undefined;
  readonly own?: object | undefined;
  readonly superProperties?: SuperProperties;
}

/** That of the vendor's Node SDK whose events these are, to the byte: what its servers know. */
const libraryVersion = '4.0.5';

function checkName(name: unknown, report: Report): void {
  if (checkText(name, 'name', Infinity, report) && !isAnalysysName(name))
    reportBad(name, 'name', analysysName, report, 'warning');
}

/** Of keys that go, with the empty text that they are sent with. */
const keyRules = { ...analysysRules, warnEmpty: false };

function isFew(members: object, superProperties: SuperProperties, report: Report): boolean {
  const { properties, refusedProperties } = analysysLimits;
  const count = Object.keys(members).length + superProperties.count;
  if (count <= properties) return true;
  const isRefused = count > refusedProperties;
  const detail = `there are ${count} properties; ${properties} is the most`;
  report(isRefused ? 'error' : 'warning', 'too_many_properties', 'properties', detail);
  return !isRefused;
}

/** The vendor's spelling of the platforms that it knows. */
function canonicalPlatform(platform: string | undefined): string {
  if (platform === undefined || platform === '') return 'Node';
  return platforms.get(String(platform).toLowerCase()) ?? String(platform);
}

const platforms: ReadonlyMap<string, string> = new Map(
  ['Node', 'Android', 'iOS', 'JS', 'WeChat'].map((name) => [name.toLowerCase(), name]),
);
