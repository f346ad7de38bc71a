import type { PlanLine, Step, Verb } from './access-plan.ts';
import { isAccount } from './live-state.ts';
import { isAdmin, onlyAdds } from './roles.ts';

/** The most changes of one call: developers.google.com/analytics/devguides/config/admin/v1/rest/v1alpha/accounts.accessBindings/batchCreate */
export const mostPerCall = 1_000;

/**
 * Puts changes into calls: account by account, parent by parent, verb by verb. Within an account up to 1,000 users
 * make a stage, and all that is done for one of them is done in it: what gives access first, from the account down,
 * then what takes it, from the properties up, so that nobody is without access in between.
 */
export function groupSteps(lines: readonly PlanLine[]): Step[] {
  const changes = lines.filter(({ outcome }) => isChange(outcome));
  const byAccount = [...Map.groupBy(changes, ({ account }) => account)].sort(byKey);
  const steps = byAccount.flatMap(([, ofAccount]) => cutStages(ofAccount).flatMap(groupStage));
  return steps.map((step, index) => ({ index, ...step }));
}

type Unnumbered = Omit<Step, 'index'>;

/** Who becomes an administrator is in the first stages: those who stop being one come after. */
function cutStages(lines: readonly PlanLine[]): PlanLine[][] {
  const byUser = [...Map.groupBy(lines, ({ user }) => user)].sort(byKey);
  const becomesAdmin = (of: readonly PlanLine[]) => of.some(({ after }) => isAdmin(after ?? undefined));
  const users = [
    ...byUser.filter(([, of]) => becomesAdmin(of)),
    ...byUser.filter(([, of]) => !becomesAdmin(of)),
  ];
  const stages: PlanLine[][] = [];
  for (let start = 0; start < users.length; start += mostPerCall) {
    stages.push(users.slice(start, start + mostPerCall).flatMap(([, of]) => of));
  }
  return stages;
}

function groupStage(lines: readonly PlanLine[]): Unnumbered[] {
  const gives = (line: PlanLine) =>
    line.outcome === 'create' || (line.outcome === 'update' && onlyAdds(line.before ?? [], line.after ?? []));
  const giving = lines.filter(gives);
  const taking = lines.filter((line) => !gives(line));
  return [...groupParents(giving, 1), ...groupParents(taking, -1)];
}

/** `order` 1 puts the account before its properties, -1 after them. */
function groupParents(lines: readonly PlanLine[], order: 1 | -1): Unnumbered[] {
  const byParent = [...Map.groupBy(lines, ({ parent }) => parent)].sort(([one], [other]) =>
    isAccount(one) === isAccount(other) ? compare(one, other) : isAccount(one) ? -order : order,
  );
  return byParent.flatMap(([parent, ofParent]) =>
    verbs.flatMap((verb) => {
      const changes = ofParent
        .filter(({ outcome }) => outcome === verb)
        .map(({ user, before, after, line, reason }) => ({ user, before, after, line, reason }))
        .sort((one, other) => compare(one.user, other.user));
      const account = ofParent[0]?.account;
      return account === undefined || changes.length === 0 ? [] : [{ account, parent, verb, changes }];
    }),
  );
}

const verbs: readonly Verb[] = ['create', 'update', 'delete'];
const isChange = (outcome: PlanLine['outcome']): outcome is Verb => verbs.some((verb) => verb === outcome);
const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
const byKey = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number =>
  compare(one, other);
