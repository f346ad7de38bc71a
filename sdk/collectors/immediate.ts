import { waitFor } from '../delivery/create-deferred.ts';
import { createDeliverer, type Outcome } from '../delivery/deliver.ts';
import { type DeliveryOptions, readDeliveryOptions } from '../delivery/delivery-options.ts';
import { toLines } from '../delivery/event-lines.ts';
import { createClosed } from '../delivery/queue.ts';
import { createReporter } from '../delivery/report.ts';
import type { CloseReport, Collector, Delivery, Route, UndeliveredEvent } from '../delivery/route.ts';

export type ImmediateOptions = DeliveryOptions;

/**
 * Sends each event in a request of its own: `add` settles with what became of it, after 5 retries at most by default, in some 2 s.
 * Calls beyond `connections` wait for their turn.
 */
export function immediate(options: ImmediateOptions): Collector {
  const settings = readDeliveryOptions(options, { retryLimit: 5, keepsAlive: true });
  // Each caller is told by its promise; only those who ask hear it a second time.
  const { report, trouble } = createReporter({ ...options, onDelivery: options.onDelivery ?? (() => {}) });
  const deliverer = createDeliverer(settings);
  const unfinished = new Set<Promise<Delivery>>();
  const undelivered: UndeliveredEvent[] = [];
  const turns: (() => void)[] = [];
  let underWay = 0;
  let stopping = false;
  let closing: Promise<CloseReport> | undefined;

  const deliver = async (route: Route, json: string): Promise<Delivery> => {
    if (underWay >= settings.connections) await new Promise<void>((go) => turns.push(go));
    else underWay++;
    const outcomes = await deliverer.deliver(route, toLines([json]), trouble);
    const next = turns.shift();
    if (next === undefined) underWay--;
    else next();
    report(route.name, outcomes);
    const delivery = toDelivery(outcomes);
    if (stopping && delivery.kind === 'undelivered') undelivered.push({ route: route.name, json });
    return delivery;
  };

  const flush = async () => {
    await Promise.all(unfinished);
  };

  const close = async (timeoutMs: number): Promise<CloseReport> => {
    await waitFor(flush(), timeoutMs);
    stopping = true;
    deliverer.stop();
    await flush();
    return { undelivered, kept: 0 };
  };

  return {
    add: (route, json) => {
      if (closing !== undefined) return Promise.reject(createClosed());
      const delivery = deliver(route, json).finally(() => unfinished.delete(delivery));
      unfinished.add(delivery);
      return delivery;
    },
    flush,
    close: ({ timeoutMs = 30_000 } = {}) => {
      closing ??= close(timeoutMs);
      return closing;
    },
  };
}

/** Of a request of one event, which has one outcome. */
function toDelivery([outcome]: readonly Outcome[]): Delivery {
  const { kind = 'undelivered', detail = 'no reason given', verdicts } = outcome ?? {};
  const verdict = verdicts?.[0];
  const told = verdict && { verdict };
  if (kind !== 'delivered') return { kind, detail, ...told };
  return { kind, ...(verdict?.event_id && { eventId: verdict.event_id }), ...told };
}
