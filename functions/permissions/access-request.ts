import type { Atomicity } from './access-plan.ts';
import type { AccountName, ParentName } from './live-state.ts';
import type { Roles } from './roles.ts';

/** What is asked for one user on one place. */
export type Wish =
  | { readonly kind: 'grant'; readonly roles: Roles }
  | { readonly kind: 'set'; readonly roles: Roles }
  /** The named roles; all of the binding where none are named. */
  | { readonly kind: 'revoke'; readonly roles: Roles | undefined };

/** A place that needs no look at what is there to be told from another. */
export type Place =
  | { readonly kind: 'parent'; readonly parent: ParentName }
  | { readonly kind: 'properties'; readonly account: AccountName }
  | { readonly kind: 'hierarchy'; readonly account: AccountName }
  | { readonly kind: 'everywhere' };

/** One line of a request, for one place and its users. */
export type Statement =
  | {
      readonly kind: 'wish';
      readonly line: string;
      readonly place: Place;
      readonly user: string;
      readonly wish: Wish;
      readonly reason: string | undefined;
    }
  /** Who has no part in it loses the binding. */
  | {
      readonly kind: 'only';
      readonly line: string;
      readonly place: Place;
      readonly members: ReadonlySet<string>;
      readonly reason: string | undefined;
    };

/** A request that is right as far as can be told without looking at what is there. */
export interface AccessRequest {
  readonly statements: readonly Statement[];
  readonly atomicity: Atomicity;
  readonly shadowed: 'skip' | 'write';
  readonly guards: RequestedGuards;
  readonly notes: readonly string[];
}

export interface RequestedGuards {
  readonly minimumAdministrators?: number | undefined;
  readonly requiredAdministrators: readonly string[];
  readonly maximumShareOfRemovals?: number | undefined;
  readonly minimumExisting?: number | undefined;
}
