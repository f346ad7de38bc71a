import type { DeliverySettings } from './delivery-options.ts';
import { describeAnswer } from './describe-answer.ts';
import type { Judgement, Route } from './route.ts';
import type { Answer } from './send-request.ts';

/**
 * Milliseconds before the next attempt, `failures` of 1 or more having failed: a random share of a time that doubles
 * ("full jitter"), so that many senders which failed together do not come back together.
 * What the server asked for passes before that.
 */
export function drawDelay(
  failures: number,
  retryAfterMs: number,
  settings: Pick<DeliverySettings, 'backoffMs' | 'backoffCeilingMs' | 'retryAfterCeilingMs'>,
): number {
  const most = Math.min(settings.backoffCeilingMs, settings.backoffMs * 2 ** (failures - 1));
  return Math.min(retryAfterMs, settings.retryAfterCeilingMs) + Math.random() * most;
}

/** What an answer, or none, means: the route is asked where it depends on the dialect. */
export function judgeAnswer(route: Route, answer: Answer, events: number, now: number): Judgement {
  if (answer.kind === 'unanswered') return { kind: 'failed', detail: answer.detail };
  const { status, body } = answer;
  const detail = describeAnswer(status, body);
  if (status === 413) return { kind: 'too_large', detail };
  const isForLater = status === 408 || status === 429 || status >= 500;
  const judgement = isForLater ? { kind: 'failed' as const, detail } : route.judge(status, body, events);
  if (judgement.kind !== 'failed' || judgement.retryAfterMs !== undefined) return judgement;
  return { ...judgement, retryAfterMs: readRetryAfter(answer.retryAfter, now) };
}

/** `Retry-After` is seconds or a date (RFC 9110, 10.2.3); anything else is no wish. */
export function readRetryAfter(header: string | undefined, now: number): number {
  if (header === undefined) return 0;
  const wanted = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(wanted) ? 0 : Math.max(0, wanted);
}
