import type { z } from 'zod';
import type { Problem } from './access-plan.ts';
import type { AccessRequest, Place, Statement, Wish } from './access-request.ts';
import { findContradictions } from './find-contradictions.ts';
import { type ParsedChange, type ParsedRequest, requestSchema } from './request-schema.ts';
import { addRoles, type MainRole, type Roles, rankOf } from './roles.ts';
import { type Target, viewId } from './targets.ts';

/** What a caller may give, whatever is there already. */
export interface GrantRules {
  /** The domains whose addresses may be given access; undefined for any. */
  readonly domains: readonly string[] | undefined;
  /** The strongest role that may be given. */
  readonly strongestRole: MainRole;
}

export type ReadRequest =
  | { readonly kind: 'valid'; readonly request: AccessRequest }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] };

/**
 * Reads a request from its JSON. Where anything is wrong with it nothing of it is done: every line that is wrong is
 * named, with the reason. No call is made for it.
 */
export function readRequest(body: unknown, rules: GrantRules): ReadRequest {
  const parsed = requestSchema.safeParse(body);
  if (!parsed.success)
    return { kind: 'invalid', problems: parsed.error.issues.flatMap((issue) => problemsOf(issue, [])) };
  const { data } = parsed;
  const places = createPlaces(data.views);
  const statements = [
    ...(data.changes ?? []).flatMap((change, index) => readChange(change, `changes[${index}]`, places)),
    ...readDesired(data, places),
  ];
  const problems = [
    ...places.problems,
    ...statements.flatMap((statement) => judgeGrant(statement, rules)),
    ...findContradictions(statements),
  ];
  if (problems.length > 0) return { kind: 'invalid', problems: unique(problems) };
  return {
    kind: 'valid',
    request: {
      statements,
      atomicity: data.atomicity,
      shadowed: data.shadowed,
      guards: data.guards ?? { requiredAdministrators: [] },
      notes: places.notes,
    },
  };
}

function readChange(change: ParsedChange, line: string, places: Places): Statement[] {
  const { user: users, reason } = change;
  const at =
    change.op === 'revokeEverywhere'
      ? (change.on?.map((account): Place => ({ kind: 'hierarchy', account })) ?? [
          { kind: 'everywhere' as const },
        ])
      : change.on.flatMap((target) => places.find(target, `${line}.on`));
  const wish = wishOf(change);
  return at.flatMap((place) =>
    users.map((user): Statement => ({ kind: 'wish', line, place, user, wish, reason })),
  );
}

function wishOf(change: ParsedChange): Wish {
  switch (change.op) {
    case 'grant':
    case 'set':
      return { kind: change.op, roles: inOrder(change.roles) };
    case 'revoke':
      return { kind: 'revoke', roles: change.roles };
    case 'revokeEverywhere':
      return { kind: 'revoke', roles: undefined };
  }
}

function readDesired({ desired = [] }: ParsedRequest, places: Places): Statement[] {
  return desired.flatMap(({ on, ownership, members, ignore, reason }, index) => {
    const line = `desired[${index}]`;
    const at = on.flatMap((target) => places.find(target, `${line}.on`));
    const named = new Set([...ignore, ...members.flatMap(({ user }) => user)]);
    return at.flatMap((place): Statement[] => [
      ...(ownership === 'exclusive' ? [{ kind: 'only', line, place, members: named, reason } as const] : []),
      ...members.flatMap(({ user: users, roles }, member) =>
        users.map(
          (user): Statement => ({
            kind: 'wish',
            line: `${line}.members[${member}]`,
            place,
            user,
            wish: { kind: 'set', roles: inOrder(roles) },
            reason,
          }),
        ),
      ),
    ]);
  });
}

interface Places {
  find(target: Target, line: string): Place[];
  readonly problems: Problem[];
  readonly notes: string[];
}

function createPlaces(views: ParsedRequest['views']): Places {
  const properties = new Map(Object.entries(views).map(([view, property]) => [viewId(view), property]));
  const problems: Problem[] = [];
  const notes = new Set<string>();
  const tell = (view: string, property: string, line: string) =>
    notes.add(
      `${line}: views are no more; what is asked for view ${view} is done on ${property}, all of it.`,
    );
  return {
    problems,
    get notes() {
      return [...notes];
    },
    find(target, line) {
      switch (target.kind) {
        case 'account':
          return [{ kind: 'parent', parent: target.account }];
        case 'property':
          if (target.view !== undefined) tell(target.view, target.property, line);
          return [{ kind: 'parent', parent: target.property }];
        case 'properties':
        case 'hierarchy':
          return [{ kind: target.kind, account: target.account }];
        case 'view': {
          const property = properties.get(target.view);
          if (property !== undefined) {
            tell(target.view, property, line);
            return [{ kind: 'parent', parent: property }];
          }
          const reason = `view ${target.view} is of the old kind, of which Google keeps no list: name its property in views, as {"${target.view}": "properties/123"}`;
          problems.push({ line, reason });
          return [];
        }
      }
    },
  };
}

/** Whether the caller may give this to that address, wherever it is. */
function judgeGrant(statement: Statement, { domains, strongestRole }: GrantRules): Problem[] {
  if (statement.kind !== 'wish' || statement.wish.kind === 'revoke') return [];
  const { line, user, wish } = statement;
  const domain = user.slice(user.lastIndexOf('@') + 1);
  const problems: Problem[] = [];
  if (domains !== undefined && !domains.includes(domain)) {
    problems.push({ line, reason: `${user}: addresses of ${domain} may not be given access` });
  }
  if (rankOf(wish.roles) > rankOf([strongestRole])) {
    problems.push({ line, reason: `${user}: you may give no role above ${strongestRole}` });
  }
  return problems;
}

const inOrder = (roles: Roles): Roles => addRoles([], roles);

/** The reasons in one issue, each at its place; those of a union are of the form that was meant. */
function problemsOf(issue: z.core.$ZodIssue, above: readonly PropertyKey[]): Problem[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The deeper it got, the more of that form was there.
    const depth = (issues: readonly z.core.$ZodIssue[]) =>
      Math.max(...issues.map((one) => one.path.length + (one.code === 'custom' ? 1 : 0)));
    const meant = issue.errors.reduce((best, issues) => (depth(issues) > depth(best) ? issues : best));
    return meant.flatMap((one) => problemsOf(one, path));
  }
  return [{ line: describePath(path), reason: issue.message }];
}

/** `changes[0].roles[1]`. */
const describePath = (path: readonly PropertyKey[]): string =>
  path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');

const unique = (problems: readonly Problem[]): Problem[] => [
  ...new Map(problems.map((problem) => [`${problem.line} ${problem.reason}`, problem])).values(),
];
