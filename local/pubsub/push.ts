import { afterFailure, afterSuccess, pauseOf, startPace } from './backoff.ts';
import type { SignToken } from './broker.ts';
import { pushEnvelope } from './envelope.ts';
import { createHttpPool } from './http-pool.ts';
import type { Consumer, Subscription, Taken } from './subscription.ts';

/** The answers that acknowledge (cloud.google.com/pubsub/docs/push#receive_push). */
const acknowledging = new Set([102, 200, 201, 202, 204]);

const fixedHeaders =
  'content-type: application/json\r\nuser-agent: CloudPubSub-Google\r\naccept: application/json\r\nfrom: noreply@google.com\r\n';

export interface PushSurroundings {
  signToken: SignToken | undefined;
  timeScale: number;
  log: (line: string) => void;
}

/** Pushes a subscription's messages to its endpoint, as many at once as the endpoint has shown to bear. */
export function createPush(
  subscription: Subscription,
  { signToken, timeScale, log }: PushSurroundings,
): Consumer {
  const { pushEndpoint = '', oidcToken } = subscription.config.pushConfig;
  const pool = createHttpPool(new URL(pushEndpoint));
  let pace = startPace();
  let outstanding = 0;
  let pausedUntil = 0;
  let pause: NodeJS.Timeout | undefined;
  let stopped = false;

  const succeed = (taken: Taken) => {
    pace = afterSuccess(pace);
    subscription.acknowledge(taken.entry);
  };

  const fail = (taken: Taken, why: string) => {
    log(`pubsub: push of ${taken.entry.message} to ${pushEndpoint} failed: ${why}`);
    const now = Date.now();
    // What was under way when the pause began belongs to the same failure.
    if (now >= pausedUntil && !stopped) {
      pace = afterFailure(pace);
      const length = pauseOf(pace) / timeScale;
      pausedUntil = now + length;
      pause = setTimeout(subscription.wake, length + 1);
      pause.unref();
    }
    subscription.fail(taken);
  };

  const push = async (taken: Taken) => {
    const { entry, body } = taken;
    const attempt = subscription.deliveryAttempt(entry);
    const payload = pushEnvelope(
      { id: entry.message, published: body.published, bytes: body.bytes },
      subscription.name,
      attempt,
    );
    let headers = fixedHeaders;
    if (oidcToken !== undefined) {
      if (signToken === undefined) throw new Error('there is no issuer to sign its token');
      const claims = {
        audience: oidcToken.audience || pushEndpoint,
        email: oidcToken.serviceAccountEmail ?? '',
      };
      headers += `authorization: Bearer ${await signToken(claims)}\r\n`;
    }
    const status = await pool.post(
      headers,
      payload,
      (subscription.config.ackDeadlineSeconds * 1000) / timeScale,
    );
    return acknowledging.has(status) ? undefined : `status ${status}`;
  };

  const finish = (taken: Taken, failure: string | undefined) => {
    outstanding--;
    if (failure === undefined) succeed(taken);
    else fail(taken, failure);
    subscription.wake();
  };

  return {
    wants: () =>
      stopped || Date.now() < pausedUntil
        ? { messages: 0, bytes: 0 }
        : { messages: pace.window - outstanding, bytes: Number.POSITIVE_INFINITY },
    receive(batch) {
      outstanding += batch.length;
      for (const taken of batch) {
        push(taken).then(
          (failure) => finish(taken, failure),
          (error: unknown) => finish(taken, String(error)),
        );
      }
    },
    stop() {
      stopped = true;
      clearTimeout(pause);
      // Requests under way end by themselves; their answers still count.
      pool.close();
    },
  };
}
