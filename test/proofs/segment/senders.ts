import { createRequire } from 'node:module';
import { Analytics } from '@segment/analytics-node';
import { type Call, callOf } from './traffic.ts';

/** Sends the calls from 0 on through an SDK, and resolves once the SDK says that all are delivered. */
export type Sender = (options: {
  readonly url: string;
  readonly writeKey: string;
  readonly calls: number;
  readonly progress: (sent: number) => void;
}) => Promise<{ readonly failed: number }>;

/** How many calls may be on their way; without a bound the SDKs open a connection for each batch at once. */
const mostOutstanding = 300;

export const sendWithSegment: Sender = async ({ url, writeKey, calls, progress }) => {
  const sdk = new Analytics({ writeKey, host: url, flushAt: 20, flushInterval: 200, maxRetries: 20 });
  const outstanding = createGate(mostOutstanding);
  let failed = 0;
  sdk.on('error', () => failed++);
  for (let number = 0; number < calls; number++) {
    await outstanding.enter();
    const { method, message } = callOf(number).call;
    const send = sdk[method] as (message: Call['message'], callback: () => void) => void;
    send(message, outstanding.leave);
    if ((number + 1) % 1000 === 0) progress(number + 1);
  }
  await sdk.closeAndFlush({ timeout: 600_000 });
  return { failed };
};

/** As much of RudderStack's SDK as is used here; it has no types of its own for `retryCount`. */
type RudderMethod = (message: Call['message'], callback: (error?: Error) => void) => void;
interface RudderSdk extends Readonly<Record<Call['method'], RudderMethod>> {
  flush(): Promise<unknown>;
}
type RudderConstructor = new (writeKey: string, options: object) => RudderSdk;

/** The SDK from a folder that npm installed it in. */
export const createSendWithRudder = (folder: string): Sender => {
  const Rudder = createRequire(`${folder}/`)('@rudderstack/rudder-sdk-node') as RudderConstructor;
  return async ({ url, writeKey, calls, progress }) => {
    let failed = 0;
    const sdk = new Rudder(writeKey, {
      dataPlaneUrl: url,
      flushAt: 20,
      flushInterval: 200,
      // Three by default, after which a batch is lost whatever the server does.
      retryCount: 20,
      logLevel: 'none',
      errorHandler: () => {},
    });
    const outstanding = createGate(40);
    for (let number = 0; number < calls; number++) {
      await outstanding.enter();
      const { method, message } = callOf(number).call;
      sdk[method](message, (error) => {
        if (error) failed++;
        outstanding.leave();
      });
      if ((number + 1) % 1000 === 0) progress(number + 1);
    }
    // It sends at most one batch a call, and resolves before earlier ones are through.
    while (outstanding.count() > 0) {
      await sdk.flush();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return { failed };
  };
};

/** Lets so many in, and others wait until one leaves. */
function createGate(most: number) {
  const waiting: (() => void)[] = [];
  let inside = 0;
  return {
    async enter(): Promise<void> {
      if (inside >= most) await new Promise<void>((resolve) => waiting.push(resolve));
      inside++;
    },
    leave(): void {
      inside--;
      waiting.shift()?.();
    },
    count: () => inside,
  };
}
