import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { World } from '../world.ts';

/** A key as Google's console hands it out, as JSON. */
export interface ServiceAccountKey {
  type: 'service_account';
  project_id: string;
  private_key_id: string;
  private_key: string;
  client_email: string;
  client_id: string;
  token_uri: string;
}

/** Makes a key for one of the seed's service accounts: `/token` takes what it signs from now on. */
export function createServiceAccountKey(world: World, email: string, tokenUri: string): ServiceAccountKey {
  if (!world.seed.serviceAccounts.includes(email)) {
    throw new RangeError(`The seed has no service account ${email}.`);
  }
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const keyId = randomBytes(20).toString('hex');
  world.keys.set(keyId, { email, publicKey });
  return {
    type: 'service_account',
    project_id: 'local',
    private_key_id: keyId,
    private_key: privateKey,
    client_email: email,
    client_id: '100000000000000000001',
    token_uri: tokenUri,
  };
}
