import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readLocalEndpoint, readLocalUrl } from './endpoints.ts';

const source = fileURLToPath(new URL('./endpoints.ts', import.meta.url));

function readInProcess(environment: Record<string, string>) {
  const script = `
    import { readLocalEndpoint, readLocalUrl } from ${JSON.stringify(source)};
    readLocalEndpoint('LOCAL_PUBSUB', process.env);
    readLocalUrl('LOCAL_TOKEN_ISSUER', process.env);
    console.log('started');
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env.PATH, ...environment },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('local endpoints', () => {
  test('are the real cloud when unset', () => {
    expect(readLocalEndpoint('LOCAL_PUBSUB', { LOCAL_PUBSUB: '' })).toBeUndefined();
    expect(readLocalUrl('LOCAL_TOKEN_ISSUER', { K_SERVICE: 'load' })).toBeUndefined();
  });

  test('are read as host and port, or as a URL', () => {
    const environment: NodeJS.ProcessEnv = {
      LOCAL_PUBSUB: '127.0.0.1:8085',
      LOCAL_TOKEN_ISSUER: 'http://x:1/',
    };
    expect(readLocalEndpoint('LOCAL_PUBSUB', environment)).toEqual({ host: '127.0.0.1', port: 8085 });
    expect(readLocalUrl('LOCAL_TOKEN_ISSUER', environment)).toBe('http://x:1');
    expect(environment.METADATA_SERVER_DETECTION).toBe('none');
  });

  test.each([
    [{ LOCAL_PUBSUB: 'localhost' }, 'LOCAL_PUBSUB must be host:port, not "localhost".\n'],
    [{ LOCAL_PUBSUB: 'localhost:99999' }, 'LOCAL_PUBSUB must be host:port, not "localhost:99999".\n'],
    [{ LOCAL_TOKEN_ISSUER: 'localhost:1' }, 'LOCAL_TOKEN_ISSUER must be a URL, not "localhost:1".\n'],
    [
      { K_SERVICE: 'load', LOCAL_SOMETHING: 'x' },
      'LOCAL_SOMETHING must not be set on Cloud Run (K_SERVICE is load).\n',
    ],
  ])('that are wrong, or set on Cloud Run, keep the process from starting: %j', (environment, stderr) => {
    expect(readInProcess(environment)).toEqual({ status: 1, stdout: '', stderr });
  });
});
