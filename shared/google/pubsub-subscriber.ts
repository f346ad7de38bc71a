import type { protos } from '@google-cloud/pubsub-api';
import { SubscriberClient } from '@google-cloud/pubsub-api/build/src/v1/subscriber_client.js';
import { credentials, status } from '@grpc/grpc-js';
import { readLocalEndpoint } from './endpoints.ts';
import type { Message } from './pubsub-publisher.ts';

export interface PulledMessage extends Message {
  readonly ackId: string;
  readonly messageId: string;
  /** When Pub/Sub took the message. */
  readonly publishedAt: Date;
}

/** Pulls from one subscription, message by message: for commands that must know what they acknowledge. */
export interface Subscriber {
  /** At most `most` messages; none where there is none within `withinMs`. Rejects where Pub/Sub fails. */
  pull(most: number, withinMs: number): Promise<PulledMessage[]>;
  acknowledge(ackIds: readonly string[]): Promise<void>;
  /** Gives messages back, to be delivered again at once. */
  release(ackIds: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens a subscription through the generated client of Pub/Sub. `subscription` is its short name. */
export function createSubscriber(
  projectId: string,
  subscription: string,
  environment: NodeJS.ProcessEnv,
): Subscriber {
  const local = readLocalEndpoint('LOCAL_PUBSUB', environment);
  const client = new SubscriberClient({
    ...(local && {
      apiEndpoint: local.host,
      port: local.port,
      sslCreds: credentials.createInsecure(),
      projectId,
    }),
  });
  const name = `projects/${projectId}/subscriptions/${subscription}`;
  return {
    async pull(most, withinMs) {
      const request = { subscription: name, maxMessages: most };
      try {
        const [answer] = await client.pull(request, { timeout: withinMs, retry: null });
        return (answer.receivedMessages ?? []).map(({ ackId, message }) => ({
          ackId: ackId ?? '',
          messageId: message?.messageId ?? '',
          data: Buffer.from(message?.data ?? ''),
          attributes: message?.attributes ?? {},
          publishedAt: toDate(message?.publishTime),
        }));
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === status.DEADLINE_EXCEEDED) return [];
        throw error;
      }
    },
    async acknowledge(ackIds) {
      await client.acknowledge({ subscription: name, ackIds: [...ackIds] });
    },
    async release(ackIds) {
      const request = { subscription: name, ackIds: [...ackIds], ackDeadlineSeconds: 0 };
      await client.modifyAckDeadline(request);
    },
    close: () => client.close(),
  };
}

const toDate = (time: protos.google.protobuf.ITimestamp | null | undefined): Date =>
  new Date(Number(time?.seconds ?? 0) * 1_000 + Math.floor((time?.nanos ?? 0) / 1_000_000));
