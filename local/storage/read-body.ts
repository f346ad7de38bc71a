import type { IncomingMessage } from 'node:http';
import { isRecord } from './api.ts';
import { invalid, StorageError, tooLarge } from './errors.ts';

/** Also the largest object; Cloud Storage allows 5 TiB. */
export const MAX_OBJECT_BYTES = 64 * 1024 * 1024;

const MAX_JSON_BYTES = 1024 * 1024;

/** Reads the whole body; a broken connection or a body over the limit throws. */
export async function readBody(request: IncomingMessage, limitBytes = MAX_OBJECT_BYTES): Promise<Buffer> {
  const { bytes, complete } = await readWhatComes(request, limitBytes);
  if (!complete) throw new StorageError(400, 'badRequest', 'The connection closed before the body ended.');
  return bytes;
}

/** Reads the body until it ends or the connection breaks, which a resumable upload survives. */
export async function readWhatComes(
  request: IncomingMessage,
  limitBytes = MAX_OBJECT_BYTES,
): Promise<{ bytes: Buffer; complete: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // Left intact on a throw: the error still has to be answered on this connection.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limitBytes) throw tooLarge(limitBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof StorageError) throw error;
  }
  return { bytes: Buffer.concat(chunks), complete: request.complete };
}

/** Reads a body that is a JSON object, or none. */
export async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  return parseJson(await readBody(request, MAX_JSON_BYTES));
}

export function parseJson(bytes: Buffer): Record<string, unknown> {
  if (bytes.length === 0) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString());
  } catch {
    throw new StorageError(400, 'parseError', 'Parse Error');
  }
  if (!isRecord(parsed)) throw invalid('The request body must be a JSON object.');
  return parsed;
}
