import type { Message, SendMessages } from '../../shared/google/pubsub-publisher.ts';

export interface PublishQueueLimits {
  /** Pub/Sub takes 1,000 messages and 10 MB a request: cloud.google.com/pubsub/quotas. */
  readonly messages: number;
  readonly bytes: number;
  /** Requests under way at once. While there are as many, what comes waits and shares the next. */
  readonly underWay: number;
  /** Bytes that may wait; what is over is refused, so that a slow Pub/Sub never fills the memory. */
  readonly waitingBytes: number;
}

export const defaultPublishLimits: PublishQueueLimits = {
  messages: 1000,
  bytes: 9_000_000,
  underWay: 2,
  waitingBytes: 64_000_000,
};

/** Resolves when Pub/Sub has acknowledged the message; rejects when it has not within the time-out. */
export type Publish = (message: Message) => Promise<void>;

export interface PublishQueue {
  readonly publish: Publish;
  /** Resolves once nothing waits or is under way. */
  drained(): Promise<void>;
}

interface Waiting {
  readonly message: Message;
  /** By performance.now(). */
  readonly dueAt: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
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
  const whenDrained: (() => void)[] = [];
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
    send(
      batch.map(({ message }) => message),
      first.dueAt - performance.now(),
    )
      .then(
        () => {
          for (const { resolve } of batch) resolve();
        },
        (error: Error) => {
          for (const { reject } of batch) reject(error);
        },
      )
      .finally(() => {
        underWay--;
        schedule();
        if (underWay === 0 && waiting.length === 0) for (const resolve of whenDrained.splice(0)) resolve();
      });
  };

  /** As many as fit into one request, the oldest first; those that have waited too long are refused. */
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
      else next.reject(new Error(`not sent to Pub/Sub within ${timeoutMs} ms`));
      next = waiting[count];
    }
    waiting.splice(0, count);
    waitingBytes -= bytes;
    return batch;
  };

  return {
    publish(message) {
      if (waitingBytes + message.data.length > limits.waitingBytes) {
        return Promise.reject(new Error(`${waitingBytes} bytes already wait for Pub/Sub`));
      }
      waitingBytes += message.data.length;
      return new Promise((resolve, reject) => {
        waiting.push({ message, dueAt: performance.now() + timeoutMs, resolve, reject });
        schedule();
      });
    },
    drained: () =>
      underWay === 0 && waiting.length === 0
        ? Promise.resolve()
        : new Promise((resolve) => whenDrained.push(resolve)),
  };
}
