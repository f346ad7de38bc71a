import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPublisher } from './pubsub-publisher.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'publisher-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

test('what authorizes the publisher is good for other APIs too, also with the key of a service account', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = {
    type: 'service_account',
    project_id: 'local',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    client_email: 'ingest@local.iam.gserviceaccount.com',
  };
  await writeFile(join(folder, 'key.json'), JSON.stringify(key));
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', join(folder, 'key.json'));
  const publisher = createPublisher('local', 'events', {});
  const { authorization = '' } = await publisher.authorize();
  const claims = decodeJwt(authorization.replace('Bearer ', ''));
  // A token that names an audience is refused by every other API.
  expect(claims.aud).toBeUndefined();
  expect(claims.scope).toBe('https://www.googleapis.com/auth/cloud-platform');
  await publisher.close();
});
