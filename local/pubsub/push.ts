import http from 'node:http';
import https from 'node:https';
import { afterFailure, afterSuccess, pauseOf, startPace } from './backoff.ts';
import type { SignToken } from './broker.ts';
import { pushEnvelope } from './envelope.ts';
import type { Consumer, Subscription, Taken } from './subscription.ts';

/** The answers that acknowledge (cloud.google.com/pubsub/docs/push#receive_push); 102 comes as information. */
const acknowledging = new Set([200, 201, 202, 204]);

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
  const { request, agent } = openAgent(pushEndpoint);
  const target = new URL(pushEndpoint);
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
    const headers: http.OutgoingHttpHeaders = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(payload),
      'user-agent': 'CloudPubSub-Google',
      accept: 'application/json',
      from: 'noreply@google.com',
    };
    if (oidcToken !== undefined && signToken !== undefined) {
      const claims = {
        audience: oidcToken.audience || pushEndpoint,
        email: oidcToken.serviceAccountEmail ?? '',
      };
      headers.authorization = `Bearer ${await signToken(claims)}`;
    }
    const timeout = (subscription.config.ackDeadlineSeconds * 1000) / timeScale;
    return post(request, target, agent, headers, payload, timeout);
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
      agent.destroyWhenIdle();
    },
  };
}

/** Posts and resolves with undefined when the answer acknowledges, else with what was wrong. */
function post(
  request: typeof http.request,
  target: URL,
  agent: http.Agent,
  headers: http.OutgoingHttpHeaders,
  payload: string,
  timeout: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const call = request(target, { method: 'POST', agent, headers });
    const deadline = setTimeout(() => {
      resolve('no answer within the ack deadline');
      call.destroy();
    }, timeout);
    const settle = (failure: string | undefined) => {
      clearTimeout(deadline);
      resolve(failure);
    };
    call.on('information', (information) => {
      if (information.statusCode === 102) settle(undefined);
    });
    call.on('response', (response) => {
      response.resume();
      const code = response.statusCode ?? 0;
      settle(acknowledging.has(code) ? undefined : `status ${code}`);
    });
    call.on('error', (error) => settle(error.message));
    call.end(payload);
  });
}

function openAgent(endpoint: string) {
  const secure = endpoint.startsWith('https:');
  const options = { keepAlive: true, maxSockets: 1000, maxFreeSockets: 256 };
  const agent = secure ? new https.Agent(options) : new http.Agent(options);
  return {
    request: secure ? https.request : http.request,
    agent: Object.assign(agent, {
      destroyWhenIdle() {
        for (const sockets of Object.values(agent.freeSockets))
          for (const socket of sockets ?? []) socket.destroy();
        agent.maxFreeSockets = 0;
      },
    }),
  };
}
