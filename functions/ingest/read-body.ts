import { createHash, type Hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createReadBudget, type ReadBudget } from './read-budget.ts';

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

/** What the bodies of an instance hold while they are read; its memory has room for that much. */
const budgetOfInstance = createReadBudget(96 * 1024 * 1024, 256 * 1024);

/**
 * Reads the raw body, whatever its headers claim, up to `cap` bytes; large ones in turns where there are many. Under the
 * stock framework, which has read it already, the bytes are in `rawBody`.
 */
export function readBody(
  request: IncomingMessage & { rawBody?: Buffer },
  cap: number,
  budget: ReadBudget = budgetOfInstance,
): Promise<ReadBody> {
  if (request.rawBody !== undefined) return Promise.resolve(judgeWhole(request.rawBody, cap));
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let excess: { beginning: Buffer; digest: Hash } | undefined;
    const share = budget.open(request);
    const settle = (read: ReadBody) => {
      share.release();
      resolve(read);
    };

    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > patienceBytes) {
        if (bytes > 2 * patienceBytes) request.destroy();
        else if (bytes - chunk.length <= patienceBytes) finish();
      } else if (excess !== undefined) {
        excess.digest.update(chunk);
      } else {
        chunks.push(chunk);
        if (bytes <= cap) return share.add(chunk.length);
        share.release();
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
        settle({
          kind: 'too_large',
          beginning: Buffer.from(beginning),
          bytes,
          sha256: digest.copy().digest('hex'),
        });
      } else {
        const only = chunks.length === 1 ? chunks[0] : undefined;
        settle({ kind: 'whole', body: only ?? Buffer.concat(chunks, bytes) });
      }
    };
    request.on('data', onData);
    request.on('end', finish);
    // After `end` these settle nothing more.
    request.on('error', () => settle({ kind: 'aborted' }));
    request.on('close', () => settle({ kind: 'aborted' }));
  });
}

function judgeWhole(body: Buffer, cap: number): ReadBody {
  if (body.length <= cap) return { kind: 'whole', body };
  const sha256 = createHash('sha256').update(body).digest('hex');
  return { kind: 'too_large', beginning: body.subarray(0, beginningBytes), bytes: body.length, sha256 };
}
