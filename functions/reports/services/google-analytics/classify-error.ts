import { z } from 'zod';
import { hourMs, nextPacificDay } from '../calendar.ts';
import type { Exchange } from '../exchange.ts';
import type { Failure, FailureKind } from '../service.ts';
import type { ErrorClass } from '../try-call.ts';

export interface ErrorContext {
  readonly entityId: string;
  readonly now: number;
  readonly random: () => number;
  /** Server errors that the property may still cause this hour, as far as is known. */
  readonly serverErrorsLeft: number | null;
}

/** developers.google.com/analytics/devguides/reporting/data/v1/errors: {error: {code, message, status}}. */
const errorShape = z.object({
  error: z.object({ message: z.string().default(''), status: z.string().optional() }),
});

/** What an answer of the Data API is, by its status and the words of its message; undefined for one that is no error. */
export function classifyError(came: Exchange, context: ErrorContext): ErrorClass | undefined {
  const { entityId, now } = context;
  const become = (
    reason: string,
    kind: FailureKind,
    message: string,
    more: { tries?: number; renews?: boolean; notBefore?: number; alert?: boolean } = {},
  ): ErrorClass => {
    const {
      tries = 1,
      renews = false,
      notBefore,
      alert = kind !== 'transient' && kind !== 'deferred',
    } = more;
    const failure: Failure = {
      kind,
      entityId,
      reason,
      message,
      notBefore: notBefore === undefined ? null : new Date(notBefore),
      alert,
    };
    return { reason, tries, renews, failure };
  };

  if (came.kind === 'no_token') {
    const message = `The account of the function gets no token for property ${entityId} (${came.refused.message}). Check its service account and the scope analytics.readonly.`;
    return become(came.refused.reason, 'stopped_owner', message);
  }
  if (came.kind === 'no_answer') {
    return become(came.reason, 'transient', `Google Analytics did not answer: ${came.detail}`, { tries: 4 });
  }
  if (came.status === 200) {
    if (typeof came.body === 'object' && came.body !== null) return undefined;
    return become('no_json', 'transient', 'Google Analytics answered something that is no JSON.', {
      tries: 4,
    });
  }
  const parsed = errorShape.safeParse(came.body);
  const said = parsed.success ? parsed.data.error.message : String(came.body).slice(0, 200);
  switch (came.status) {
    case 400:
      return become('invalid_argument', 'broken_report', `Google Analytics refuses the report: ${said}`);
    case 401: {
      const message = `The token of the function is refused for property ${entityId}: ${said}`;
      return become('unauthenticated', 'stopped_owner', message, { renews: true, tries: 2 });
    }
    case 403: {
      const message = `Property ${entityId} may not be read: ${said} Give the function's service account the role Viewer there, or take the property out of the configuration.`;
      return become('permission_denied', 'stopped_entity', message);
    }
    case 404: {
      const message = `Property ${entityId} does not exist (any more): ${said} Take it out of the configuration.`;
      return become('not_found', 'stopped_entity', message);
    }
    case 429:
      return classifyQuota(said, context, become);
    case 500:
    case 503: {
      // Each of them counts against ten an hour, and at none left every request is refused for the rest of it.
      const mayTry =
        context.serverErrorsLeft === null || context.serverErrorsLeft - 1 > leastServerErrorsLeft;
      const message = `Google Analytics failed with ${came.status}: ${said}`;
      return mayTry
        ? become('server_error', 'transient', message, { tries: 3 })
        : become('server_errors_low', 'deferred', message, { notBefore: now + hourMs });
    }
    case 408:
    case 502:
    case 504:
      return become('gateway', 'transient', `Google Analytics answered ${came.status}.`, { tries: 4 });
    default:
      return become(
        `status_${came.status}`,
        'transient',
        `Google Analytics answered ${came.status}: ${said}`,
      );
  }
}

const leastServerErrorsLeft = 3;

type Become = (
  reason: string,
  kind: FailureKind,
  message: string,
  more?: { tries?: number; notBefore?: number },
) => ErrorClass;

/** Which bucket is empty stands only in the words: "Exhausted property tokens for a project per hour." */
function classifyQuota(said: string, { now, random }: ErrorContext, become: Become): ErrorClass {
  const message = `A quota of Google Analytics is used up: ${said}`;
  if (/concurrent/i.test(said)) return become('concurrent_requests', 'transient', message, { tries: 5 });
  if (/per day/i.test(said)) {
    return become('tokens_per_day', 'deferred', message, { notBefore: nextPacificDay(now) });
  }
  if (/threshold/i.test(said)) {
    return become('thresholded_requests', 'deferred', message, { notBefore: now + hourMs });
  }
  if (/server error/i.test(said))
    return become('server_errors', 'deferred', message, { notBefore: now + hourMs });
  // The buckets of hours fill up within the hour. Not all properties come back in the same second.
  const nextHour = Math.floor(now / hourMs + 1) * hourMs + random() * jitterMs;
  return become('tokens_per_hour', 'deferred', message, { notBefore: nextHour });
}

const jitterMs = 5 * 60_000;
