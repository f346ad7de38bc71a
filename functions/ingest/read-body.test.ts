import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { readBody } from './read-body.ts';
import { createReadBudget } from './read-budget.ts';

test('many large bodies at once are all read whole, in turns, and never hold much together', async () => {
  const bodyBytes = 2_000_000;
  const limit = 4_000_000;
  const budget = createReadBudget(limit, 100_000);
  let held = 0;
  let most = 0;
  const counted: typeof budget = {
    open(reader) {
      const share = budget.open(reader);
      let own = 0;
      return {
        add(bytes) {
          own += bytes;
          held += bytes;
          most = Math.max(most, held);
          share.add(bytes);
        },
        release() {
          held -= own;
          own = 0;
          share.release();
        },
      };
    },
  };
  const server = createServer(async (incoming, response) => {
    const read = await readBody(incoming, 5_000_000, counted);
    response.end(read.kind === 'whole' ? createHash('sha256').update(read.body).digest('hex') : read.kind);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const send = async () => {
    const body = randomBytes(bodyBytes);
    const sending = request({ port, method: 'POST', headers: { 'Content-Length': bodyBytes } });
    sending.end(body);
    const [response] = await once(sending, 'response');
    const chunks: Buffer[] = await response.toArray();
    return Buffer.concat(chunks).toString() === createHash('sha256').update(body).digest('hex');
  };
  expect(await Promise.all(Array.from({ length: 20 }, send))).toEqual(Array(20).fill(true));
  expect(held).toBe(0);
  // One may read on over the limit, and each of the others a piece of what its connection had brought.
  expect(most).toBeLessThan(limit + bodyBytes + 20 * 100_000);
  expect(most).toBeGreaterThan(limit);
  server.close();
});
