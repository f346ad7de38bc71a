import { type Binding, type Bindings, createBindings } from './bindings.ts';
import type { ParsedSeed } from './seed.ts';

export interface Account {
  readonly name: string;
  displayName: string;
  regionCode: string;
  readonly organization: string | undefined;
  readonly allowedDomains: readonly string[] | undefined;
  readonly createdMs: number;
  updatedMs: number;
  /** When it went to the trash. */
  deletedMs: number | undefined;
}

export interface Property {
  readonly name: string;
  /** accounts/N */
  account: string;
  /** accounts/N, or properties/N of a subproperty */
  parent: string;
  readonly propertyType: string;
  displayName: string;
  timeZone: string;
  currencyCode: string;
  industryCategory: string;
  readonly serviceLevel: string;
  readonly createdMs: number;
  updatedMs: number;
  deletedMs: number | undefined;
}

export interface DataStream {
  readonly name: string;
  readonly type: string;
  displayName: string;
  measurementId: string;
  defaultUri: string;
  readonly packageName: string;
  readonly bundleId: string;
  readonly createdMs: number;
  updatedMs: number;
}

export interface FirebaseLink {
  readonly name: string;
  readonly projectId: string;
  readonly projectNumber: string;
  readonly createdMs: number;
}

/** Everything that the local Admin API holds, by resource name. */
export interface World {
  readonly accounts: Map<string, Account>;
  readonly properties: Map<string, Property>;
  /** By the name of the account or property. */
  readonly bindings: Map<string, Bindings>;
  readonly dataStreams: Map<string, DataStream>;
  readonly firebaseLinks: Map<string, FirebaseLink>;
  /** Accounts that wait for a person to accept the terms of service. */
  readonly tickets: Map<string, { readonly displayName: string; readonly regionCode: string }>;
  /** Whether an address belongs to a Google account. */
  hasGoogleAccount(email: string): boolean;
  /** A number that no other resource has. */
  newId(): string;
}

/** Analytics purges what has been in the trash for 35 days. https://support.google.com/analytics/answer/6154772 */
const trashMs = 35 * 24 * 60 * 60 * 1000;

/** When a resource of the trash is purged. */
export function expiryOf(deletedMs: number): number {
  return deletedMs + trashMs;
}

/** The bindings of an account or property. */
export function bindingsOf(world: World, parent: string): Bindings {
  const known = world.bindings.get(parent);
  if (known !== undefined) return known;
  const empty = createBindings();
  world.bindings.set(parent, empty);
  return empty;
}

export function addBinding(
  world: World,
  parent: string,
  user: string,
  roles: readonly string[],
  id = world.newId(),
): Binding {
  const binding: Binding = { name: `${parent}/accessBindings/${id}`, user, roles: [...new Set(roles)] };
  bindingsOf(world, parent).put(binding);
  return binding;
}

export function createWorld(seed: ParsedSeed, nowMs: number): World {
  const { accepted, refused, unlisted } = seed.users;
  const [known, unknown] = [lowerCase(accepted), lowerCase(refused)];
  let lastId = 9_000_000_000;
  const world: World = {
    accounts: new Map(),
    properties: new Map(),
    bindings: new Map(),
    dataStreams: new Map(),
    firebaseLinks: new Map(),
    tickets: new Map(),
    hasGoogleAccount(email) {
      const address = email.toLowerCase();
      return !unknown.has(address) && (unlisted === 'accepted' || known.has(address));
    },
    newId: () => String(++lastId),
  };
  const instant = (text: string | undefined) => (text === undefined ? nowMs : Date.parse(text));
  const instantOrNone = (text: string | undefined) => (text === undefined ? undefined : Date.parse(text));
  for (const account of seed.accounts) {
    const name = `accounts/${account.id}`;
    refuseTwice(world.accounts, name);
    const createdMs = instant(account.createTime);
    world.accounts.set(name, {
      name,
      displayName: account.displayName,
      regionCode: account.regionCode ?? '',
      organization: account.organization,
      allowedDomains: account.allowedDomains?.map((domain) => domain.toLowerCase()),
      createdMs,
      updatedMs: createdMs,
      deletedMs: instantOrNone(account.deleteTime),
    });
    addBindings(world, name, account.bindings);
    for (const property of account.properties) addProperty(world, name, property, instant, instantOrNone);
  }
  return world;
}

function addProperty(
  world: World,
  account: string,
  property: ParsedSeed['accounts'][number]['properties'][number],
  instant: (text: string | undefined) => number,
  instantOrNone: (text: string | undefined) => number | undefined,
): void {
  const name = `properties/${property.id}`;
  refuseTwice(world.properties, name);
  const createdMs = instant(property.createTime);
  world.properties.set(name, {
    name,
    account,
    parent: property.parent ?? account,
    propertyType: property.propertyType,
    displayName: property.displayName,
    timeZone: property.timeZone,
    currencyCode: property.currencyCode ?? '',
    industryCategory: property.industryCategory ?? 'INDUSTRY_CATEGORY_UNSPECIFIED',
    serviceLevel: property.serviceLevel,
    createdMs,
    updatedMs: createdMs,
    deletedMs: instantOrNone(property.deleteTime),
  });
  addBindings(world, name, property.bindings);
  for (const stream of property.dataStreams) {
    const streamName = `${name}/dataStreams/${stream.id}`;
    const streamCreatedMs = instant(stream.createTime);
    world.dataStreams.set(streamName, {
      name: streamName,
      type: stream.type,
      displayName: stream.displayName,
      measurementId: stream.measurementId ?? (stream.type === 'WEB_DATA_STREAM' ? `G-${stream.id}` : ''),
      defaultUri: stream.defaultUri ?? '',
      packageName: stream.packageName ?? '',
      bundleId: stream.bundleId ?? '',
      createdMs: streamCreatedMs,
      updatedMs: streamCreatedMs,
    });
  }
  if (property.firebase === undefined) return;
  const linkName = `${name}/firebaseLinks/${world.newId()}`;
  world.firebaseLinks.set(linkName, { name: linkName, ...property.firebase, createdMs });
}

function addBindings(
  world: World,
  parent: string,
  bindings: readonly { id?: string | undefined; user: string; roles: string[] }[],
): void {
  for (const { id, user, roles } of bindings) {
    if (bindingsOf(world, parent).of(user) !== undefined)
      throw new Error(`The seed binds ${user} twice on ${parent}.`);
    addBinding(world, parent, user, roles, id ?? world.newId());
  }
}

function refuseTwice(map: ReadonlyMap<string, object>, name: string): void {
  if (map.has(name)) throw new Error(`The seed has ${name} twice.`);
}

function lowerCase(addresses: readonly string[]): ReadonlySet<string> {
  return new Set(addresses.map((address) => address.toLowerCase()));
}
