import type { Debug } from '../shared/events/event.ts';
import type { CloseReport, Collector, Route } from './delivery/route.ts';
import { noSuperProperties, registerMore, type SuperProperties, unregister } from './super-properties.ts';
import type { Tracked } from './tracked.ts';
import { checkObject, type Members, readKeys } from './validation/check-fields.ts';
import type { MemberRules } from './validation/check-members.ts';
import { checkOperands, type OperandKind } from './validation/check-operands.ts';
import { collectIssues, createIssueReporter, type EventIssues, type OnIssue } from './validation/issue.ts';

export interface BaseOptions {
  readonly collector: Collector;
  /** 0 by default. */
  readonly debug?: Debug;
  /** What rides on every track from the beginning. */
  readonly superProperties?: object;
  /** Hears of everything that is wrong with what callers give; without it, `process.emitWarning` does, once each. */
  readonly onIssue?: OnIssue;
}

/** What trackers with profiles, super properties and a debug mode share. `Who` is whose profile it is. */
export abstract class BaseTracker<Who, Options> {
  readonly #rules: MemberRules;
  protected readonly route: Route;
  protected readonly collector: Collector;
  protected readonly onIssue: OnIssue;
  protected debug: Debug = 0;
  protected superProperties: SuperProperties = noSuperProperties;

  /** Sends an operation on a profile that says something. */
  protected abstract readonly operate: (
    issues: EventIssues,
    kind: ProfileKind,
    who: Who,
    properties: Members | undefined,
    options: Options | undefined,
  ) => Tracked;

  constructor(
    route: Route,
    rules: MemberRules,
    { collector, debug = 0, superProperties, onIssue }: BaseOptions,
  ) {
    this.#rules = rules;
    this.route = route;
    this.collector = collector;
    this.onIssue = createIssueReporter(onIssue);
    this.setDebug(debug);
    if (superProperties !== undefined) this.registerSuperProperties(superProperties);
    collector.open?.(route);
  }

  profileSet(who: Who, properties: object, options?: Options): Tracked {
    return this.#operate('profile_set', who, properties, options);
  }

  /** Sets what is not set yet. */
  profileSetOnce(who: Who, properties: object, options?: Options): Tracked {
    return this.#operate('profile_set_once', who, properties, options);
  }

  /** Adds to numbers. */
  profileIncrement(
    who: Who,
    properties: Readonly<Record<string, number | bigint>>,
    options?: Options,
  ): Tracked {
    return this.#operate('profile_increment', who, properties, options);
  }

  /** Adds to lists. */
  profileAppend(
    who: Who,
    properties: Readonly<Record<string, readonly unknown[]>>,
    options?: Options,
  ): Tracked {
    return this.#operate('profile_append', who, properties, options);
  }

  /** Removes one key of the profile, or several in one event. */
  profileUnset(who: Who, keys: string | readonly string[], options?: Options): Tracked {
    const issues = collectIssues('profile_unset', this.onIssue);
    const list = readKeys(keys, issues.report);
    if (list?.length === 0) return nothingToSend;
    const properties = list && Object.fromEntries(list.map((key) => [key, '']));
    return this.operate(issues, 'profile_unset', who, properties, options);
  }

  /** Removes the whole profile. */
  profileDelete(who: Who, options?: Options): Tracked {
    const issues = collectIssues('profile_delete', this.onIssue);
    return this.operate(issues, 'profile_delete', who, undefined, options);
  }

  #operate(kind: OperandKind, who: Who, properties: object, options: Options | undefined): Tracked {
    const issues = collectIssues(kind, this.onIssue);
    const given = checkObject(properties, 'properties', issues.report);
    if (given !== undefined) {
      if (Object.keys(given).length === 0) return nothingToSend;
      checkOperands(kind, given, issues.report);
    }
    return this.operate(issues, kind, who, given, options);
  }

  /** From now on these ride on every track, below what it has itself. */
  registerSuperProperties(properties: object): void {
    const { report } = collectIssues('registerSuperProperties', this.onIssue);
    this.superProperties = registerMore(this.superProperties, properties, this.#rules, report);
  }

  unregisterSuperProperty(key: string): void {
    this.superProperties = unregister(this.superProperties, key);
  }

  clearSuperProperties(): void {
    this.superProperties = noSuperProperties;
  }

  getSuperProperty(key: string): unknown {
    const { members } = this.superProperties;
    return Object.hasOwn(members, key) ? members[key] : undefined;
  }

  getSuperProperties(): Record<string, unknown> {
    return { ...this.superProperties.members };
  }

  /** 0: counted. 1: shown, but not counted. 2: shown and counted. Anything else is 0, as in the vendors' SDKs. */
  setDebug(debug: Debug): void {
    this.debug = debug === 1 || debug === 2 ? debug : 0;
  }

  /** Resolves when all that was tracked before is delivered or reported, that of other trackers of the collector too. */
  flush(): Promise<void> {
    return this.collector.flush();
  }

  /** Closes the collector, also for other trackers of it, and answers what it could not deliver within `timeoutMs`. */
  close(options?: { readonly timeoutMs?: number }): Promise<CloseReport> {
    return this.collector.close(options);
  }
}

export type ProfileKind = OperandKind | 'profile_unset' | 'profile_delete';

/** One for all, since it says nothing else. */
const nothingToSend: Tracked = Promise.resolve(undefined);
