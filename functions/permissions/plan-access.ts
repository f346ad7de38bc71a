import type { Plan, PlanLine, Planned, Problem } from './access-plan.ts';
import type { AccessRequest } from './access-request.ts';
import { fulfil } from './combine-wishes.ts';
import { groupSteps } from './group-steps.ts';
import { type GuardRules, judgeGuards } from './guards.ts';
import { hashPlan } from './hash-plan.ts';
import { accountOf, isAccount, type LiveState, type ParentName } from './live-state.ts';
import { estimateSeconds, type QuotaLimits } from './quota-limits.ts';
import { type Resolved, type ResolvedWish, resolvePlaces } from './resolve-places.ts';
import { covers, givesSame, isAdmin, type Roles, restrictionsOf, unknownOf } from './roles.ts';

/** The most bindings of one page: ListAccessBindingsRequest.page_size. */
export const bindingsPerPage = 500;
/** ListAccountSummariesRequest.page_size. */
export const summariesPerPage = 200;

/**
 * Plans a request on the live state: pure, so that the same request and state give the same plan and hash. `live` must
 * have the bindings of every parent that `resolvePlaces` names.
 */
export function planAccess(
  request: AccessRequest,
  live: LiveState,
  options: { readonly guards: GuardRules; readonly limits: QuotaLimits },
): Planned {
  const resolved = resolvePlaces(request, live);
  if (resolved.problems.length > 0) return { kind: 'invalid', problems: resolved.problems };
  const lines = drawLines(request, resolved, live);
  const unkept = findOverwritten(request, lines);
  if (unkept.length > 0) return { kind: 'invalid', problems: unkept };
  const refusals = judgeGuards(lines, live, mergeGuards(request, options.guards));
  if (refusals.length > 0) return { kind: 'guarded', refusals };

  const steps = groupSteps(lines);
  const counts = countLines(lines, steps, live);
  const plan: Plan = {
    hash: hashPlan(request, live),
    atomicity: request.atomicity,
    steps,
    lines,
    notes: [...request.notes, ...noteLines(lines)],
    counts,
    estimatedSeconds: estimateSeconds(counts, options.limits),
  };
  return { kind: 'planned', plan };
}

/** The guards of the function with what the request says of them. */
function mergeGuards({ guards: requested }: AccessRequest, configured: GuardRules): GuardRules {
  return {
    ...configured,
    minimumAdministrators: requested.minimumAdministrators ?? configured.minimumAdministrators,
    maximumShareOfRemovals: requested.maximumShareOfRemovals ?? configured.maximumShareOfRemovals,
    minimumExisting: requested.minimumExisting ?? configured.minimumExisting,
    requiredAdministrators: [
      ...new Set([...configured.requiredAdministrators, ...requested.requiredAdministrators]),
    ],
  };
}

/** What becomes of each binding that the request is about. */
function drawLines(request: AccessRequest, resolved: Resolved, live: LiveState): PlanLine[] {
  const planned = new Map<ParentName, Map<string, Roles | null>>();
  // Accounts first: what a property inherits is what its account will give.
  const parents = [...resolved.parents].sort(
    (one, other) => Number(isAccount(other)) - Number(isAccount(one)),
  );
  return parents.flatMap((parent) => {
    const account = accountOf(parent, live);
    if (account === undefined) return [];
    const bindings = live.bindings.get(parent);
    const inheritedBy = (user: string): Roles | null =>
      planned.get(account)?.get(user) ??
      (planned.get(account)?.has(user) ? null : (live.bindings.get(account)?.get(user)?.roles ?? null));
    const draw = (
      user: string,
      { line, reason }: Pick<ResolvedWish, 'line' | 'reason'>,
      before: Roles | null,
      after: Roles | null,
    ): PlanLine[] => {
      if (before === null && after === null) return [];
      const judged = judge(before, after);
      const inherited = isAccount(parent) || request.shadowed === 'write' ? null : inheritedBy(user);
      const isShadowed =
        judged === 'create' && inherited !== null && after !== null && covers(inherited, after);
      const outcome = isShadowed ? 'shadowed' : judged;
      return [{ account, parent, user, line, outcome, before, after, reason }];
    };

    const wishes = resolved.wishes.get(parent) ?? new Map<string, ResolvedWish>();
    const wished = [...wishes].flatMap(([user, wish]) => {
      const before = bindings?.get(user)?.roles ?? null;
      return draw(user, wish, before, fulfil(wish.wish, before));
    });
    const owner = resolved.owners.get(parent);
    const unwanted = [...(bindings ?? [])].flatMap(([user, { roles }]) =>
      owner === undefined || owner.members.has(user) || wishes.has(user)
        ? []
        : draw(user, owner, roles, null),
    );
    const lines = [...wished, ...unwanted];
    if (isAccount(parent)) planned.set(parent, new Map(lines.map(({ user, after }) => [user, after])));
    return lines;
  });
}

function judge(before: Roles | null, after: Roles | null): PlanLine['outcome'] {
  if (before === null) return after === null ? 'unchanged' : 'create';
  if (after === null) return 'delete';
  return givesSame(before, after) ? 'unchanged' : 'update';
}

/** An exclusive entry would delete bindings whose roles nobody here could give back. */
function findOverwritten(request: AccessRequest, lines: readonly PlanLine[]): Problem[] {
  const owned = new Set(request.statements.flatMap((it) => (it.kind === 'only' ? [it.line] : [])));
  return lines.flatMap(({ outcome, before, line, user, parent }) => {
    const unknown = unknownOf(before ?? []);
    if (outcome !== 'delete' || unknown.length === 0 || !owned.has(line)) return [];
    const reason = `${user} has ${unknown.join(', ')} on ${parent}, a role that cannot be given back here: name the user in ignore, or revoke it in words`;
    return [{ line, reason }];
  });
}

function noteLines(lines: readonly PlanLine[]): string[] {
  return lines.flatMap(({ outcome, before, after, user, parent }) => {
    if (outcome === 'unchanged' || outcome === 'shadowed') return [];
    const unknown = unknownOf(before ?? []);
    const notes: string[] = [];
    if (unknown.length > 0) {
      notes.push(
        outcome === 'delete'
          ? `${user} on ${parent}: ${unknown.join(', ')} is no role that is known here, and goes with the binding.`
          : `${user} on ${parent}: ${unknown.join(', ')} is no role that is known here, and stays.`,
      );
    }
    if (after !== null && isAdmin(after) && restrictionsOf(after).length > 0) {
      notes.push(
        `${user} on ${parent}: an administrator can lift ${restrictionsOf(after).join(', ')} alone.`,
      );
    }
    return notes;
  });
}

function countLines(lines: readonly PlanLine[], steps: Plan['steps'], live: LiveState): Plan['counts'] {
  const count = (wanted: PlanLine['outcome']) => lines.filter(({ outcome }) => outcome === wanted).length;
  const pages = (parent: ParentName) =>
    Math.max(1, Math.ceil((live.bindings.get(parent)?.size ?? 0) / bindingsPerPage));
  const sum = (parents: Iterable<ParentName>) =>
    [...parents].reduce((total, parent) => total + pages(parent), 0);
  return {
    creates: count('create'),
    updates: count('update'),
    deletes: count('delete'),
    unchanged: count('unchanged'),
    shadowed: count('shadowed'),
    reads: Math.max(1, Math.ceil(live.accounts.size / summariesPerPage)) + sum(live.bindings.keys()),
    writes: steps.length,
    verifications: sum(new Set(steps.map(({ parent }) => parent))),
  };
}
