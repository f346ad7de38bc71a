import { fromApi, type Roles } from './roles.ts';

export type AccountName = `accounts/${string}`;
export type PropertyName = `properties/${string}`;
/** What bindings hang on. */
export type ParentName = AccountName | PropertyName;

/** The accounts and properties that the function can see, before any of their bindings is read. */
export interface Organisation {
  /** By name; with its display name. */
  readonly accounts: ReadonlyMap<AccountName, string>;
  readonly properties: ReadonlyMap<PropertyName, PropertyPlace>;
}

export interface PropertyPlace {
  readonly account: AccountName;
  readonly displayName: string;
}

/** A binding as it is now. */
export interface Binding {
  /** `accounts/1/accessBindings/2`; another one whenever it is made anew. */
  readonly name: string;
  /** The address as Google has it. */
  readonly user: string;
  readonly roles: Roles;
}

/** The bindings of one parent, by `userKey`. */
export type BindingsOf = ReadonlyMap<string, Binding>;

/** What a plan is made from: the organisation, and the bindings of every parent that the plan is about. */
export interface LiveState extends Organisation {
  readonly bindings: ReadonlyMap<ParentName, BindingsOf>;
}

/** Addresses are one user where they differ in case or surrounding space alone. Dots count: not every host ignores them. */
export const userKey = (user: string): string => user.trim().toLowerCase();

export const isAccount = (parent: ParentName): parent is AccountName => parent.startsWith('accounts/');

/** The account that a parent is of or is; undefined where it cannot be seen. */
export const accountOf = (
  parent: ParentName,
  { accounts, properties }: Organisation,
): AccountName | undefined =>
  isAccount(parent) ? (accounts.has(parent) ? parent : undefined) : properties.get(parent)?.account;

/** The properties of an account, in the order of their names. */
export const propertiesOf = (account: AccountName, { properties }: Organisation): PropertyName[] =>
  [...properties].flatMap(([name, place]) => (place.account === account ? [name] : [])).sort();

/** Puts bindings together as the planner reads them. */
export const bindingsBy = (
  bindings: readonly { name: string; user: string; roles: readonly string[] }[],
): BindingsOf =>
  new Map(
    bindings.map(({ name, user, roles }) => [userKey(user), { name, user, roles: fromApi(roles) }] as const),
  );
