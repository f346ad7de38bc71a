import { type DeliverySettings, longestTimer } from './delivery-options.ts';
import { readEvents, toLines } from './event-lines.ts';
import { drawDelay, judgeAnswer } from './retry.ts';
import type { DeliveryTrouble, EventLines, Judgement, Route, Verdict } from './route.ts';
import { createSender } from './send-request.ts';

/** What became of some events of a batch: of all of them, unless the server took them in parts only. */
export interface Outcome {
  readonly kind: 'delivered' | 'refused' | 'undelivered';
  readonly events: EventLines;
  readonly verdicts: readonly Verdict[] | undefined;
  readonly detail: string | undefined;
}

export interface Deliverer {
  /**
   * Sends events in one request until an answer is final, the retry limit is reached or `stop` is called.
   * `onFailure` hears of each attempt that is repeated. Never rejects.
   */
  deliver(
    route: Route,
    events: EventLines,
    onFailure: (failure: DeliveryTrouble & { readonly retryAfterMs: number }) => void,
  ): Promise<readonly Outcome[]>;
  /** From now on nobody waits longer than this before the next attempt, but where the server asked for it. */
  hurry(longestMs: number): void;
  /** Ends what is under way, undelivered, and whatever would be delivered after. */
  stop(): void;
}

/** Why what is left at the end was not delivered. */
export const closedFirst = 'the collector closed before it was delivered';

/** Delivers to one server; how many at once is for the caller to bound, by `connections`. */
export function createDeliverer(settings: DeliverySettings): Deliverer {
  const sender = createSender(settings);
  let isStopped = false;
  let { backoffCeilingMs } = settings;
  /** Ends each wait; false where the server asked for it. */
  const waiting = new Map<() => void, boolean>();
  const wait = (ms: number, isOurs: boolean) =>
    new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.min(ms, longestTimer));
      if (!settings.keepsAlive) timer.unref();
      waiting.set(wake, isOurs);
    });

  const attempt = async (route: Route, events: EventLines): Promise<Judgement> => {
    try {
      const answer = await sender.send(route.encode(events, Date.now()));
      return judgeAnswer(route, answer, events.count, Date.now());
    } catch (error) {
      // What cannot be encoded cannot be encoded later either.
      return { kind: 'refused', detail: String(error) };
    }
  };

  const deliver: Deliverer['deliver'] = async (route, events, onFailure) => {
    const end = (kind: Outcome['kind'], detail?: string, verdicts?: readonly Verdict[]): Outcome[] => [
      { kind, events, detail, verdicts },
    ];
    for (let failures = 0; ; ) {
      if (isStopped) return end('undelivered', closedFirst);
      const judged = await attempt(route, events);
      if (judged.kind === 'delivered') return end('delivered', undefined, judged.verdicts);
      if (judged.kind === 'refused') return end('refused', judged.detail, judged.verdicts);
      if (judged.kind === 'too_large') {
        if (events.count === 1) return end('refused', judged.detail);
        const all = readEvents(events);
        const half = Math.ceil(all.length / 2);
        const first = await deliver(route, toLines(all.slice(0, half)), onFailure);
        return [...first, ...(await deliver(route, toLines(all.slice(half)), onFailure))];
      }
      failures++;
      if (failures > settings.retryLimit || isStopped) return end('undelivered', judged.detail);
      const { detail, retryAfterMs = 0 } = judged;
      const retryInMs = drawDelay(failures, retryAfterMs, { ...settings, backoffCeilingMs });
      onFailure({ kind: 'attempt', route: route.name, detail, attempt: failures, retryInMs, retryAfterMs });
      await wait(retryInMs, retryAfterMs === 0);
      if (isStopped) return end('undelivered', detail);
    }
  };

  return {
    deliver,
    hurry: (longestMs) => {
      backoffCeilingMs = Math.min(backoffCeilingMs, longestMs);
      for (const [wake, isOurs] of waiting) if (isOurs) wake();
    },
    stop: () => {
      isStopped = true;
      for (const wake of waiting.keys()) wake();
      sender.abort();
    },
  };
}
