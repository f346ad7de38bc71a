import { codeOf } from './code-of.ts';
import { createDeferred, waitFor } from './create-deferred.ts';
import { closedFirst, createDeliverer } from './deliver.ts';
import { type DeliverySettings, longestTimer } from './delivery-options.ts';
import { readEvents } from './event-lines.ts';
import { createClosed, type Queue, type QueuedBatch } from './queue.ts';
import { createReporter } from './report.ts';
import type { CloseReport, Collector, Reporting } from './route.ts';

export interface QueueOptions {
  /** Events wait so long at most, milliseconds, before a request is made of what there is. */
  readonly maxAgeMs: number;
  /** Whether callers wait while the queue has no room. */
  readonly waitsForRoom: boolean;
}

/**
 * The collector that sends what lies in a queue: batches that are full, and all of them when the oldest event is
 * `maxAgeMs` old or at a flush. Each of `connections` workers holds one batch through all of its attempts, so a server
 * that is down is asked by so many requests at a time and no more.
 */
export function deliverQueue(
  queue: Queue,
  settings: DeliverySettings & QueueOptions,
  reporting: Reporting,
): Collector {
  const { report, trouble } = createReporter(reporting);
  const deliverer = createDeliverer(settings);
  const underWay = new Set<Promise<void>>();
  const flushes: { readonly mark: number; readonly done: () => void }[] = [];
  let ageTimer: NodeJS.Timeout | undefined;
  let room: { readonly made: Promise<undefined>; readonly make: () => void } | undefined;
  /** By the monotonic clock: the other may be set back. */
  let pausedUntil = 0;
  let pauseTimer: NodeJS.Timeout | undefined;
  let stopping = false;
  let closing: Promise<CloseReport> | undefined;

  const pump = () => {
    while (
      !stopping &&
      queue.ready > 0 &&
      underWay.size < settings.connections &&
      performance.now() >= pausedUntil
    ) {
      const batch = queue.take();
      if (batch === undefined) return;
      const work = deliverBatch(batch)
        .catch((error) => trouble({ kind: 'spool', route: batch.route.name, detail: String(error) }))
        .finally(() => {
          underWay.delete(work);
          pump();
          tellWhoWaits();
        });
      underWay.add(work);
    }
  };

  const deliverBatch = async (batch: QueuedBatch): Promise<void> => {
    const outcomes = await deliverer.deliver(batch.route, batch.events, (failure) => {
      if (failure.retryAfterMs > 0) pause(failure.retryInMs ?? 0);
      trouble(failure);
    });
    const left = stopping ? outcomes.filter(({ kind }) => kind === 'undelivered') : [];
    report(
      batch.route.name,
      outcomes.filter((outcome) => !left.includes(outcome)),
    );
    if (left.length === 0) queue.settle(batch);
    else
      queue.putBack(
        batch,
        left.map(({ events }) => events),
      );
  };

  /** A server that names a time means it for every request. */
  const pause = (ms: number) => {
    if (performance.now() + ms <= pausedUntil) return;
    pausedUntil = performance.now() + ms;
    clearTimeout(pauseTimer);
    pauseTimer = setTimeout(pump, Math.min(ms + 1, longestTimer));
    if (!settings.keepsAlive) pauseTimer.unref();
  };

  const tellWhoWaits = () => {
    if (room !== undefined && queue.hasRoom) {
      room.make();
      room = undefined;
    }
    // From then on close tells them, once it has reported what is left.
    if (stopping) return;
    for (let at = flushes.length - 1; at >= 0; at--) {
      const flush = flushes[at];
      if (flush === undefined || !queue.isSettled(flush.mark)) continue;
      flushes.splice(at, 1);
      flush.done();
    }
  };

  const sealAndPump = () => {
    ageTimer = undefined;
    const mark = queue.seal();
    pump();
    tellWhoWaits();
    return mark;
  };

  const armAgeTimer = () => {
    ageTimer = setTimeout(sealAndPump, settings.maxAgeMs);
    if (!settings.keepsAlive) ageTimer.unref();
  };

  const waitForRoom = (): Promise<undefined> => {
    if (room === undefined) {
      const { promise, resolve } = createDeferred<undefined>();
      room = { made: promise, make: () => resolve(undefined) };
      // Who waits does not fill the batches that are open.
      clearTimeout(ageTimer);
      sealAndPump();
      return promise;
    }
    return room.made;
  };

  const flush = async (): Promise<void> => {
    if (stopping) {
      await closing;
      return;
    }
    clearTimeout(ageTimer);
    const mark = sealAndPump();
    if (queue.isSettled(mark)) return;
    const { promise, resolve } = createDeferred<void>();
    flushes.push({ mark, done: () => resolve() });
    await promise;
  };

  const close = async (timeoutMs: number): Promise<CloseReport> => {
    // A server that was away for a while is asked again soon: there may be no later.
    deliverer.hurry(timeoutMs / 10);
    await waitFor(flush(), timeoutMs);
    clearTimeout(pauseTimer);
    stopping = true;
    deliverer.stop();
    await Promise.all(underWay);
    const { left, kept } = queue.close();
    for (const { route, events } of left)
      report(route.name, [{ kind: 'undelivered', events, detail: closedFirst, verdicts: undefined }]);
    room?.make();
    for (const { done } of flushes.splice(0)) done();
    return {
      undelivered: left.flatMap(({ route, events }) =>
        readEvents(events).map((json) => ({ route: route.name, json })),
      ),
      kept,
    };
  };

  queue.listen?.(pump);
  return {
    add: (route, json) => {
      if (closing !== undefined) return Promise.reject(createClosed());
      try {
        queue.push(route, json);
      } catch (error) {
        return rejectTold(error);
      }
      if (ageTimer === undefined) armAgeTimer();
      if (queue.ready > 0 && underWay.size < settings.connections) pump();
      return queue.hasRoom || !settings.waitsForRoom ? taken : waitForRoom();
    },
    open: (route) => {
      queue.open?.(route);
      pump();
    },
    flush,
    close: ({ timeoutMs = 30_000 } = {}) => {
      closing ??= close(timeoutMs);
      return closing;
    },
  };
}

/** One for all events, since it says nothing else. */
const taken: Promise<undefined> = Promise.resolve(undefined);

/**
 * Whoever does not look at the promise is not to end by it where `onError` has told of the disk. A queue that refuses
 * tells nobody else.
 */
export function rejectTold(error: unknown): Promise<never> {
  const rejected = Promise.reject(error);
  if (codeOf(error) !== 'QUEUE_FULL') rejected.catch(() => {});
  return rejected;
}
