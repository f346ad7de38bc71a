import type { AccountName, ParentName, PropertyName } from './live-state.ts';
import type { Roles } from './roles.ts';

export type Verb = 'create' | 'update' | 'delete';

/** One binding that a plan changes. */
export interface PlannedChange {
  /** The address, trimmed and in lower case. */
  readonly user: string;
  /** The roles as they are, which is what compensation brings back; null where there is no binding. */
  readonly before: Roles | null;
  /** The roles as they shall be; null where there shall be no binding. */
  readonly after: Roles | null;
  /** Where the request asks for it: `changes[3]`. */
  readonly line: string;
  /** Why, in the words of the request. */
  readonly reason?: string | undefined;
}

/** One call of the API: up to 1,000 changes of one verb on one parent. */
export interface Step {
  /** The place in the order of the plan, from 0. */
  readonly index: number;
  readonly account: AccountName;
  readonly parent: ParentName;
  readonly verb: Verb;
  readonly changes: readonly PlannedChange[];
}

/** What a plan makes of one user on one parent that the request is about. */
export interface PlanLine {
  readonly account: AccountName;
  readonly parent: ParentName;
  readonly user: string;
  readonly line: string;
  /** `shadowed`: a binding that is not made, since that of the account gives as much. */
  readonly outcome: Verb | 'unchanged' | 'shadowed';
  readonly before: Roles | null;
  readonly after: Roles | null;
  readonly reason?: string | undefined;
}

export interface Plan {
  /** SHA-256 over what is asked for and the live state it was planned from. */
  readonly hash: string;
  readonly atomicity: Atomicity;
  readonly steps: readonly Step[];
  readonly lines: readonly PlanLine[];
  /** What the caller should know: views that were mapped, unknown roles that are kept. */
  readonly notes: readonly string[];
  readonly counts: PlanCounts;
  /** How long applying takes within the quotas, in seconds. */
  readonly estimatedSeconds: number;
}

/** What must stand or fall together: one call, the changes of an account, or the whole request. */
export type Atomicity = 'call' | 'account' | 'request';

export interface PlanCounts {
  readonly creates: number;
  readonly updates: number;
  readonly deletes: number;
  readonly unchanged: number;
  readonly shadowed: number;
  /** Calls that list: for this plan, and again before it is applied. */
  readonly reads: number;
  /** Calls that change. */
  readonly writes: number;
  /** Calls that list what was changed, to be sure. */
  readonly verifications: number;
}

/** Why nothing is planned. */
export interface Problem {
  /** Where in the request, such as `changes[3].roles[0]`; '' for the whole of it. */
  readonly line: string;
  readonly reason: string;
}

export type Planned =
  | { readonly kind: 'planned'; readonly plan: Plan }
  /** The request itself is wrong, or contradicts itself on what is there. */
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }
  /** It would do what the guards or the rules for the caller forbid. */
  | { readonly kind: 'guarded'; readonly refusals: readonly GuardRefusal[] };

export type GuardName =
  | 'last_administrator'
  | 'self'
  | 'required_administrator'
  | 'share_of_removals'
  | 'caller_policy';

export interface GuardRefusal {
  readonly guard: GuardName;
  readonly parent: ParentName;
  readonly users: readonly string[];
  readonly reason: string;
}

export type { AccountName, ParentName, PropertyName };
