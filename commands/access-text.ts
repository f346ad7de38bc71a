import { z } from 'zod';
import { formatColumns, formatNumber } from './terminal.ts';

const roles = z.array(z.string()).nullable();

export const planAnswer = z.looseObject({
  kind: z.literal('planned'),
  planHash: z.string(),
  estimatedSeconds: z.number(),
  notes: z.array(z.string()),
  linesLeftOut: z.number(),
  counts: z.looseObject({
    creates: z.number(),
    updates: z.number(),
    deletes: z.number(),
    unchanged: z.number(),
    shadowed: z.number(),
    reads: z.number(),
    writes: z.number(),
    verifications: z.number(),
  }),
  lines: z.array(
    z.looseObject({
      account: z.string(),
      parent: z.string(),
      user: z.string(),
      outcome: z.enum(['create', 'update', 'delete', 'unchanged', 'shadowed']),
      before: roles,
      after: roles,
    }),
  ),
});
export type PlanAnswer = z.output<typeof planAnswer>;

const failure = z.looseObject({
  parent: z.string(),
  verb: z.string(),
  code: z.string().optional(),
  message: z.string().optional(),
  lines: z.array(z.looseObject({ user: z.string(), line: z.string(), isNamed: z.boolean() })),
});

export const outcomeAnswer = z.looseObject({
  kind: z.enum(['committed', 'rolled_back', 'rollback_incomplete', 'partly_committed']),
  writes: z.number(),
  advice: z.string(),
  accounts: z.array(
    z.looseObject({
      account: z.string(),
      kind: z.string(),
      failures: z.array(failure),
      differences: z.array(
        z.looseObject({
          parent: z.string(),
          user: z.string(),
          shouldBe: roles,
          is: roles,
          reason: z.string(),
        }),
      ),
    }),
  ),
});
export type OutcomeAnswer = z.output<typeof outcomeAnswer>;

export const listAnswer = z.looseObject({
  account: z.string(),
  users: z.array(
    z.looseObject({
      user: z.string(),
      bindings: z.array(
        z.looseObject({
          parent: z.string(),
          displayName: z.string(),
          roles: z.array(z.string()),
          effective: z.array(z.string()),
          shadowed: z.boolean(),
        }),
      ),
    }),
  ),
});
export type ListAnswer = z.output<typeof listAnswer>;

/** Colours for a terminal; `plain` for everything else. */
export interface Paint {
  add(text: string): string;
  change(text: string): string;
  remove(text: string): string;
  faint(text: string): string;
  bold(text: string): string;
}

export function createPaint(isColoured: boolean): Paint {
  const wrap = (code: number) => (text: string) => (isColoured ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { add: wrap(32), change: wrap(33), remove: wrap(31), faint: wrap(2), bold: wrap(1) };
}

/** A plan as a difference: what comes, what changes and what goes, by account and property. */
export function formatPlan(plan: PlanAnswer, paint: Paint): string {
  const { counts } = plan;
  const changes = plan.lines.filter(({ outcome }) => outcome !== 'unchanged' && outcome !== 'shadowed');
  const out: string[] = [];
  for (const [account, ofAccount] of Map.groupBy(changes, (line) => line.account)) {
    out.push(paint.bold(account));
    for (const [parent, lines] of Map.groupBy(ofAccount, (line) => line.parent)) {
      out.push(parent === account ? '  the account itself' : `  ${parent}`);
      for (const { user, outcome, before, after } of lines) {
        if (outcome === 'create') out.push(paint.add(`    + ${user}  ${describe(after)}`));
        else if (outcome === 'delete') out.push(paint.remove(`    - ${user}  ${describe(before)}`));
        else out.push(paint.change(`    ~ ${user}  ${describe(before)} -> ${describe(after)}`));
      }
    }
  }
  if (plan.linesLeftOut > 0) out.push(paint.faint(`and ${formatNumber(plan.linesLeftOut)} lines more`));
  for (const note of plan.notes) out.push(`! ${note}`);
  if (changes.length === 0) out.push('Nothing is to be changed.');
  if (out.length > 0) out.push('');
  out.push(
    `${formatNumber(counts.creates)} to add, ${formatNumber(counts.updates)} to change, ${formatNumber(counts.deletes)} to remove; ${formatNumber(counts.unchanged)} are so already, ${formatNumber(counts.shadowed)} have it by their account.`,
    `${formatNumber(counts.writes)} calls that change, ${formatNumber(counts.reads + counts.verifications)} that list, about ${describeSeconds(plan.estimatedSeconds)}.`,
    `Plan ${paint.bold(plan.planHash)}`,
  );
  return `${out.join('\n')}\n`;
}

export function formatOutcome(outcome: OutcomeAnswer, paint: Paint): string {
  const colour = outcome.kind === 'committed' ? paint.add : paint.remove;
  const out = [
    `${colour(outcome.kind.replaceAll('_', ' '))}, ${formatNumber(outcome.writes)} calls. ${outcome.advice}`,
  ];
  for (const { account, kind, failures, differences } of outcome.accounts) {
    if (kind === 'committed') continue;
    out.push(`${paint.bold(account)}  ${kind.replaceAll('_', ' ')}`);
    for (const { parent, verb, code, message, lines } of failures) {
      out.push(`  ${verb} on ${parent}: ${code}: ${message}`);
      for (const { user, line, isNamed } of lines) {
        out.push(isNamed ? paint.remove(`    ${line}  ${user}  named by Google`) : `    ${line}  ${user}`);
      }
    }
    for (const { parent, user, is, shouldBe, reason } of differences) {
      out.push(
        paint.remove(`  ${parent}  ${user}: is ${describe(is)}, should be ${describe(shouldBe)}; ${reason}`),
      );
    }
  }
  return `${out.join('\n')}\n`;
}

export function formatList({ account, users }: ListAnswer): string {
  const rows = users.flatMap(({ user, bindings }) =>
    bindings.map(({ parent, displayName, roles: own, effective, shadowed }, index) => [
      index === 0 ? user : '',
      parent,
      displayName,
      describe(own),
      shadowed ? `${describe(effective)}, by the account` : describe(effective),
    ]),
  );
  const many = users.length === 1 ? '1 user' : `${formatNumber(users.length)} users`;
  return `${formatColumns(['user', 'on', 'name', 'roles', 'in effect'], rows, [])}${many} of ${account}\n`;
}

export function describeSeconds(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  const rest = Math.round(seconds % 60);
  return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
}

const describe = (held: readonly string[] | null): string =>
  held === null ? 'nothing' : held.map((role) => role.replace('predefinedRoles/', '')).join(' + ');
