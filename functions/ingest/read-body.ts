import { createHash, type Hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export type ReadBody =
  | { readonly kind: 'whole'; readonly body: Buffer }
  /** Longer than the cap: its beginning, its length as far as it was read, and the SHA-256 of that. */
  | {
      readonly kind: 'too_large';
      readonly beginning: Buffer;
      readonly bytes: number;
      readonly sha256: string;
    }
  /** The sender went away before the end. */
  | { readonly kind: 'aborted' };

/** How much of a body over the cap is kept. */
const beginningBytes = 64 * 1024;

/**
 * A body over the cap is read all the same, since most senders listen for the answer only after their last byte; where
 * it is longer than this it is answered before, and where it is twice as long its sender is cut off.
 */
const patienceBytes = 64 * 1024 * 1024;

/**
 * Reads the raw body, whatever its headers claim, up to `cap` bytes. Under the stock framework, which
 * has read it already, the bytes are in `rawBody`.
 */
export function readBody(request: IncomingMessage & { rawBody?: Buffer }, cap: number): Promise<ReadBody> {
  if (request.rawBody !== undefined) return Promise.resolve(judgeWhole(request.rawBody, cap));
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let excess: { beginning: Buffer; digest: Hash } | undefined;

    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > patienceBytes) {
        if (bytes > 2 * patienceBytes) request.destroy();
        else if (bytes - chunk.length <= patienceBytes) finish();
      } else if (excess !== undefined) {
        excess.digest.update(chunk);
      } else {
        chunks.push(chunk);
        if (bytes <= cap) return;
        excess = {
          beginning: Buffer.concat(chunks).subarray(0, beginningBytes),
          digest: createHash('sha256'),
        };
        for (const one of chunks.splice(0)) excess.digest.update(one);
      }
    };
    const finish = () => {
      if (excess !== undefined) {
        const { beginning, digest } = excess;
        resolve({
          kind: 'too_large',
          beginning: Buffer.from(beginning),
          bytes,
          sha256: digest.copy().digest('hex'),
        });
      } else {
        const only = chunks.length === 1 ? chunks[0] : undefined;
        resolve({ kind: 'whole', body: only ?? Buffer.concat(chunks, bytes) });
      }
    };
    request.on('data', onData);
    request.on('end', finish);
    // After `end` these resolve nothing more.
    request.on('error', () => resolve({ kind: 'aborted' }));
    request.on('close', () => resolve({ kind: 'aborted' }));
  });
}

function judgeWhole(body: Buffer, cap: number): ReadBody {
  if (body.length <= cap) return { kind: 'whole', body };
  const sha256 = createHash('sha256').update(body).digest('hex');
  return { kind: 'too_large', beginning: body.subarray(0, beginningBytes), bytes: body.length, sha256 };
}
