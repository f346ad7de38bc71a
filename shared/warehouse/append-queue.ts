import { status } from './append-answer.ts';
import { type AppendBatch, type Chunk, createAppendBatch } from './append-batch.ts';

export interface QueueLimits {
  readonly maxBatchBytes: number;
  /** How long a chunk waits for company while an append is in flight. */
  readonly lingerMs: number;
  /** Appends in flight at once. */
  readonly maxInFlight: number;
}

/** Gathers chunks into batches and says when each goes out. */
export interface AppendQueue {
  add(chunk: Chunk): void;
  /** From now on nothing waits for company. */
  hurry(): void;
}

/**
 * With nothing in flight a chunk goes out at once; otherwise it waits until the batch is full, an append comes back
 * and leaves none in flight, or `lingerMs` have passed. `send` must settle every chunk of its batch.
 */
export function createAppendQueue(
  limits: QueueLimits,
  send: (batch: AppendBatch) => Promise<void>,
): AppendQueue {
  const waiting: AppendBatch[] = [];
  let inFlight = 0;
  let hurried = false;
  /** The newest batch has waited long enough, but no append could be started. */
  let overdue = false;
  let linger: NodeJS.Timeout | undefined;
  let expiry: NodeJS.Timeout | undefined;

  function add(chunk: Chunk): void {
    const newest = waiting.at(-1);
    if (newest?.canFit(chunk)) {
      newest.add(chunk);
    } else {
      const batch = createAppendBatch(limits.maxBatchBytes);
      batch.add(chunk);
      waiting.push(batch);
    }
    sendDue();
  }

  function isDue(batch: AppendBatch): boolean {
    return hurried || overdue || inFlight === 0 || waiting.length > 1 || batch.isFull();
  }

  function sendDue(): void {
    for (let batch = waiting[0]; batch !== undefined; batch = waiting[0]) {
      if (inFlight >= limits.maxInFlight || !isDue(batch)) break;
      waiting.shift();
      inFlight++;
      send(batch).finally(() => {
        inFlight--;
        sendDue();
      });
    }
    if (waiting.length === 0) {
      clearTimeout(linger);
      clearTimeout(expiry);
      linger = expiry = undefined;
      overdue = false;
      return;
    }
    linger ??= setTimeout(() => {
      overdue = true;
      sendDue();
    }, limits.lingerMs);
    expiry ??= setTimeout(expire, Math.max(1, earliestDeadline() - Date.now()));
  }

  const earliestDeadline = (): number =>
    Math.min(...waiting.flatMap(({ chunks }) => chunks.map(({ deadline }) => deadline)));

  /** Fails what nobody waits for any more, when all the appends in flight are being retried. */
  function expire(): void {
    expiry = undefined;
    const chunks = waiting.splice(0).flatMap((batch) => batch.chunks);
    const now = Date.now();
    for (const chunk of chunks) {
      if (chunk.deadline > now) add(chunk);
      else chunk.settle({ kind: 'failed', answer: expired });
    }
    sendDue();
  }

  return {
    add,
    hurry() {
      hurried = true;
      sendDue();
    },
  };
}

const expired = {
  kind: 'transient',
  code: status.deadlineExceeded,
  detail: 'waited for an append until there was no time left',
} as const;
