import { resolve } from 'node:path';
import protobuf from 'protobufjs';

const root = new protobuf.Root().loadSync(resolve(import.meta.dirname, '../../infra/event-batch.proto'), {
  keepCase: true,
});

/** Decodes bytes with the published proto and a library that knows nothing of our encoders; 64-bit integers as text. */
export function readRow(
  type: 'EventLogRow' | 'QuarantineRow' | 'EventBatch',
  bytes: Uint8Array,
): Record<string, unknown> {
  const message = root.lookupType(`tributary.${type}`);
  return message.toObject(message.decode(bytes), { longs: String, bytes: String });
}
