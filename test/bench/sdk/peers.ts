import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { SampleEvent } from './sample-event.ts';
import type { Sender, SenderKind, SenderOptions } from './senders.ts';

/** Where the bench installed package.json of this folder. */
const require = createRequire(join(process.env.PEERS ?? process.cwd(), 'package.json'));
/** Of each peer only what is called here is described; nothing but the peer says whether it is so. */
const load = <Module>(name: string): Module => require(name) as Module;

const volatile = (
  name: string,
  create: (options: SenderOptions) => Promise<Sender> | Sender,
): SenderKind => ({
  name,
  isDurable: false,
  create,
});
const handedOver = (call: () => unknown): undefined => void call();
const batchOf100 = 100;

/** The SDKs of docs and package.json beside this file, each used and ended as its own documentation says. */
export const peers: readonly SenderKind[] = [
  volatile('@segment/analytics-node', ({ url, withDefaults }) => {
    const { Analytics } = load<{
      Analytics: new (
        options: object,
      ) => {
        track(message: object): void;
        closeAndFlush(): Promise<void>;
        on(name: string, hear: () => void): void;
      };
    }>('@segment/analytics-node');
    const size = withDefaults ? {} : { flushAt: batchOf100, maxEventsInBatch: batchOf100 };
    const client = new Analytics({ writeKey: 'bench', host: url, ...size });
    client.on('error', () => {});
    return {
      track: ({ user, name, properties }) =>
        handedOver(() => client.track({ userId: user, event: name, properties })),
      close: () => client.closeAndFlush(),
    };
  }),
  volatile('@rudderstack/rudder-sdk-node', ({ url, withDefaults }) => {
    type Client = { track(message: object): void; flush(): Promise<void> };
    const Analytics = load<new (key: string, options: object) => Client>('@rudderstack/rudder-sdk-node');
    const size = withDefaults ? {} : { flushAt: batchOf100 };
    const client = new Analytics('bench', {
      dataPlaneUrl: url,
      logLevel: 'silent',
      errorHandler: () => {},
      ...size,
    });
    return {
      track: ({ user, name, properties }) =>
        handedOver(() => client.track({ userId: user, event: name, properties })),
      close: () => client.flush(),
    };
  }),
  volatile('posthog-node', ({ url, withDefaults, closeMs }) => {
    type Client = { capture(message: object): void; shutdown(withinMs: number): Promise<void> };
    const { PostHog } = load<{ PostHog: new (key: string, options: object) => Client }>('posthog-node');
    const size = withDefaults ? {} : { flushAt: batchOf100, maxBatchSize: batchOf100 };
    const client = new PostHog('bench', { host: url, ...size });
    return {
      track: ({ user, name, properties }) =>
        handedOver(() => client.capture({ distinctId: user, event: name, properties })),
      close: () => client.shutdown(closeMs),
    };
  }),
  volatile('mixpanel, track', (options) => {
    const { client, underWay, settled } = createMixpanel(options);
    return {
      track: ({ user, name, properties }) =>
        handedOver(() => client.track(name, { ...properties, distinct_id: user }, underWay())),
      close: settled,
    };
  }),
  volatile('mixpanel, track_batch', (options) => {
    const { client, underWay, settled } = createMixpanel(options);
    let filling: object[] = [];
    const send = () => {
      if (filling.length > 0) client.track_batch(filling, underWay());
      filling = [];
    };
    return {
      track: ({ user, name, properties }) => {
        const given = { ...properties, distinct_id: user, time: Math.floor(Date.now() / 1000) };
        filling.push({ event: name, properties: given });
        if (filling.length === batchOf100) send();
        return undefined;
      },
      close: () => {
        send();
        return settled();
      },
    };
  }),
  volatile('@snowplow/node-tracker', ({ url, withDefaults }) => {
    type Tracker = { track(event: object): void; flush(): void };
    const { newTracker, buildSelfDescribingEvent } = load<{
      newTracker(tracker: object, emitter: object): Tracker;
      buildSelfDescribingEvent(event: object): object;
    }>('@snowplow/node-tracker');
    const size = withDefaults ? {} : { bufferSize: batchOf100 };
    const tracker = newTracker({ namespace: 'bench', appId: 'bench' }, { endpoint: url, ...size });
    const schema = 'iglu:com.example/product_viewed/jsonschema/1-0-0';
    return {
      track: ({ properties }) =>
        handedOver(() => tracker.track(buildSelfDescribingEvent({ event: { schema, data: properties } }))),
      close: async () => tracker.flush(),
    };
  }),
  volatile('@amplitude/analytics-node', async ({ url, withDefaults }) => {
    const amplitude = load<{
      init(key: string, options: object): { promise: Promise<void> };
      track(name: string, properties: object, options: object): unknown;
      flush(): { promise: Promise<void> };
    }>('@amplitude/analytics-node');
    const size = withDefaults ? {} : { flushQueueSize: batchOf100 };
    await amplitude.init('bench', { serverUrl: `${url}/2/httpapi`, logLevel: 0, ...size }).promise;
    return {
      track: ({ user, name, properties }) =>
        handedOver(() => amplitude.track(name, properties, { user_id: user })),
      close: () => amplitude.flush().promise,
    };
  }),
  volatile('@jitsu/js', ({ url }) => {
    type Client = { track(name: string, properties: object): Promise<unknown> };
    const { jitsuAnalytics } = load<{ jitsuAnalytics(options: object): Client }>('@jitsu/js');
    const client = jitsuAnalytics({ host: url, writeKey: 'bench:secret' });
    const underWay = new Set<Promise<unknown>>();
    return {
      track: ({ name, properties }: SampleEvent) => {
        const sent: Promise<unknown> = client
          .track(name, properties)
          .catch(() => {})
          .finally(() => underWay.delete(sent));
        underWay.add(sent);
        return undefined;
      },
      close: () => Promise.all(underWay),
    };
  }),
  volatile('sa-sdk-node', ({ url, withDefaults }) => {
    type Client = {
      track(user: string, name: string, properties: object): void;
      submitTo(options: object, batches: object): unknown;
      close(): void;
    };
    const Sensors = load<new () => Client>('sa-sdk-node');
    const client = new Sensors();
    client.submitTo({ url: `${url}/sa` }, withDefaults ? {} : { count: batchOf100 });
    return {
      track: ({ user, name, properties }) => handedOver(() => client.track(user, name, properties)),
      close: async () => {
        try {
          client.close();
        } catch {
          // It closes a logger too, which there is none of.
        }
      },
    };
  }),
];

type MixpanelCallback = () => void;

function createMixpanel({ url }: SenderOptions) {
  const { init } = load<{
    init(
      token: string,
      options: object,
    ): {
      track(name: string, properties: object, callback: MixpanelCallback): void;
      track_batch(events: object[], callback: MixpanelCallback): void;
    };
  }>('mixpanel');
  const { hostname, port } = new URL(url);
  let count = 0;
  let tell = () => {};
  return {
    client: init('bench', { host: hostname, port: Number(port), protocol: 'http' }),
    underWay: (): MixpanelCallback => {
      count++;
      return () => {
        count--;
        if (count === 0) tell();
      };
    },
    /** It has no way to end: the callbacks tell. */
    settled: () =>
      new Promise<void>((resolve) => {
        tell = resolve;
        if (count === 0) resolve();
      }),
  };
}
