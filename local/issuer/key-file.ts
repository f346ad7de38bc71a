import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

export interface KeyPair {
  privateKey: KeyObject;
  publicKey: KeyObject;
  /** Made from the key, so that it changes only with it. */
  keyId: string;
}

/** Reads the RSA key of a PEM file, or creates it, readable by its owner only. Throws when the file holds another key. */
export async function loadKeyPair(file: string): Promise<KeyPair> {
  const privateKey = createPrivateKey(await readOrCreate(file));
  if (privateKey.asymmetricKeyType !== 'rsa') {
    throw new Error(`${file} holds a key of type ${privateKey.asymmetricKeyType}, expected rsa`);
  }
  const publicKey = createPublicKey(privateKey);
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return { privateKey, publicKey, keyId: createHash('sha256').update(der).digest('hex').slice(0, 40) };
}

async function readOrCreate(file: string): Promise<string> {
  const existing = await read(file);
  if (existing !== undefined) return existing;
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  await mkdir(dirname(file), { recursive: true });
  try {
    await writeFile(file, pem, { mode: 0o600, flag: 'wx' });
    return pem;
  } catch (error) {
    // Another process was first: its key is the one.
    const theirs = await read(file);
    if (theirs === undefined) throw error;
    return theirs;
  }
}

async function read(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
