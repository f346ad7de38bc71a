import { z } from 'zod';
import { nextPacificDay } from '../calendar.ts';
import type { Exchange } from '../exchange.ts';
import type { Failure, FailureKind } from '../service.ts';
import type { ErrorClass } from '../try-call.ts';

export interface ErrorContext {
  /** Key of the content owner. */
  readonly owner: string;
  /** The one channel that was asked for; null where there were several. */
  readonly entityId: string | null;
  readonly now: number;
}

/** The errors of Google's older APIs: {error: {code, message, errors: [{reason}]}}. */
const errorShape = z.object({
  error: z.object({
    message: z.string().default(''),
    errors: z.array(z.object({ reason: z.string().default('') })).default([]),
  }),
});

/** "When set, indicates that the operation failed": reports.query answers so with status 200. */
const errorsShape = z.object({
  errors: z.object({
    code: z.string().default('UNKNOWN'),
    error: z.array(z.object({ debugInfo: z.string().optional() })).default([]),
  }),
});

/** What an answer of YouTube's APIs is, by its status and the reason in it; undefined for one that is no error. */
export function classifyError(
  came: Exchange,
  { owner, entityId, now }: ErrorContext,
): ErrorClass | undefined {
  const become = (
    reason: string,
    kind: FailureKind,
    message: string,
    more: { tries?: number; renews?: boolean; notBefore?: number } = {},
  ): ErrorClass => {
    const { tries = 1, renews = false, notBefore } = more;
    const failure: Failure = {
      kind,
      entityId: kind === 'stopped_owner' ? null : entityId,
      reason,
      message,
      notBefore: notBefore === undefined ? null : new Date(notBefore),
      alert: kind !== 'transient' && kind !== 'deferred',
    };
    return { reason, tries, renews, failure };
  };

  if (came.kind === 'no_token') {
    const message = `Content owner ${owner} cannot be read any more: its token is refused (${came.refused.message}). Run npm run reports -- authorize ${owner} and store what it prints; nothing of this owner is asked for until then.`;
    return become(came.refused.reason, 'stopped_owner', message);
  }
  if (came.kind === 'no_answer') {
    return become(came.reason, 'transient', `YouTube did not answer: ${came.detail}`, { tries: 4 });
  }
  const { status, body } = came;
  if (status === 200) {
    const failed = errorsShape.safeParse(body);
    if (failed.success) return classifyErrorsIn200(failed.data.errors, become);
    if (typeof body === 'object' && body !== null) return undefined;
    return become('no_json', 'transient', 'YouTube answered something that is no JSON.', { tries: 4 });
  }
  const parsed = errorShape.safeParse(body);
  const said = parsed.success ? parsed.data.error.message : String(body).slice(0, 200);
  const reasons = parsed.success ? parsed.data.error.errors.map(({ reason }) => reason) : [];
  // A quota shows as 403 or as 429, and only the reason tells which quota it is.
  if (status === 403 || status === 429) {
    if (reasons.some((it) => /^(quotaExceeded|dailyLimitExceeded)/.test(it))) {
      const message = `The quota of the day of YouTube is used up: ${said}`;
      return become('quota_exceeded', 'deferred', message, { notBefore: nextPacificDay(now) });
    }
    if (status === 429 || reasons.some((it) => /rateLimitExceeded/i.test(it))) {
      return become('rate_limit', 'transient', `YouTube asks for fewer requests: ${said}`, { tries: 5 });
    }
  }
  switch (status) {
    case 400:
      return become('bad_request', 'broken_report', `YouTube refuses the query: ${said}`);
    case 401: {
      const message = `The token of content owner ${owner} is refused: ${said}`;
      return become('unauthenticated', 'stopped_owner', message, { renews: true, tries: 2 });
    }
    case 403: {
      if (reasons.includes('insufficientPermissions')) {
        const message = `Content owner ${owner} may not be read: ${said} Run npm run reports -- authorize ${owner} with an account that manages it.`;
        return become('insufficient_permissions', 'stopped_owner', message);
      }
      // One of several channels may be at fault: linked-channels.ts finds out which.
      if (entityId === null) {
        return become(
          'forbidden',
          'stopped_owner',
          `Content owner ${owner} may not read what was asked for: ${said}`,
        );
      }
      const message = `Channel ${entityId} may not be read by ${owner}: ${said} Link it again, or take it out of the configuration.`;
      return become('forbidden', 'stopped_entity', message);
    }
    case 404:
      return become(
        'not_found',
        entityId === null ? 'broken_report' : 'stopped_entity',
        `YouTube has no such thing: ${said}`,
      );
    case 500:
    case 503:
      return become('server_error', 'transient', `YouTube failed with ${status}: ${said}`, { tries: 3 });
    case 408:
    case 502:
    case 504:
      return become('gateway', 'transient', `YouTube answered ${status}.`, { tries: 4 });
    default:
      return become(`status_${status}`, 'transient', `YouTube answered ${status}: ${said}`);
  }
}

type Become = (reason: string, kind: FailureKind, message: string, more?: { tries?: number }) => ErrorClass;

function classifyErrorsIn200(
  { code, error }: z.output<typeof errorsShape>['errors'],
  become: Become,
): ErrorClass {
  const message = `YouTube answered 200 with errors: ${[code, ...error.flatMap((it) => it.debugInfo ?? [])].join(', ')}`;
  if (/BAD_REQUEST|PRECONDITION/.test(code)) return become('errors_in_200', 'broken_report', message);
  return become('errors_in_200', 'transient', message, { tries: 3 });
}
