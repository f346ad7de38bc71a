import { createHash } from 'node:crypto';
import { type Lease, type LeaseOptions, takeLease } from '../../shared/google/lease.ts';
import type { GuardRefusal, Plan, Problem } from './access-plan.ts';
import type { AccessRequest, Statement } from './access-request.ts';
import { type AdminApi, listOrganisation } from './admin-api.ts';
import type { AppendRows } from './append-rows.ts';
import { createAudit } from './audit.ts';
import type { GuardRules } from './guards.ts';
import { createJournal, type Journal, type JournalOptions, openJournal } from './journal.ts';
import { OutOfTime } from './limiter.ts';
import { type AccountName, accountOf, type LiveState, type ParentName } from './live-state.ts';
import { joinOutcomes, type Outcome } from './outcome.ts';
import { planAccess } from './plan-access.ts';
import { findMoved, type Moved, type PlanStore } from './plan-store.ts';
import { estimateSeconds, type QuotaLimits } from './quota-limits.ts';
import { listAll, mapSome } from './read-live.ts';
import { resolvePlaces } from './resolve-places.ts';
import { runRequest } from './run-request.ts';

export interface ApplyContext {
  readonly api: AdminApi;
  readonly guards: GuardRules;
  readonly limits: QuotaLimits;
  readonly plans: PlanStore;
  readonly journal: JournalOptions;
  readonly lease: Omit<LeaseOptions, 'object'>;
  readonly append: AppendRows;
  /** When nothing more is begun, in milliseconds since 1970. */
  readonly until: number;
  readonly now: () => number;
  readonly onProgress?: (done: number, all: number) => void;
}

export interface ApplyCall {
  readonly requestId: string;
  readonly planHash: string;
  readonly caller: string;
  readonly request: AccessRequest;
}

export type Applied =
  | { readonly kind: 'finished'; readonly outcome: Outcome }
  /** The time of the function is over; the same call goes on. */
  | {
      readonly kind: 'unfinished';
      readonly done: number;
      readonly all: number;
      readonly estimatedSeconds: number;
    }
  /** The live state is not the one that was planned; `plan` is what the request comes to now. */
  | { readonly kind: 'stale'; readonly plan: Plan; readonly moved: readonly Moved[] | undefined }
  | { readonly kind: 'busy'; readonly account: AccountName }
  /** The request id is that of another request. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }
  | { readonly kind: 'guarded'; readonly refusals: readonly GuardRefusal[] };

/**
 * Applies a request as it was planned, or goes on with it where it was begun. Rejects where a service fails: then
 * nothing was called that is not in the journal, and the same call goes on from there.
 */
export async function applyAccess(call: ApplyCall, context: ApplyContext): Promise<Applied> {
  const requestHash = hashRequest(call);
  const begun = await openJournal(call.requestId, context.journal);
  if (begun !== undefined && begun.head.requestHash !== requestHash) return { kind: 'taken' };
  if (begun?.outcome !== undefined) return { kind: 'finished', outcome: begun.outcome };
  if (begun === undefined) return begin(call, requestHash, context);
  const accounts = [...new Set(begun.head.steps.map(({ account }) => account))];
  return withLeases(accounts, context, async (leases) => {
    // What another process has written until it lost its lease.
    const journal = await openJournal(call.requestId, context.journal);
    if (journal === undefined) throw new Error('the journal is gone');
    if (journal.outcome !== undefined) return { kind: 'finished', outcome: journal.outcome };
    return run(journal, undefined, leases, context);
  });
}

/** Goes on with a request by its id alone, as who asked for it; undefined where there is none that is open. */
export async function resumeAccess(requestId: string, context: ApplyContext): Promise<Applied | undefined> {
  const begun = await openJournal(requestId, context.journal);
  if (begun === undefined || begun.outcome !== undefined) return undefined;
  const accounts = [...new Set(begun.head.steps.map(({ account }) => account))];
  return withLeases(accounts, context, async (leases) => {
    const journal = await openJournal(requestId, context.journal);
    if (journal === undefined) throw new Error('the journal is gone');
    if (journal.outcome !== undefined) return { kind: 'finished', outcome: journal.outcome };
    return run(journal, undefined, leases, context);
  });
}

async function begin(call: ApplyCall, requestHash: string, context: ApplyContext): Promise<Applied> {
  const { api, until } = context;
  const organisation = await listOrganisation(api, until);
  const { parents, problems } = resolvePlaces(call.request, organisation);
  if (problems.length > 0) return { kind: 'invalid', problems };
  const accounts = new Set(parents.flatMap((parent) => accountOf(parent, organisation) ?? []));
  // Before its bindings are listed, so that no other request of ours moves them.
  return withLeases([...accounts], context, async (leases) => {
    const live: LiveState = { ...organisation, bindings: await listAll(api, parents, until) };
    const planned = planAccess(call.request, live, context);
    if (planned.kind !== 'planned') return planned;
    const { plan } = planned;
    if (plan.hash !== call.planHash) {
      const before = await context.plans.load(call.planHash);
      return { kind: 'stale', plan, moved: before && findMoved(before, live) };
    }
    const { requestId, caller, planHash } = call;
    if (plan.steps.length === 0) {
      return { kind: 'finished', outcome: joinOutcomes({ requestId, planHash }, [], 0) };
    }
    const { steps, atomicity, notes } = plan;
    const createdAt = new Date(context.now()).toISOString();
    const head = { requestId, requestHash, planHash, caller, createdAt, atomicity, steps, notes };
    const journal = await createJournal(head, context.journal);
    return run(journal, live.bindings, leases, context);
  });
}

async function run(
  journal: Journal,
  live: LiveState['bindings'] | undefined,
  leases: ReadonlyMap<AccountName, Lease>,
  context: ApplyContext,
): Promise<Applied> {
  const { api, append, now, until, onProgress } = context;
  const { steps } = journal.head;
  const isDone = ({ index }: { index: number }) => journal.resultOf('step', index) !== undefined;
  let done = steps.filter(isDone).length;
  try {
    const outcome = await runRequest({
      api,
      journal,
      audit: createAudit(journal.head, append, now),
      live,
      until,
      async checkLease(account) {
        if (api.clock.now() >= until) throw new OutOfTime('the time of this call is over');
        await leases.get(account)?.check();
      },
      onStep() {
        done += 1;
        onProgress?.(done, steps.length);
      },
    });
    return { kind: 'finished', outcome };
  } catch (error) {
    if (!(error instanceof OutOfTime)) throw error;
    const left = steps.filter((step) => !isDone(step)).length;
    const calls = { reads: 0, writes: left, verifications: left };
    return {
      kind: 'unfinished',
      done: steps.length - left,
      all: steps.length,
      estimatedSeconds: estimateSeconds(calls, context.limits),
    };
  }
}

async function withLeases(
  accounts: readonly AccountName[],
  context: ApplyContext,
  act: (leases: ReadonlyMap<AccountName, Lease>) => Promise<Applied>,
): Promise<Applied> {
  const leases = new Map<AccountName, Lease>();
  let busy: AccountName | undefined;
  try {
    await mapSome([...accounts].sort(), leasesAtOnce, async (account) => {
      if (busy !== undefined) return;
      const lease = await takeLease({ ...context.lease, object: leaseObject(account) });
      if (lease === undefined) busy ??= account;
      else leases.set(account, lease);
    });
    return busy === undefined ? await act(leases) : { kind: 'busy', account: busy };
  } finally {
    await mapSome([...leases.values()], leasesAtOnce, (lease) => lease.release());
  }
}

const leasesAtOnce = 8;
const leaseObject = (parent: ParentName): string => `access/leases/${parent.replace('/', '-')}.json`;

/** What makes two calls with one request id the same. */
function hashRequest({ planHash, caller, request }: ApplyCall): string {
  const plain = (statement: Statement) =>
    statement.kind === 'only' ? { ...statement, members: [...statement.members].sort() } : statement;
  const { statements, atomicity, shadowed, guards } = request;
  const text = JSON.stringify([planHash, caller, statements.map(plain), atomicity, shadowed, guards]);
  return createHash('sha256').update(text).digest('hex');
}
