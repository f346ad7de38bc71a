import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { LeaseLost } from '../../shared/google/lease.ts';
import { describeError, readTrace, log as writeLog } from '../../shared/host/log.ts';
import { readWholeBody } from '../../shared/host/read-whole-body.ts';
import type { AccessRequest } from './access-request.ts';
import { ReadFailed } from './admin-api.ts';
import {
  type Answer,
  answerApplied,
  answerPlan,
  answerProblems,
  answerRefusals,
  error,
  send,
} from './answers.ts';
import { NotStored } from './append-rows.ts';
import { type Applied, type ApplyContext, applyAccess, resumeAccess } from './apply-access.ts';
import { accountsOutside, type CallerRights } from './caller-policy.ts';
import type { GuardRules } from './guards.ts';
import { closeRequest, JournalTaken, listOpen, readProgress } from './journal.ts';
import { OutOfTime } from './limiter.ts';
import { listUsers } from './list-users.ts';
import { type AccountName, userKey } from './live-state.ts';
import { countOutcome, type PermissionsCounts } from './metrics.ts';
import { planAccess } from './plan-access.ts';
import { readLive } from './read-live.ts';
import { readRequest } from './read-request.ts';
import { applyResourcesCall, planResourcesCall, readResourcesCall } from './resources/handle-resources.ts';
import { takeSnapshot } from './take-snapshot.ts';
import type { Need, VerifyCaller } from './verify-caller.ts';

export interface PermissionsHandlerOptions extends Omit<ApplyContext, 'until' | 'guards'> {
  readonly verifyCaller: VerifyCaller;
  /** The guards as they are configured; who calls is added. */
  readonly guards: Omit<GuardRules, 'accounts' | 'strongestRole'>;
  /** How long a request may take until nothing more is begun for it. */
  readonly withinMs: number;
  readonly counts: PermissionsCounts;
  readonly log?: typeof writeLog;
}

interface Call {
  readonly caller: string;
  readonly rights: CallerRights | undefined;
  readonly body: unknown;
  readonly context: ApplyContext;
}

type Act = (call: Call, options: PermissionsHandlerOptions) => Promise<Answer>;

const mostBodyBytes = 32 * 1024 * 1024;

/** What can be called, and the right that it takes. Listing tells who has access, so it takes that of planning. */
const acts: Readonly<Record<string, { readonly need: Need; readonly act: Act }>> = {
  '/plan': { need: 'plan', act: plan },
  '/apply': { need: 'apply', act: apply },
  '/progress': { need: 'plan', act: progress },
  '/list': { need: 'plan', act: list },
  '/read': { need: 'plan', act: readResourcesCall },
  '/resources/plan': { need: 'plan', act: planResourcesCall },
  '/resources/apply': { need: 'apply', act: applyResourcesCall },
  '/snapshot': { need: 'call', act: snapshot },
  '/resume': { need: 'call', act: resume },
};

/**
 * Makes the handler of the calls above. What is wrong with a request is answered 400 with its lines, what may not be
 * done 403 or 409; where a service failed 503, and the same call goes on where that one stopped.
 */
export function createPermissionsHandler(options: PermissionsHandlerOptions) {
  const { api, counts, log = writeLog } = options;
  return async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?', 1)[0] ?? '/';
    if ((request.method === 'GET' || request.method === 'HEAD') && (path === '/' || path === '/healthz')) {
      return send(response, { status: 200, body: { status: 'ok' } });
    }
    const known = acts[path];
    const verified = await options.verifyCaller(request, known?.need ?? 'call');
    if (verified.kind === 'refused') {
      const { status, code, message } = verified.refusal;
      return send(response, error(status, code, message));
    }
    if (request.method !== 'POST' || known === undefined) {
      return send(response, error(404, 'not_found', `There are POST ${Object.keys(acts).join(', ')}.`));
    }
    const body = await readWholeBody(request, mostBodyBytes);
    if (body.kind === 'aborted') return;
    if (body.kind === 'too_large') {
      return send(response, error(413, 'too_large', `A call has at most ${mostBodyBytes} bytes.`));
    }
    const caller = userKey(verified.email);
    const { rights } = verified;
    const context = contextOf(caller, rights, options);
    const before = { ...api.counts };
    try {
      const answer = await known.act({ caller, rights, body: parseJson(body.bytes), context }, options);
      if (answer.status >= 400) counts.refused += 1;
      send(response, answer);
    } catch (thrown) {
      counts.interrupted += 1;
      log('ERROR', `${path} failed.`, { ...readTrace(request), ...describeError(thrown) });
      send(response, answerFailure(thrown));
    } finally {
      counts.reads += api.counts.reads - before.reads;
      counts.writes += api.counts.writes - before.writes;
    }
  };
}

function contextOf(
  caller: string,
  rights: CallerRights | undefined,
  options: PermissionsHandlerOptions,
): ApplyContext {
  const accounts = rights === undefined || rights.accounts === 'all' ? undefined : [...rights.accounts];
  return {
    ...options,
    guards: {
      ...options.guards,
      self: [...options.guards.self, caller],
      accounts: accounts as AccountName[] | undefined,
      strongestRole: rights?.strongestRole ?? 'viewer',
    },
    until: options.api.clock.now() + options.withinMs,
  };
}

const planCall = z.strictObject({ request: z.unknown() });

async function plan({ rights, body, context }: Call, { counts }: PermissionsHandlerOptions): Promise<Answer> {
  const call = planCall.safeParse(body);
  if (!call.success) return error(400, 'invalid_argument', z.prettifyError(call.error));
  const read = readGranted(call.data.request, rights);
  if (read.kind === 'invalid') return answerProblems(read.problems);
  const live = await readLive(context.api, read.request, context.until);
  const planned = planAccess(read.request, live, context);
  if (planned.kind === 'invalid') return answerProblems(planned.problems);
  if (planned.kind === 'guarded') return answerRefusals(planned.refusals);
  await context.plans.save(planned.plan.hash, live);
  counts.plans += 1;
  return answerPlan(planned.plan);
}

const applyCall = z.strictObject({
  request: z.unknown(),
  planHash: z.string().regex(/^[0-9a-f]{64}$/, 'must be the planHash of a plan'),
  requestId: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'must be at most 64 letters, digits, _ and -')
    .default(() => randomUUID()),
  /** For callers whose connections do not last as long as the function. */
  withinSeconds: z.int().min(1).max(3_600).optional(),
});

async function apply(
  { caller, rights, body, context }: Call,
  options: PermissionsHandlerOptions,
): Promise<Answer> {
  const call = applyCall.safeParse(body);
  if (!call.success) return error(400, 'invalid_argument', z.prettifyError(call.error));
  const { requestId, planHash, request: given, withinSeconds } = call.data;
  const read = readGranted(given, rights);
  if (read.kind === 'invalid') return answerProblems(read.problems);
  const soonest = withinSeconds === undefined ? Infinity : context.api.clock.now() + withinSeconds * 1_000;
  const applied = await applyAccess(
    { requestId, planHash, caller, request: read.request },
    { ...context, until: Math.min(context.until, soonest) },
  );
  tell(applied, requestId, options);
  return answerApplied(applied, requestId);
}

const progressCall = applyCall.pick({ requestId: true });

/** How far a request is, for who waits for it. */
async function progress({ body, context }: Call): Promise<Answer> {
  const call = progressCall.safeParse(body);
  if (!call.success) return error(400, 'invalid_argument', z.prettifyError(call.error));
  return { status: 200, body: await readProgress(call.data.requestId, context.journal) };
}

function tell(
  applied: Applied,
  requestId: string,
  { counts, log = writeLog }: Pick<PermissionsHandlerOptions, 'counts' | 'log'>,
): void {
  if (applied.kind === 'unfinished') counts.interrupted += 1;
  if (applied.kind !== 'finished') return;
  countOutcome(counts, applied.outcome);
  const { kind, writes, accounts } = applied.outcome;
  const severity = kind === 'rollback_incomplete' ? 'ERROR' : kind === 'committed' ? 'INFO' : 'WARNING';
  const left = accounts.reduce((sum, { differences }) => sum + differences.length, 0);
  log(severity, 'A request to change access has ended.', {
    request_id: requestId,
    outcome: kind,
    writes,
    differences: left,
  });
}

const listCall = z.strictObject({
  account: z
    .string()
    .regex(/^accounts\/\d{1,19}$/, 'must be an account such as accounts/123')
    .transform((text) => text as AccountName),
});

async function list({ rights, body, context }: Call): Promise<Answer> {
  const call = listCall.safeParse(body);
  if (!call.success) return error(400, 'invalid_argument', z.prettifyError(call.error));
  const { account } = call.data;
  if (rights === undefined || accountsOutside(rights, [account]).length > 0) {
    return error(403, 'permission_denied', `You may not see who has access to ${account}.`);
  }
  const users = await listUsers(context.api, account, context.until);
  if (users === undefined) return error(404, 'not_found', `${account} cannot be seen by the function.`);
  return { status: 200, body: { account, users } };
}

async function snapshot({ context }: Call, { counts }: PermissionsHandlerOptions): Promise<Answer> {
  const taken = await takeSnapshot(context);
  counts.snapshots += taken.accounts;
  return { status: taken.left > 0 ? 202 : 200, body: taken };
}

/** Goes on with what was begun and not ended, one request after the other: no process may be there any more that did it. */
async function resume({ context }: Call, options: PermissionsHandlerOptions): Promise<Answer> {
  const resumed: { requestId: string; kind: string }[] = [];
  for (const requestId of await listOpen(context.journal)) {
    const applied = await resumeAccess(requestId, context);
    if (applied === undefined) {
      await closeRequest(requestId, context.journal);
      continue;
    }
    tell(applied, requestId, options);
    resumed.push({ requestId, kind: applied.kind === 'finished' ? applied.outcome.kind : applied.kind });
    if (applied.kind === 'unfinished') break;
  }
  return { status: 200, body: { resumed } };
}

function readGranted(
  request: unknown,
  rights: CallerRights | undefined,
): ReturnType<typeof readRequest> | { kind: 'valid'; request: AccessRequest } {
  return readRequest(request, {
    domains: rights?.domains,
    strongestRole: rights?.strongestRole ?? 'viewer',
  });
}

function answerFailure(thrown: unknown): Answer {
  const again = 'nothing was done that is not journalled: make the same call again, and it goes on';
  if (thrown instanceof ReadFailed) {
    const isRefused = ['PERMISSION_DENIED', 'UNAUTHENTICATED', 'NOT_FOUND', 'INVALID_ARGUMENT'].includes(
      thrown.code,
    );
    return error(isRefused ? 502 : 503, 'google_refused', `${thrown.message}; ${again}`);
  }
  if (thrown instanceof OutOfTime) return error(503, 'unavailable', `${thrown.message}; ${again}`);
  if (thrown instanceof NotStored) {
    return error(503, 'unavailable', `the audit cannot be written, so nothing more is changed; ${again}`);
  }
  if (thrown instanceof LeaseLost || thrown instanceof JournalTaken) {
    return error(409, 'busy', 'Another process goes on with this request; ask again what became of it.');
  }
  return error(503, 'unavailable', `a service of Google failed; ${again}`);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
