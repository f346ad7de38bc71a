import type { Message } from '../../shared/google/pubsub-publisher.ts';
import { describeError, type log as writeLog } from '../../shared/host/log.ts';
import { startCounts } from '../../shared/host/metrics.ts';
import { createRegister } from '../../shared/host/register.ts';
import { type IngestCounts, ingestCounts } from './metrics.ts';
import type { Published, PublishQueue } from './publish.ts';
import { admit, closedBreaker, isOpen, settle } from './publish-breaker.ts';
import type { Spill } from './spill.ts';

export type Stored = 'published' | 'spilled';

export interface MessageStore {
  /**
   * Resolves when every message is durable, with where each is; rejects when one is neither published nor spilled. The
   * messages are all those of one request, since their places name their objects.
   */
  store(messages: readonly Message[]): Promise<readonly Stored[]>;
  /** Resolves once every message of every call is settled, also those that nobody waits for any more. */
  drained(): Promise<void>;
}

export interface MessageStoreOptions {
  readonly queue: PublishQueue;
  /** Undefined where there is no spill bucket: then every message is put to Pub/Sub, whatever became of the last. */
  readonly spill: Spill | undefined;
  readonly counts?: IngestCounts;
  readonly log: typeof writeLog;
  /** Milliseconds; never goes back. */
  readonly now: () => number;
}

/**
 * Publishes each message or, where Pub/Sub does not acknowledge it in time, spills it. While Pub/Sub is in trouble only
 * one message at a time finds out whether it still is, and the others are spilled at once.
 */
export function createMessageStore(options: MessageStoreOptions): MessageStore {
  const { queue, spill, log, now, counts = startCounts(ingestCounts) } = options;
  let breaker = closedBreaker;
  const underWay = createRegister<Promise<unknown>>();

  async function storeMessage(message: Message, part: number): Promise<Stored> {
    if (spill === undefined) {
      const published = await queue.publish(message);
      if (published.kind === 'acknowledged') return 'published';
      throw failure(published);
    }
    const admitted = admit(breaker, now());
    breaker = admitted.breaker;
    if (admitted.admission === 'spill') {
      const spillError = await failureOf(spill(message, part));
      if (spillError === undefined) return 'spilled';
      // Pub/Sub may be back, and the bucket in trouble instead.
      const published = await queue.publish(message);
      if (published.kind === 'acknowledged') return 'published';
      throw neither(spillError, failure(published));
    }
    const published = await queue.publish(message);
    // A full queue says nothing of Pub/Sub, but a probe has to tell.
    if (published.kind !== 'unsent' || admitted.admission === 'probe') {
      learn(admitted.admission, published);
    }
    if (published.kind === 'acknowledged') return 'published';
    const spillError = await failureOf(spill(message, part));
    if (spillError === undefined) return 'spilled';
    throw neither(spillError, failure(published));
  }

  function learn(admission: 'publish' | 'probe', published: Published): void {
    const wasOpen = isOpen(breaker);
    breaker = settle(breaker, admission, published.kind === 'acknowledged', now());
    if (!wasOpen && isOpen(breaker)) {
      log('WARNING', 'Pub/Sub does not acknowledge; batches go to the spill bucket until it does.', {
        ...(published.kind !== 'acknowledged' && describeError(failure(published))),
      });
      queue.giveUpWaiting('Pub/Sub does not acknowledge');
    }
    if (wasOpen && !isOpen(breaker)) log('INFO', 'Pub/Sub acknowledges again.');
  }

  return {
    store: (messages) => Promise.all(messages.map(track)),
    async drained() {
      while (underWay.size() > 0) await Promise.allSettled(underWay.all());
    },
  };

  function track(message: Message, part: number): Promise<Stored> {
    const storing = storeMessage(message, part);
    const forget = underWay.add(storing);
    counts.messagesMade++;
    storing
      .then(
        (stored) => {
          if (stored === 'published') counts.messagesPublished++;
          else counts.messagesSpilled++;
        },
        () => {
          counts.messagesUnstored++;
        },
      )
      .finally(forget);
    return storing;
  }
}

const failure = (published: Exclude<Published, { kind: 'acknowledged' }>): Error =>
  published.kind === 'failed' ? published.error : new Error(published.reason);

const neither = (spillError: Error, publishError: Error): Error =>
  new AggregateError(
    [spillError, publishError],
    `neither spilled (${spillError.message}) nor published (${publishError.message})`,
  );

const failureOf = (spilling: Promise<void>): Promise<Error | undefined> =>
  spilling.then(
    () => undefined,
    (error: Error) => error,
  );
