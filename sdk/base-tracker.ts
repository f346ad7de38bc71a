import type { Debug } from '../shared/events/event.ts';
import type { CloseReport, Collector, Route } from './delivery/route.ts';
import { noSuperProperties, registerMore, type SuperProperties, unregister } from './super-properties.ts';
import type { MemberRules } from './validation/check-members.ts';
import { collectIssues, createIssueReporter, type OnIssue } from './validation/issue.ts';

export interface BaseOptions {
  readonly collector: Collector;
  /** 0 by default. */
  readonly debug?: Debug;
  /** What rides on every track from the beginning. */
  readonly superProperties?: object;
  /** Hears of everything that is wrong with what callers give; without it, `process.emitWarning` does, once each. */
  readonly onIssue?: OnIssue;
}

/** What trackers with super properties and a debug mode share. */
export abstract class BaseTracker {
  readonly #rules: MemberRules;
  protected readonly route: Route;
  protected readonly collector: Collector;
  protected readonly onIssue: OnIssue;
  protected debug: Debug = 0;
  protected superProperties: SuperProperties = noSuperProperties;

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
