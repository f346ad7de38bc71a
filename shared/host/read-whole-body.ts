import type { IncomingMessage } from 'node:http';

export type Body =
  | { readonly kind: 'read'; readonly bytes: Buffer }
  | { readonly kind: 'too_large' }
  /** The sender hung up; there is nobody to answer. */
  | { readonly kind: 'aborted' };

/** Reads the whole body of a request, or what the stock framework has read of it already (`rawBody`). */
export async function readWholeBody(request: IncomingMessage, maxBytes: number): Promise<Body> {
  if ('rawBody' in request && Buffer.isBuffer(request.rawBody)) {
    const bytes = request.rawBody;
    return bytes.length > maxBytes ? { kind: 'too_large' } : { kind: 'read', bytes };
  }
  if (Number(request.headers['content-length']) > maxBytes) return { kind: 'too_large' };
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) {
        request.pause();
        resolve({ kind: 'too_large' });
        return;
      }
      chunks.push(chunk);
    });
    request.on('end', () => {
      const [only] = chunks;
      const bytes = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, length);
      resolve({ kind: 'read', bytes });
    });
    request.on('error', () => resolve({ kind: 'aborted' }));
    request.on('close', () => resolve({ kind: 'aborted' }));
  });
}
