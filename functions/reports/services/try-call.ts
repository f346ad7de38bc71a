import type { Authorizer } from '../../../shared/google/authorizer.ts';
import { type Exchange, exchange, type Send } from './exchange.ts';
import type { Call, Failure, ServiceContext } from './service.ts';

/** What an error is and what follows from it; undefined where an answer is none. */
export interface ErrorClass {
  readonly reason: string;
  /** How many tries there may be in all once this class was seen; 1 stops. At most `mostTries`. */
  readonly tries: number;
  /** The token is forgotten before the next try. */
  readonly renews?: boolean;
  /** What it becomes when it is not tried again. */
  readonly failure: Failure;
}

export interface CallPlan {
  readonly send: Send;
  readonly authorizer: Authorizer;
  readonly timeoutMs: number;
  readonly about: Pick<Call, 'api' | 'method' | 'entityId' | 'probeGroup' | 'reports'>;
  classify(exchange: Exchange): ErrorClass | undefined;
  /** What the ledger records of an answer beside its size. */
  readCost(body: unknown, status: number | null): Pick<Call, 'tokens' | 'units' | 'quotaRemaining'>;
  /** Told of each try, so that a service may count errors and lower its concurrency. */
  onTry?(errorClass: ErrorClass | undefined): void;
}

export type Answered =
  | { readonly kind: 'answered'; readonly body: unknown }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly status: number | null };

/** In all, whatever the classes of the errors on the way. */
export const mostTries = 5;

/**
 * Calls until there is an answer or the class of the error says no: at most five tries, between them exponential backoff
 * with full jitter. Each try is recorded.
 */
export async function tryCall(plan: CallPlan, context: ServiceContext): Promise<Answered> {
  let hasRenewed = false;
  for (let attempt = 1; ; attempt++) {
    const { came, call } = await tryOnce(plan, attempt, context);
    const errorClass = plan.classify(came);
    context.recordCall({ ...call, reason: errorClass?.reason ?? null });
    plan.onTry?.(errorClass);
    if (errorClass === undefined && came.kind === 'answer') return { kind: 'answered', body: came.body };
    if (errorClass === undefined)
      throw new Error(`Nothing was answered, and no class names it: ${came.kind}.`);
    const failed = {
      kind: 'failed',
      failure: errorClass.failure,
      status: came.kind === 'answer' ? came.status : null,
    } as const;
    if (errorClass.renews) {
      if (hasRenewed) return failed;
      hasRenewed = true;
      plan.authorizer.renew();
      continue;
    }
    if (attempt >= Math.min(errorClass.tries, mostTries) || context.signal.aborted) return failed;
    const waited = await pause(attempt, context);
    if (!waited) return failed;
  }
}

async function tryOnce(plan: CallPlan, attempt: number, context: ServiceContext) {
  const startedAt = new Date(context.now());
  const before = performance.now();
  const came = await exchange(plan.send, plan.authorizer, context, plan.timeoutMs);
  const answer = came.kind === 'answer' ? came : undefined;
  const status = answer?.status ?? (came.kind === 'no_token' ? came.refused.status : null);
  const call: Call = {
    ...plan.about,
    startedAt,
    status,
    reason: null,
    attempt,
    milliseconds: Math.round(performance.now() - before),
    bytes: answer?.bytes ?? 0,
    ...plan.readCost(answer?.body, answer?.status ?? null),
  };
  return { came, call };
}

/** docs.cloud.google.com/storage/docs/retry-strategy: what is drawn is the whole pause, so that no two come together. */
async function pause(attempt: number, context: ServiceContext): Promise<boolean> {
  const ceilingMs = Math.min(mostPauseMs, firstPauseMs * 2 ** (attempt - 1));
  try {
    await context.sleep(context.random() * ceilingMs, context.signal);
    return true;
  } catch {
    return false;
  }
}

const firstPauseMs = 1_000;
const mostPauseMs = 16_000;
