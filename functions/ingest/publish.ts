import type { Message, SendMessages } from '../../shared/google/pubsub-publisher.ts';

export interface PublishQueueLimits {
  /** Pub/Sub takes 1,000 messages and 10 MB a request: cloud.google.com/pubsub/quotas. */
  readonly messages: number;
  readonly bytes: number;
  /** Requests under way at once. While there are as many, what comes waits and shares the next. */
  readonly underWay: number;
  /** Bytes that may wait; what is over is not taken, so that a slow Pub/Sub never fills the memory. */
  readonly waitingBytes: number;
}

export const defaultPublishLimits: PublishQueueLimits = {
  messages: 1000,
  bytes: 9_000_000,
  underWay: 2,
  waitingBytes: 64_000_000,
};

/** What became of a message. Only `acknowledged` is in Pub/Sub for certain, and `unsent` for certain is not. */
export type Published =
  | { readonly kind: 'acknowledged' }
  | { readonly kind: 'unsent'; readonly reason: string }
  | { readonly kind: 'failed'; readonly error: Error };

export interface PublishQueue {
  /** Settles within the time-out and never rejects. */
  publish(message: Message): Promise<Published>;
  /** Makes everything that waits `unsent` at once. */
  giveUpWaiting(reason: string): void;
}

interface Waiting {
  readonly message: Message;
  /** By performance.now(). */
  readonly dueAt: number;
  readonly settle: (published: Published) => void;
}

/**
 * Lets concurrent requests share a publish: what a lone request publishes goes at once, and the busier it is, the
 * more share. Pub/Sub bills at least 1,000 bytes a request, and a call costs more CPU than a message.
 */
export function createPublishQueue(
  send: SendMessages,
  timeoutMs: number,
  limits: PublishQueueLimits = defaultPublishLimits,
): PublishQueue {
  const waiting: Waiting[] = [];
  let waitingBytes = 0;
  let underWay = 0;
  let isScheduled = false;

  const schedule = () => {
    if (isScheduled || underWay >= limits.underWay || waiting.length === 0) return;
    isScheduled = true;
    // After this turn of the loop, so that all requests that it brought share.
    setImmediate(() => {
      isScheduled = false;
      sendNext();
      schedule();
    });
  };

  const sendNext = () => {
    const batch = takeBatch();
    const [first] = batch;
    if (first === undefined) return;
    underWay++;
    const withinMs = first.dueAt - performance.now();
    const settleAll = (published: Published) => {
      for (const { settle } of batch) settle(published);
    };
    withTimeout(
      send(
        batch.map(({ message }) => message),
        withinMs,
      ),
      withinMs,
    )
      .then(
        () => settleAll({ kind: 'acknowledged' }),
        (error: Error) => settleAll({ kind: 'failed', error }),
      )
      .finally(() => {
        underWay--;
        schedule();
      });
  };

  /** As many as fit into one request, the oldest first, but for those that have waited too long. */
  const takeBatch = (): Waiting[] => {
    const now = performance.now();
    let count = 0;
    let bytes = 0;
    const isTaken = ({ message }: Waiting) => count === 0 || bytes + message.data.length <= limits.bytes;
    const batch: Waiting[] = [];
    let next = waiting[count];
    while (next !== undefined && batch.length < limits.messages && isTaken(next)) {
      count++;
      bytes += next.message.data.length;
      if (next.dueAt > now) batch.push(next);
      else next.settle({ kind: 'unsent', reason: `not sent to Pub/Sub within ${timeoutMs} ms` });
      next = waiting[count];
    }
    waiting.splice(0, count);
    waitingBytes -= bytes;
    return batch;
  };

  return {
    publish(message) {
      if (waitingBytes + message.data.length > limits.waitingBytes) {
        return Promise.resolve({ kind: 'unsent', reason: `${waitingBytes} bytes already wait for Pub/Sub` });
      }
      waitingBytes += message.data.length;
      return new Promise((settle) => {
        waiting.push({ message, dueAt: performance.now() + timeoutMs, settle });
        schedule();
      });
    },
    giveUpWaiting(reason) {
      waitingBytes = 0;
      for (const { settle } of waiting.splice(0)) settle({ kind: 'unsent', reason });
    },
  };
}

/** The client keeps to its time-out, but for what it does before it calls, such as fetching credentials. */
async function withTimeout(sending: Promise<void>, withinMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const tell = () => reject(new Error(`not acknowledged within ${Math.round(withinMs)} ms`));
    timer = setTimeout(tell, withinMs + graceMs);
  });
  await Promise.race([sending, late]).finally(() => clearTimeout(timer));
}

/** The client's own error says more, so it gets to be first. */
const graceMs = 100;
