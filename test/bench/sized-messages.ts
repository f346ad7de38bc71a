import type { Message } from '@google-cloud/pubsub';
import { decodeMessage } from '../../shared/batches/decode-message.ts';

/** Adds up how large the messages and rows are that ingest made of `sizedTraffic`, each form by its project. */
export function countSizedMessages() {
  const sums = new Map<string, { messages: number; data: number; attributes: number; rowBytes: number }>();
  return {
    add({ data, attributes }: Message): void {
      const { project = '' } = attributes;
      if (!project.startsWith('sized')) return;
      const sum = sums.get(project) ?? {
        messages: 0,
        data: 0,
        attributes: 0,
        rowBytes: rowBytesOf(data, attributes),
      };
      sums.set(project, sum);
      sum.messages++;
      sum.data += data.length;
      for (const [name, value] of Object.entries(attributes)) sum.attributes += name.length + value.length;
    },
    /** What a message of the form has on average, and a row of the first one. */
    read(project: string) {
      const { messages, data, attributes, rowBytes } = sums.get(project) ?? noMessages(project);
      return {
        messageBytes: Math.round(data / messages),
        attributeBytes: Math.round(attributes / messages),
        rowBytes,
      };
    },
  };
}

function rowBytesOf(data: Buffer, attributes: Readonly<Record<string, string>>): number {
  const decoded = decodeMessage({ data, attributes });
  if (decoded.kind !== 'batch') throw new Error(`a message of ingest is ${decoded.kind}`);
  const { events } = decoded.batch;
  return Math.round(events.reduce((sum, row) => sum + row.length, 0) / events.length);
}

function noMessages(project: string): never {
  throw new Error(`there was no message of ${project}`);
}
