import type { Problem } from './access-plan.ts';
import type { AccessRequest, Place, Statement, Wish } from './access-request.ts';
import { combineWishes, describeWish } from './combine-wishes.ts';
import { accountOf, type Organisation, type ParentName, propertiesOf } from './live-state.ts';

/** What a request comes to on the organisation as it is. */
export interface Resolved {
  /** By parent and user. */
  readonly wishes: ReadonlyMap<ParentName, ReadonlyMap<string, ResolvedWish>>;
  /** Who may have a binding, by parent. */
  readonly owners: ReadonlyMap<ParentName, Owner>;
  /** The parents whose bindings a plan needs: those that are named, and their accounts, whose roles they inherit. */
  readonly parents: readonly ParentName[];
  readonly problems: readonly Problem[];
}

export type Owner = Pick<Extract<Statement, { kind: 'only' }>, 'members' | 'line' | 'reason'>;

export interface ResolvedWish {
  readonly wish: Wish;
  readonly line: string;
  readonly reason: string | undefined;
}

/** Finds the parents that each line is about. Problems: places that cannot be seen, and lines that contradict there. */
export function resolvePlaces({ statements }: AccessRequest, organisation: Organisation): Resolved {
  const wishes = new Map<ParentName, Map<string, ResolvedWish>>();
  const owners = new Map<ParentName, Owner>();
  const problems: Problem[] = [];
  const places = createPlaceReader(organisation);
  for (const statement of statements) {
    const parents = places(statement.place);
    if (parents === undefined) {
      problems.push({
        line: statement.line,
        reason: `${missing(statement.place)} cannot be seen by the function`,
      });
      continue;
    }
    for (const parent of parents) {
      if (statement.kind === 'only') owners.set(parent, statement);
      else problems.push(...addWish(wishes, parent, statement));
    }
  }
  problems.push(...judgeOwners(statements, owners, places));
  const named = new Set<ParentName>([...wishes.keys(), ...owners.keys()]);
  for (const parent of [...named]) {
    const account = accountOf(parent, organisation);
    if (account !== undefined) named.add(account);
  }
  return { wishes, owners, parents: [...named].sort(), problems };
}

type PlaceReader = (place: Place) => readonly ParentName[] | undefined;

function createPlaceReader(organisation: Organisation): PlaceReader {
  const known = new Map<string, readonly ParentName[]>();
  const properties = (account: `accounts/${string}`) => {
    const found = known.get(account) ?? propertiesOf(account, organisation);
    known.set(account, found);
    return found;
  };
  return (place) => {
    switch (place.kind) {
      case 'parent':
        return accountOf(place.parent, organisation) === undefined ? undefined : [place.parent];
      case 'properties':
        return organisation.accounts.has(place.account) ? properties(place.account) : undefined;
      case 'hierarchy':
        return organisation.accounts.has(place.account)
          ? [place.account, ...properties(place.account)]
          : undefined;
      case 'everywhere':
        return [...organisation.accounts.keys()].flatMap((account) => [account, ...properties(account)]);
    }
  };
}

function addWish(
  wishes: Map<ParentName, Map<string, ResolvedWish>>,
  parent: ParentName,
  { user, wish, line, reason }: Extract<Statement, { kind: 'wish' }>,
): Problem[] {
  const users = wishes.get(parent) ?? new Map<string, ResolvedWish>();
  wishes.set(parent, users);
  const before = users.get(user);
  const combined = before === undefined ? wish : combineWishes(before.wish, wish);
  if (combined !== undefined) {
    users.set(user, { wish: combined, line: before?.line ?? line, reason: before?.reason ?? reason });
    return [];
  }
  const [is, was] = [describeWish(wish), describeWish(before?.wish ?? wish)];
  return [{ line, reason: `${user} on ${parent}: ${is} contradicts ${before?.line}, ${was}` }];
}

/** A parent that one entry decides alone is in no other. */
function judgeOwners(
  statements: readonly Statement[],
  owners: Resolved['owners'],
  places: PlaceReader,
): Problem[] {
  if (owners.size === 0) return [];
  const problems = new Map<string, Problem>();
  for (const { place, line } of statements) {
    for (const parent of places(place) ?? []) {
      const owner = owners.get(parent)?.line;
      if (owner === undefined || line === owner || line.startsWith(`${owner}.`)) continue;
      problems.set(line, { line, reason: `${parent} is decided by ${owner}, which is exclusive` });
    }
  }
  return [...problems.values()];
}

function missing(place: Place): string {
  if (place.kind === 'everywhere') return 'everything';
  return place.kind === 'parent' ? place.parent : place.account;
}
