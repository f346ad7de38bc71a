/**
 * Whether messages go to Pub/Sub or straight to the spill bucket, so that an outage costs one time-out and not one for
 * every request. A value and functions of it; times are milliseconds of one clock.
 */
export type Breaker =
  /** Pub/Sub acknowledges: every message goes there. */
  | { readonly kind: 'closed' }
  /** It did not, and is not asked before `probeAt`. */
  | { readonly kind: 'open'; readonly probeAt: number }
  /** One message finds out whether it does again; the others are not held up by it. */
  | { readonly kind: 'probing' };

export const closedBreaker: Breaker = { kind: 'closed' };

/** Whether Pub/Sub is in trouble, as far as is known. */
export const isOpen = (breaker: Breaker): boolean => breaker.kind !== 'closed';

/** Whether the next message should be sent to find out. */
export const isProbeDue = (breaker: Breaker, now: number): boolean =>
  breaker.kind === 'open' && now >= breaker.probeAt;

/** `publish` as usual, `probe` as the one message that finds out, or `spill` without asking. */
export type Admission = 'publish' | 'probe' | 'spill';

/** What to do with a message, and the breaker after that. */
export function admit(
  breaker: Breaker,
  now: number,
): { readonly breaker: Breaker; readonly admission: Admission } {
  if (!isOpen(breaker)) return { breaker, admission: 'publish' };
  if (isProbeDue(breaker, now)) return { breaker: { kind: 'probing' }, admission: 'probe' };
  return { breaker, admission: 'spill' };
}

/**
 * The breaker after a message was acknowledged, or not. One failure opens it: by then the client has tried for as long
 * as a message may take. Only the probe closes it, since what was sent before the trouble says nothing of now.
 */
export function settle(
  breaker: Breaker,
  admission: Exclude<Admission, 'spill'>,
  isAcknowledged: boolean,
  now: number,
): Breaker {
  const opened: Breaker = { kind: 'open', probeAt: now + probePauseMs };
  if (admission === 'probe') return isAcknowledged ? closedBreaker : opened;
  return isAcknowledged || isOpen(breaker) ? breaker : opened;
}

/** Between the end of a probe and the next. */
export const probePauseMs = 1_000;
