/** A row of state_log, as far as identity looks at it. Times in microseconds since 1970. */
export interface AliasRow {
  readonly project: string;
  readonly dialect: string;
  readonly kind: string;
  readonly anonymous_id: string | null;
  readonly user_key: string | null;
  readonly user_id: string | null;
  readonly debug: number;
  readonly event_id: string;
  readonly occurred_at: number;
  readonly received_at: number;
  readonly batch_id: string;
  readonly batch_index: number;
}

export interface IdentityRules {
  /** Absent: one_to_one where the project has a claim of Analysys, else devices_to_one_user. */
  readonly policy?: 'one_to_one' | 'devices_to_one_user' | undefined;
  readonly order?: 'occurred_at' | 'received_at' | undefined;
  /** The event ids of aliases that count no more. */
  readonly voided?: readonly string[] | undefined;
}

/** A device and its user, and the claim that bound them. */
export interface Binding {
  readonly project: string;
  readonly anonymous_id: string;
  readonly user_key: string | null;
  readonly user_id: string;
  readonly bound_at: number;
  readonly event_id: string;
}

/** A pair of a device and a user that is claimed and not bound: what was bound already when it was first claimed. */
export interface Conflict {
  readonly project: string;
  readonly anonymous_id: string;
  readonly user_key: string | null;
  readonly user_id: string;
  readonly event_id: string;
  readonly reason: 'device_is_bound' | 'user_is_bound' | 'both_are_bound';
}

/**
 * Whose each device is: the specification, read aloud. Nothing of it depends on the order of the rows.
 *
 * - A claim is an alias that names a device and a user; not one that is only shown (debug 1), nor one that is voided.
 * - The claims of a project are in the order of (occurred_at, received_at, batch_id, batch_index, event_id), or, where the
 *   project orders by receiving, of (received_at, batch_id, batch_index, event_id). A copy of a claim is a claim: it comes
 *   after its first and changes nothing.
 * - one_to_one: a claim binds where neither its device nor its user is bound yet.
 * - devices_to_one_user: a claim binds where its device is not bound yet.
 *
 * The bindings are sorted by project and device.
 */
export const bind = (rows: readonly AliasRow[], rulesOf?: RulesOf): Binding[] =>
  decide(rows, rulesOf)
    .flatMap(({ bindings }) => bindings)
    .sort(by((binding) => [binding.project, binding.anonymous_id]));

/** Why the other claimed pairs are not bound, each by its first claim. */
export const findConflicts = (rows: readonly AliasRow[], rulesOf?: RulesOf): Conflict[] =>
  decide(rows, rulesOf).flatMap(({ conflicts }) => conflicts);

type RulesOf = (project: string) => IdentityRules;

function decide(rows: readonly AliasRow[], rulesOf: RulesOf = () => ({})) {
  const projects = Map.groupBy(rows, (row) => row.project);
  return [...projects].map(([project, ofProject]) => decideProject(ofProject, rulesOf(project)));
}

function decideProject(rows: readonly AliasRow[], rules: IdentityRules) {
  const claims = rows.filter((row) => isClaim(row, rules)).sort(by((row) => placeOf(row, rules)));
  const isAnalysys = claims.some(({ dialect }) => dialect === 'analysys');
  const policy = rules.policy ?? (isAnalysys ? 'one_to_one' : 'devices_to_one_user');

  const bindings: Binding[] = [];
  const conflicts: Conflict[] = [];
  const seenPairs = new Set<string>();
  const boundDevices = new Set<string>();
  const boundUsers = new Set<string>();
  for (const { project, anonymous_id, user_key, user_id, occurred_at, event_id } of claims) {
    if (anonymous_id === null || user_id === null) continue;
    const user = JSON.stringify([user_key, user_id]);
    const pair = JSON.stringify([anonymous_id, user]);
    if (seenPairs.has(pair)) continue;
    seenPairs.add(pair);

    const claim = { project, anonymous_id, user_key, user_id, event_id };
    const deviceIsBound = boundDevices.has(anonymous_id);
    const userIsBound = policy === 'one_to_one' && boundUsers.has(user);
    if (deviceIsBound && userIsBound) conflicts.push({ ...claim, reason: 'both_are_bound' });
    else if (deviceIsBound) conflicts.push({ ...claim, reason: 'device_is_bound' });
    else if (userIsBound) conflicts.push({ ...claim, reason: 'user_is_bound' });
    else {
      boundDevices.add(anonymous_id);
      boundUsers.add(user);
      bindings.push({ ...claim, bound_at: occurred_at });
    }
  }
  return { bindings, conflicts };
}

const isClaim = (row: AliasRow, { voided = [] }: IdentityRules): boolean =>
  row.kind === 'alias' &&
  row.anonymous_id !== null &&
  row.user_id !== null &&
  row.debug !== 1 &&
  !voided.includes(row.event_id);

const placeOf = (row: AliasRow, { order = 'occurred_at' }: IdentityRules): Place => {
  const received: Place = [row.received_at, row.batch_id, row.batch_index, row.event_id];
  return order === 'received_at' ? received : [row.occurred_at, ...received];
};

type Place = (number | string)[];

/** Texts in the order of their code units, which is BigQuery's for the ids of batches and events: they are hexadecimal. */
const by =
  <T>(placeOf: (one: T) => Place) =>
  (left: T, right: T): number => {
    const [first, second] = [placeOf(left), placeOf(right)];
    for (const [index, one] of first.entries()) {
      const other = second[index]!;
      if (one !== other) return one < other ? -1 : 1;
    }
    return 0;
  };
