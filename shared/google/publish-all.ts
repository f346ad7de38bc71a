import type { Message, SendMessages } from './pubsub-publisher.ts';

/** Pub/Sub takes 1,000 messages and 10 MB a request: cloud.google.com/pubsub/quotas. */
const most = { messages: 500, bytes: 9_000_000 };

/**
 * Publishes in as few requests as fit, one after the other, each of which may take `withinMs`. Resolves when Pub/Sub has
 * acknowledged all messages.
 */
export async function publishAll(
  send: SendMessages,
  messages: readonly Message[],
  withinMs: number,
): Promise<void> {
  let batch: Message[] = [];
  let bytes = 0;
  const flush = async () => {
    if (batch.length > 0) await send(batch, withinMs);
    batch = [];
    bytes = 0;
  };
  for (const message of messages) {
    const size = sizeOf(message);
    if (batch.length >= most.messages || bytes + size > most.bytes) await flush();
    batch.push(message);
    bytes += size;
  }
  await flush();
}

/** With its attributes, which count too. */
function sizeOf({ data, attributes }: Message): number {
  let bytes = data.length;
  for (const [name, value] of Object.entries(attributes)) bytes += Buffer.byteLength(name + value) + 8;
  return bytes;
}
