import { status } from '@grpc/grpc-js';
import type { Attached, Broker } from './broker.ts';
import { invalidArgument, notFound, refuse } from './refuse.ts';
import { checkPulled } from './subscriber.ts';
import type { Consumer, Taken } from './subscription.ts';
import { checkName } from './validate.ts';
import { encodePullResponse } from './wire.ts';

/** How long a pull without return_immediately waits for a first message; Google only says "a bounded amount of time". */
const longestWait = 20_000;

export interface PullRequest {
  subscription?: string;
  returnImmediately?: boolean;
  maxMessages?: number;
}

/** A call whose client may give up. */
export interface Cancellable {
  on(event: 'cancelled', listener: () => void): unknown;
}

/** Answers a Pull with the encoded PullResponse. When the caller of `call` gives up, nothing is leased. */
export async function pull(broker: Broker, request: PullRequest, call: Cancellable): Promise<Buffer> {
  const { subscription: name = '', returnImmediately = false, maxMessages = 0 } = request;
  checkName('subscriptions', name);
  const attached = broker.subscription(name);
  checkPulled(attached.subscription.config);
  if (maxMessages <= 0) {
    throw invalidArgument('You have passed an invalid argument to the service (argument=max_messages).');
  }
  const taken = await takeFirst(attached, maxMessages, returnImmediately ? 0 : longestWait, call);
  const { subscription, leases } = attached;
  return encodePullResponse(
    taken.map((one) => ({
      ackId: leases.grant(one, subscription.config.ackDeadlineSeconds).ackId,
      messageId: one.entry.message,
      published: one.body.published,
      bytes: one.body.bytes,
      deliveryAttempt: subscription.deliveryAttempt(one.entry),
    })),
  );
}

function takeFirst(
  { subscription }: Attached,
  maxMessages: number,
  wait: number,
  call: Cancellable,
): Promise<Taken[]> {
  return new Promise((resolve, reject) => {
    let done = false;
    const finish = (settle: () => void) => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      subscription.remove(consumer);
      settle();
    };
    const giveUp = () => finish(() => resolve([]));
    const consumer: Consumer = {
      wants: () =>
        done ? { messages: 0, bytes: 0 } : { messages: maxMessages, bytes: Number.POSITIVE_INFINITY },
      receive: (taken) => finish(() => resolve(taken)),
      stop: (reason) =>
        finish(() => {
          if (reason === 'deleted') reject(notFound(subscription.name));
          else if (reason === 'closing') reject(refuse(status.UNAVAILABLE, 'The server is shutting down.'));
          else resolve([]);
        }),
    };
    // A dispatch is one turn away, so even "immediately" leaves it the time to answer with what is there.
    const timer = setTimeout(giveUp, Math.max(wait, 5));
    call.on('cancelled', giveUp);
    subscription.add(consumer);
  });
}
