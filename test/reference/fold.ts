import { bytewise, type Json, numberOfSum, scaledAmount } from './json-numbers.ts';

/** A row of state_log, as far as profiles and items look at it. Times in microseconds since 1970. */
export interface StateRow {
  readonly project: string;
  readonly dialect: string;
  readonly kind: string;
  readonly name: string | null;
  readonly item_id: string | null;
  readonly anonymous_id: string | null;
  readonly user_key: string | null;
  readonly user_id: string | null;
  readonly debug: number;
  readonly event_id: string;
  readonly occurred_at: number;
  readonly time_source: 'sender' | 'received';
  readonly received_at: number;
  readonly batch_id: string;
  readonly batch_index: number;
  readonly properties: Readonly<Record<string, Json>>;
}

export interface Bound {
  readonly project: string;
  readonly anonymous_id: string;
  readonly user_key: string | null;
  readonly user_id: string;
}

/** What is known of one person or item. `subject`: project, user_key, user_id, anonymous_id; or project, item_key, item_id. */
export interface Folded {
  readonly subject: readonly (string | null)[];
  readonly properties: Readonly<Record<string, Json>>;
  readonly first_seen_at: number;
  readonly updated_at: number;
}

/**
 * Who each person is: the specification, read aloud. Nothing of it depends on the order of the rows.
 *
 * - An operation that names a user is of that user. One that names a device alone is of the user that the device is bound
 *   to, and where it is bound to none, of the device. Aliases count for the times of a person. Debug 1 does not count.
 * - Copies (of one event_id, of one person) are one operation: the first by (received_at, batch_id, batch_index); where the
 *   time is that of receiving, the last. Copies with a sender's time come before those without.
 * - Operations are in the order of (occurred_at, received_at, batch_id, batch_index, event_id).
 */
export function foldProfiles(rows: readonly StateRow[], bindings: readonly Bound[]): Folded[] {
  const users = new Map(
    bindings.map((bound) => [JSON.stringify([bound.project, bound.anonymous_id]), bound]),
  );
  const personOf = ({ project, user_key, user_id, anonymous_id }: StateRow) => {
    if (user_id !== null) return [project, user_key, user_id, null];
    const bound = users.get(JSON.stringify([project, anonymous_id]));
    return bound ? [project, bound.user_key, bound.user_id, null] : [project, null, null, anonymous_id];
  };
  const stated = rows.filter(({ kind, user_id, anonymous_id }) => {
    return (kind === 'alias' || kind.startsWith('profile_')) && (user_id ?? anonymous_id) !== null;
  });
  return foldEach(stated, personOf);
}

/** What each item is: the same, where item_set sets. */
export function foldItems(rows: readonly StateRow[]): Folded[] {
  const stated = rows.filter(({ kind }) => kind === 'item_set');
  return foldEach(stated, ({ project, name, item_id }) => [project, name, item_id]);
}

function foldEach(rows: readonly StateRow[], subjectOf: (row: StateRow) => (string | null)[]): Folded[] {
  const counted = rows.filter(({ debug }) => debug !== 1);
  const subjects = Map.groupBy(counted, (row) => JSON.stringify(subjectOf(row)));
  return [...subjects].map(([subject, ofSubject]) => {
    const copies = Map.groupBy(ofSubject, ({ event_id }) => event_id);
    const operations = [...copies.values()].map(countedCopy).sort(inOrder);
    const times = operations.map(({ occurred_at }) => occurred_at);
    return {
      subject: JSON.parse(subject),
      properties: foldKeys(operations),
      first_seen_at: Math.min(...times),
      updated_at: Math.max(...times),
    };
  });
}

const placeOf = (row: StateRow) => [row.received_at, row.batch_id, row.batch_index];
const inOrder = by((row: StateRow) => [row.occurred_at, ...placeOf(row), row.event_id]);

function countedCopy(copies: readonly StateRow[]): StateRow {
  const sent = copies.filter(({ time_source }) => time_source === 'sender').sort(by(placeOf));
  return sent[0] ?? [...copies].sort(by(placeOf)).at(-1)!;
}

interface KeyOperation {
  readonly kind: string;
  readonly key: string;
  readonly value: Json;
  readonly place: number;
}

/**
 * - profile_delete: what came before it is gone, of every key. Within an operation, keys are in the order of their bytes.
 * - A key of Analysys is compared in lower case, others as they are. It is spelt as the last operation of its epoch does;
 *   where two keys come to one spelling, the one with the later operation has it.
 */
function foldKeys(operations: readonly StateRow[]): Record<string, Json> {
  const deleted = operations.findLastIndex(({ kind }) => kind === 'profile_delete');
  const named = operations
    .slice(deleted + 1)
    .filter(({ kind }) => kind !== 'alias')
    .flatMap(({ kind, dialect, properties }) =>
      Object.keys(properties)
        .sort(bytewise)
        .map((key) => ({ kind, dialect, key, value: properties[key]! })),
    )
    .map((operation, place) => ({ ...operation, place }));
  const keys = Map.groupBy(named, ({ dialect, key }) => (dialect === 'analysys' ? key.toLowerCase() : key));
  const folded = [...keys.values()].map((ofKey) => ({ last: ofKey.at(-1)!, value: foldKey(ofKey) }));
  const withValue = folded.sort(by(({ last }) => [last.place])).filter(({ value }) => value !== undefined);
  return Object.fromEntries(withValue.map(({ last, value }) => [last.key, value!]));
}

/**
 * - The last set or unset begins the epoch: what came before it is gone. To set null is to unset.
 * - The first of the epoch that gives a value is its base: a set, a set_once that is not null, an increment by a number, an
 *   append of a list. Other increments and appends, and a set_once of null, are ignored everywhere.
 * - On a number, increments are added; on a list, lists are appended; anything else after the base is ignored.
 * - Numbers are added as decimals of nine places, halves rounded away from zero. What has no such decimal below 10^29 is no
 *   increment and takes none. Where all numbers of the key together reach 9 * 10^28, increments after the base are ignored.
 * - A sum is an integer where it is whole; a number that nothing was added to stays as it was written.
 */
function foldKey(operations: readonly KeyOperation[]): Json | undefined {
  const isUnset = ({ kind, value }: KeyOperation) =>
    kind === 'profile_unset' || (sets.has(kind) && value === null);
  const start = operations.findLastIndex((operation) => sets.has(operation.kind) || isUnset(operation));
  const epoch = operations.slice(Math.max(start, 0)).filter((operation) => {
    if (operation.kind === 'profile_increment') return scaledAmount(operation.value) !== undefined;
    if (operation.kind === 'profile_append') return Array.isArray(operation.value);
    return !isUnset(operation) && operation.value !== null;
  });
  const [base, ...later] = epoch;
  if (base === undefined) return undefined;
  const amount = scaledAmount(base.value);
  if (amount !== undefined) {
    const added = later.filter(({ kind }) => kind === 'profile_increment');
    const amounts = added.map(({ value }) => scaledAmount(value)!);
    const isSummable =
      sumOf(operations.map(({ value }) => absolute(scaledAmount(value) ?? 0n))) < LARGEST_SUM;
    return added.length > 0 && isSummable ? numberOfSum(sumOf([amount, ...amounts])) : base.value;
  }
  if (!Array.isArray(base.value)) return base.value;
  const appended = later
    .filter(({ kind }) => kind === 'profile_append')
    .flatMap(({ value }) => value as Json[]);
  return [...base.value, ...appended];
}

const sets: ReadonlySet<string> = new Set(['profile_set', 'item_set']);
const LARGEST_SUM = 9n * 10n ** 28n * 10n ** 9n;
const absolute = (amount: bigint): bigint => (amount < 0n ? -amount : amount);
const sumOf = (amounts: readonly bigint[]): bigint => amounts.reduce((sum, amount) => sum + amount, 0n);

/** Compares by the parts in their order, texts by the bytes of UTF-8. */
function by<T>(partsOf: (one: T) => readonly (string | number)[]): (left: T, right: T) => number {
  return (left, right) => {
    const others = partsOf(right);
    for (const [index, part] of partsOf(left).entries()) {
      const other = others[index]!;
      const order = typeof part === 'string' ? bytewise(part, String(other)) : part - Number(other);
      if (order !== 0) return order;
    }
    return 0;
  };
}
