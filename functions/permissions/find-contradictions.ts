import type { Problem } from './access-plan.ts';
import type { Place, Statement } from './access-request.ts';
import { combineWishes, describeWish } from './combine-wishes.ts';

type WishStatement = Extract<Statement, { kind: 'wish' }>;

/**
 * The lines that contradict one that stands before them, as far as their words tell: a property may also be one of all
 * the properties of an account, which the planner sees.
 */
export function findContradictions(statements: readonly Statement[]): Problem[] {
  return [...betweenWishes(statements), ...betweenOwners(statements)];
}

function betweenWishes(statements: readonly Statement[]): Problem[] {
  const byUser = new Map<string, Map<string, WishStatement>>();
  return statements.flatMap((statement) => {
    if (statement.kind !== 'wish') return [];
    const known = byUser.get(statement.user) ?? new Map<string, WishStatement>();
    byUser.set(statement.user, known);
    const problems = overlapping(statement.place, known).flatMap((other) => contradiction(statement, other));
    const key = placeKey(statement.place);
    if (!known.has(key)) known.set(key, statement);
    return problems;
  });
}

function contradiction(statement: WishStatement, other: WishStatement): Problem[] {
  if (combineWishes(statement.wish, other.wish) !== undefined) return [];
  const { line, user, wish, place } = statement;
  const reason = `${user} on ${describePlace(place)}: ${describeWish(wish)} contradicts ${other.line}, ${describeWish(other.wish)}`;
  return [{ line, reason }];
}

/** The statements before it whose places contain this one or are contained in it. */
function overlapping(place: Place, known: ReadonlyMap<string, WishStatement>): WishStatement[] {
  if (place.kind === 'everywhere') return [...known.values()];
  const keys = [placeKey(place), 'everywhere'];
  if (place.kind === 'hierarchy') keys.push(place.account, `${place.account}/properties/*`);
  if (place.kind === 'properties') keys.push(`${place.account}/hierarchy`);
  if (place.kind === 'parent') keys.push(`${place.parent}/hierarchy`);
  return keys.flatMap((key) => known.get(key) ?? []);
}

/** Who may have a binding on a place is said once where it is said that nobody else may. */
function betweenOwners(statements: readonly Statement[]): Problem[] {
  const owners = new Map<string, string>();
  for (const { kind, place, line } of statements) {
    if (kind === 'only' && !owners.has(placeKey(place))) owners.set(placeKey(place), line);
  }
  const problems = new Map<string, Problem>();
  for (const { place, line } of statements) {
    const owner = owners.get(placeKey(place));
    if (owner === undefined || line === owner || line.startsWith(`${owner}.`)) continue;
    problems.set(`${line} ${placeKey(place)}`, {
      line,
      reason: `${describePlace(place)} is decided by ${owner}, which is exclusive`,
    });
  }
  return [...problems.values()];
}

export function placeKey(place: Place): string {
  switch (place.kind) {
    case 'parent':
      return place.parent;
    case 'properties':
      return `${place.account}/properties/*`;
    case 'hierarchy':
      return `${place.account}/hierarchy`;
    case 'everywhere':
      return 'everywhere';
  }
}

export function describePlace(place: Place): string {
  switch (place.kind) {
    case 'parent':
      return place.parent;
    case 'properties':
      return `the properties of ${place.account}`;
    case 'hierarchy':
      return `all of ${place.account}`;
    case 'everywhere':
      return 'everything';
  }
}
