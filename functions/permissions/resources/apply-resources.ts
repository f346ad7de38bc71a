import { createHash, hash } from 'node:crypto';
import { z } from 'zod';
import { type Lease, takeLease } from '../../../shared/google/lease.ts';
import { pauseMs } from '../admin-api.ts';
import type { ApplyContext } from '../apply-access.ts';
import { createJournalWriter, type JournalOptions } from '../journal.ts';
import { callResource, methodOf, type ResourceAnswer } from './call-resource.ts';
import { type Found, lookUp } from './look-up.ts';
import { isDone, type PlannedResources, planResources, type ResourceStep } from './plan-resources.ts';
import type { ResourceRequest } from './resource-request.ts';

/** What became of one change. */
export interface ResourceResult {
  readonly index: number;
  readonly kind: 'done' | 'unchanged' | 'failed' | 'not_tried';
  /** The resource, also of what was made. */
  readonly name?: string | undefined;
  readonly accountTicketId?: string | undefined;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
}

export interface ResourcesOutcome {
  /** `partly_committed`: it stopped at a change that failed; nothing is brought back, since the trash gives nothing back. */
  readonly kind: 'committed' | 'partly_committed';
  readonly requestId: string;
  readonly results: readonly ResourceResult[];
}

export type AppliedResources =
  | { readonly kind: 'finished'; readonly outcome: ResourcesOutcome }
  | { readonly kind: 'stale'; readonly planned: Extract<PlannedResources, { kind: 'planned' }> }
  | { readonly kind: 'busy'; readonly account: string }
  | { readonly kind: 'taken' }
  | Exclude<PlannedResources, { kind: 'planned' }>;

export interface ResourcesCall {
  readonly requestId: string;
  readonly planHash: string;
  readonly caller: string;
  readonly request: ResourceRequest;
}

/**
 * Applies changes of accounts, properties and data streams as they were planned, one after the other until one fails, or
 * goes on with them. Each is journalled and audited before its call and after; no call is repeated blindly.
 */
export async function applyResources(call: ResourcesCall, context: ApplyContext): Promise<AppliedResources> {
  const folder = `access/resources/${call.requestId}/`;
  const requestHash = createHash('sha256')
    .update(JSON.stringify([call.planHash, call.caller, call.request]))
    .digest('hex');
  const begun = await readJson(`${folder}head.json`, headShape, context.journal);
  if (begun !== undefined && begun.requestHash !== requestHash) return { kind: 'taken' };
  const ended = await readJson(`${folder}outcome.json`, outcomeShape, context.journal);
  if (ended !== undefined) return { kind: 'finished', outcome: ended };

  const planned = await planResources(context.api, call.request, context.guards.accounts, context.until);
  if (planned.kind !== 'planned') return planned;
  const accounts = [...new Set(planned.steps.flatMap(({ account }) => account ?? []))].sort();
  const leases: Lease[] = [];
  try {
    for (const account of accounts) {
      const object = `access/leases/${account.replace('/', '-')}.json`;
      const lease = await takeLease({ ...context.lease, object });
      if (lease === undefined) return { kind: 'busy', account };
      leases.push(lease);
    }
    const journal = createJournalWriter(folder, context.journal);
    if (begun === undefined) {
      if (planned.hash !== call.planHash) return { kind: 'stale', planned };
      await journal.write('head.json', Buffer.from(JSON.stringify({ requestHash, steps: planned.steps })));
    }
    const results: ResourceResult[] = [];
    for (const step of planned.steps) {
      for (const lease of leases) await lease.check();
      results.push(
        await perform(step, {
          call,
          context,
          folder,
          journal,
          isOver: results.some(({ kind }) => kind === 'failed'),
        }),
      );
    }
    const kind = results.some((result) => result.kind === 'failed') ? 'partly_committed' : 'committed';
    const outcome: ResourcesOutcome = { kind, requestId: call.requestId, results };
    await journal.write('outcome.json', Buffer.from(JSON.stringify(outcome)));
    return { kind: 'finished', outcome };
  } finally {
    await Promise.all(leases.map((lease) => lease.release()));
  }
}

interface Performing {
  readonly call: ResourcesCall;
  readonly context: ApplyContext;
  readonly folder: string;
  readonly journal: ReturnType<typeof createJournalWriter>;
  readonly isOver: boolean;
}

async function perform(step: ResourceStep, performing: Performing): Promise<ResourceResult> {
  const { context, folder, journal, isOver } = performing;
  const { index, outcome, before } = step;
  const done = await readJson(`${folder}change-${index}-done.json`, resultShape, context.journal);
  if (done !== undefined) return done;
  if (isOver) return { index, kind: 'not_tried', name: before?.name };
  const wasBegun = await context.journal.bucket.find(
    `${folder}change-${index}-begun.json`,
    context.journal.callWithinMs,
  );
  // What was begun and is as it shall be was done by the process that began it.
  if (outcome === 'unchanged' && wasBegun === undefined)
    return { index, kind: 'unchanged', name: before?.name };
  if (wasBegun === undefined)
    await journal.write(`change-${index}-begun.json`, Buffer.from(JSON.stringify(step)));
  await record(step, 'intent', performing, {});
  const result = await drive(step, context);
  const phase = result.kind === 'failed' ? 'failed' : 'applied';
  await record(step, phase, performing, { status: result.code, detail: result.message?.slice(0, 1_000) });
  await journal.write(`change-${index}-done.json`, Buffer.from(JSON.stringify(result)));
  return result;
}

const mostAttempts = 5;

/** Calls, looks at what became of it, and calls again only where nothing did. */
async function drive(step: ResourceStep, { api, until }: ApplyContext): Promise<ResourceResult> {
  const { index, change } = step;
  let last: { code: string; message: string } | undefined;
  let ticket: string | undefined;
  let calls = 0;
  for (let looks = 0; ; looks += 1) {
    const found: Found = (await lookUp(api, change, until)) ?? { account: null, resource: null };
    if (ticket !== undefined || isDone(step, found)) {
      const name = found.resource?.name ?? step.before?.name;
      return { index, kind: 'done', name, ...(ticket !== undefined && { accountTicketId: ticket }) };
    }
    if (looks >= mostAttempts) return { index, kind: 'failed', name: step.before?.name, ...last };
    if (calls === 0 || !makesAnother.has(change.op)) {
      calls += 1;
      const called: ResourceAnswer = await callResource(api, step, until);
      ticket = called.accountTicketId;
      const { answer } = called;
      if (answer.kind === 'ok') continue;
      last = { code: answer.code, message: answer.message };
      if (answer.kind !== 'ambiguous') return { index, kind: 'failed', name: step.before?.name, ...last };
    }
    await api.clock.sleep(pauseMs(looks + 1));
  }
}

/** What Google would make twice under one name, so that after a lost answer it is only looked for. */
const makesAnother = new Set(['createProperty', 'createStream', 'provisionAccount']);

function record(
  step: ResourceStep,
  phase: string,
  { call, context }: Performing,
  more: { status?: string | undefined; detail?: string | undefined },
): Promise<void> {
  const occurredAt = context.now() * 1_000;
  const { index, account, before, after, change } = step;
  const target = before?.name ?? ('property' in change ? change.property : (account ?? 'accounts/new'));
  return context.append('access_audit', [
    {
      audit_id: hash('sha256', `${call.requestId}\nresource\n${index}\n${phase}\n${occurredAt}`).slice(0, 32),
      occurred_at: occurredAt,
      request_id: call.requestId,
      plan_hash: call.planHash,
      phase,
      step: index,
      caller: call.caller,
      reason: call.request.reason,
      account: account ?? 'accounts/new',
      resource: target,
      method: methodOf[change.op],
      batch_size: 1,
      attempt: 0,
      before_resource: JSON.stringify(before),
      after_resource: JSON.stringify(after),
      line: `resources[${index}]`,
      ...more,
    },
  ]);
}

async function readJson<Shape extends z.ZodType>(
  name: string,
  shape: Shape,
  { bucket, callWithinMs }: JournalOptions,
): Promise<z.output<Shape> | undefined> {
  const found = await bucket.find(name, callWithinMs);
  const data = found && (await bucket.read(name, found.generation, callWithinMs));
  return data === undefined ? undefined : shape.parse(JSON.parse(data.toString()));
}

const headShape = z.looseObject({ requestHash: z.string() });
const resultShape = z.object({
  index: z.number(),
  kind: z.enum(['done', 'unchanged', 'failed', 'not_tried']),
  name: z.string().optional(),
  accountTicketId: z.string().optional(),
  code: z.string().optional(),
  message: z.string().optional(),
});
const outcomeShape = z.object({
  kind: z.enum(['committed', 'partly_committed']),
  requestId: z.string(),
  results: z.array(resultShape),
});
