import { status } from '@grpc/grpc-js';
import type { BindingMessage } from './access-bindings.ts';
import type { Binding } from './bindings.ts';
import type { Context } from './method.ts';
import { type FieldViolation, invalidArgument, isRefusal, type Refusal, refuse } from './refuse.ts';
import { checkRoles } from './roles.ts';
import { addBinding, bindingsOf, type World } from './world.ts';

export interface CreateRequest {
  readonly parent?: string;
  readonly accessBinding?: BindingMessage;
}

export function createOne(context: Context, parent: string, given: BindingMessage | undefined): Binding {
  const problem = judge(context, parent, given, new Set());
  if (problem !== undefined) throw problem;
  return addBinding(context.world, parent, given?.user ?? '', given?.roles ?? []);
}

/** "This method is transactional. If any AccessBinding cannot be created, none of the AccessBindings will be created." */
export function batchCreate(context: Context, parent: string, requests: readonly CreateRequest[]): Binding[] {
  const inBatch = new Set<string>();
  const problems = requests.flatMap(({ accessBinding }, index) => {
    const problem = judge(context, parent, accessBinding, inBatch);
    inBatch.add(accessBinding?.user?.toLowerCase() ?? '');
    return problem === undefined ? [] : [{ index, problem }];
  });
  const [first] = problems;
  if (first !== undefined) throw describe(first, problems, context.rules.refusalsName);
  return requests.map(({ accessBinding }) =>
    addBinding(context.world, parent, accessBinding?.user ?? '', accessBinding?.roles ?? []),
  );
}

type Problem = { readonly index: number; readonly problem: Refusal };

/** How much Google's answer tells of the refused entries is not documented, so it can be chosen. */
function describe(first: Problem, all: readonly Problem[], names: Context['rules']['refusalsName']): Refusal {
  const { code } = first.problem;
  if (names === 'none') return refuse(code, first.problem.details.replace(/'[^']*@[^']*'/g, 'A user'));
  if (names === 'first') return first.problem;
  const violations = all.map(
    ({ index, problem }): FieldViolation => ({
      field: `requests[${index}].access_binding.user`,
      description: problem.details,
    }),
  );
  return refuse(code, all.map(({ problem }) => problem.details).join(' '), { violations });
}

/** Why the binding cannot be created, if so. */
function judge(
  { world, rules }: Context,
  parent: string,
  given: BindingMessage = {},
  inBatch: ReadonlySet<string>,
): Refusal | undefined {
  const { user = '', roles = [] } = given;
  if (!/^[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+$/.test(user)) {
    return invalidArgument(`'${user}' is not an e-mail address.`);
  }
  if (roles.length === 0) return invalidArgument(`The roles of '${user}' are missing.`);
  try {
    checkRoles(roles, rules.unknownRoles, []);
  } catch (error) {
    if (isRefusal(error)) return error;
    throw error;
  }
  if (!world.hasGoogleAccount(user)) {
    return invalidArgument(`'${user}': This email doesn't match a Google Account.`);
  }
  if (!satisfiesPolicy(world, parent, user)) {
    return refuse(status.FAILED_PRECONDITION, `'${user}' did not satisfy organization's user policy.`);
  }
  if (bindingsOf(world, parent).of(user) !== undefined || inBatch.has(user.toLowerCase())) {
    return refuse(status.ALREADY_EXISTS, `An access binding of '${user}' already exists.`);
  }
  return undefined;
}

function satisfiesPolicy(world: World, parent: string, user: string): boolean {
  const account = world.properties.get(parent)?.account ?? parent;
  const allowed = world.accounts.get(account)?.allowedDomains;
  return allowed === undefined || allowed.includes(user.slice(user.lastIndexOf('@') + 1).toLowerCase());
}
