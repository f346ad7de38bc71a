import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Answer, answerProblems, answerRefusals, error } from '../answers.ts';
import type { ApplyContext } from '../apply-access.ts';
import type { CallerRights } from '../caller-policy.ts';
import type { AccountName } from '../live-state.ts';
import { applyResources } from './apply-resources.ts';
import { type PlannedResources, planResources } from './plan-resources.ts';
import { readCall, readResources } from './read-resources.ts';
import { judgeRights, resourceRequest } from './resource-request.ts';

interface ResourceCall {
  readonly caller: string;
  readonly rights: CallerRights | undefined;
  readonly body: unknown;
  readonly context: ApplyContext;
}

const bodyShape = z.strictObject({
  request: resourceRequest,
  planHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be the planHash of a plan')
    .optional(),
  requestId: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'must be at most 64 letters, digits, _ and -')
    .default(() => randomUUID()),
});

/** `POST /resources/plan`: what changes of accounts, properties and data streams come to. */
export async function planResourcesCall({ rights, body, context }: ResourceCall): Promise<Answer> {
  const read = readBody(body, rights);
  if (read.kind === 'refused') return read.answer;
  const planned = await planResources(context.api, read.call.request, context.guards.accounts, context.until);
  return planned.kind === 'planned' ? answerPlanned(planned) : answerRefused(planned);
}

/** `POST /resources/apply`: the same, done. */
export async function applyResourcesCall({ caller, rights, body, context }: ResourceCall): Promise<Answer> {
  const read = readBody(body, rights);
  if (read.kind === 'refused') return read.answer;
  const { request, requestId, planHash } = read.call;
  if (planHash === undefined) return error(400, 'invalid_argument', 'planHash must be that of a plan');
  const applied = await applyResources({ request, requestId, planHash, caller }, context);
  switch (applied.kind) {
    case 'finished':
      return { status: 200, body: { ...applied.outcome } };
    case 'stale': {
      const message =
        'What is there has changed since it was planned. Look at the new plan, and apply it by its hash.';
      return error(409, 'stale_plan', message, { plan: answerPlanned(applied.planned).body });
    }
    case 'busy':
      return error(
        409,
        'busy',
        `Another request changes ${applied.account} now; try again when it has ended.`,
      );
    case 'taken':
      return error(409, 'already_exists', `${requestId} is the id of another request; take a new one.`);
    default:
      return answerRefused(applied);
  }
}

/** `POST /read`: accounts, properties, data streams or a binding as they are. */
export async function readResourcesCall({ rights, body, context }: ResourceCall): Promise<Answer> {
  const call = readCall.safeParse(body);
  if (!call.success) return error(400, 'invalid_argument', z.prettifyError(call.error));
  const isAllowed = (account: AccountName) =>
    rights !== undefined && (rights.accounts === 'all' || rights.accounts.has(account));
  const found = await readResources(context.api, call.data, isAllowed, context.until);
  if (found === undefined) return error(403, 'permission_denied', 'You may not see that account.');
  return { status: 200, body: found };
}

function readBody(
  body: unknown,
  rights: CallerRights | undefined,
): { kind: 'read'; call: z.output<typeof bodyShape> } | { kind: 'refused'; answer: Answer } {
  const parsed = bodyShape.safeParse(body);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => ({
      line: path
        .slice(1)
        .map((part, index) =>
          typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
        )
        .join(''),
      reason: message,
    }));
    return { kind: 'refused', answer: answerProblems(problems) };
  }
  const problems = judgeRights(parsed.data.request, rights?.strongestRole ?? 'viewer');
  if (problems.length > 0) return { kind: 'refused', answer: answerProblems(problems) };
  return { kind: 'read', call: parsed.data };
}

function answerPlanned({ hash, steps }: Extract<PlannedResources, { kind: 'planned' }>): Answer {
  const lines = steps.map(({ index, account, outcome, before, after, mask, change }) => ({
    line: `resources[${index}]`,
    op: change.op,
    account,
    outcome,
    before,
    after,
    mask,
  }));
  return { status: 200, body: { kind: 'planned', planHash: hash, lines } };
}

const answerRefused = (planned: Exclude<PlannedResources, { kind: 'planned' }>): Answer =>
  planned.kind === 'invalid' ? answerProblems(planned.problems) : answerRefusals(planned.refusals);
