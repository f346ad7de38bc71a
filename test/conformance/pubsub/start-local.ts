import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startIssuer } from '../../../local/issuer/index.ts';
import { startPubSub } from '../../../local/pubsub/index.ts';
import type { Target } from './target.ts';

/** Starts the local Pub/Sub as the local cloud does: with its store in a file and an issuer of tokens. */
export async function startLocal(): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), 'pubsub-local-'));
  const issuer = await startIssuer({ port: 0, keyFile: join(folder, 'key.pem') });
  const server = await startPubSub({
    port: 0,
    file: join(folder, 'pubsub.sqlite'),
    signToken: (claims) => issuer.sign(claims),
  });
  return {
    port: server.port,
    async close() {
      await server.close();
      await issuer.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
