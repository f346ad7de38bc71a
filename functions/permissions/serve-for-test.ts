import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startIssuer } from '../../local/issuer/index.ts';
import { createTokenVerifier } from '../../shared/google/verify-token.ts';
import { startCounts } from '../../shared/host/metrics.ts';
import { createHost } from '../../shared/host/server.ts';
import { openSettingsSource } from '../../shared/settings/settings-source.ts';
import { createPermissionsHandler } from './handler.ts';
import { permissionsCounts } from './metrics.ts';
import { guards, identity } from './organisations-for-test.ts';
import { createPolicyReader } from './read-policy.ts';
import { type Bindings, seedOf, startStores, startWorld } from './start-for-test.ts';
import { createCallerVerifier } from './verify-caller.ts';

const audience = 'https://permissions.example.com';
/** May do everything. */
export const chief = 'chief@example.com';
/** May give up to editor, in the account 1. */
export const clerk = 'clerk@example.com';
/** May take snapshots. */
export const scheduler = 'scheduler@local.iam.gserviceaccount.com';

const standard: Bindings = {
  'accounts/1': {
    'boss@example.com': ['admin'],
    [chief]: ['admin'],
    'ann@example.com': ['editor', 'no-cost-data'],
  },
  'properties/11': { 'ann@example.com': ['viewer'], 'bob@example.com': ['viewer'] },
  'properties/12': {},
  'accounts/2': { 'boss@example.com': ['admin'] },
  'properties/21': { 'ann@example.com': ['viewer', 'marketer'] },
};

/** What an answer may hold, for tests to look into. */
export interface Body {
  readonly planHash?: string;
  readonly users?: readonly { readonly user: string; readonly bindings: readonly object[] }[];
}

/** Starts permissions on a host of its own, with all that it needs, for callers of a policy. */
export async function servePermissions(bindings: Bindings = standard) {
  const folder = await mkdtemp(join(tmpdir(), 'permissions-'));
  const [stores, issuer] = await Promise.all([
    startStores(),
    startIssuer({ port: 0, keyFile: join(folder, 'key.pem') }),
  ]);
  const file = join(folder, 'policy.json');
  const policy = {
    domains: ['example.com'],
    callers: [
      { email: chief, accounts: 'all', strongestRole: 'admin' },
      { email: clerk, accounts: ['accounts/1'], strongestRole: 'editor' },
    ],
  };
  await writeFile(file, JSON.stringify(policy));
  const world = await startWorld(stores, seedOf(bindings));
  const counts = startCounts(permissionsCounts);
  const source = openSettingsSource(file, () => stores.bucket);
  if (source === undefined) throw new Error(file);
  const verifyToken = createTokenVerifier(
    { audience, emails: [chief, clerk, scheduler] },
    { LOCAL_TOKEN_ISSUER: issuer.url },
  );
  const handler = createPermissionsHandler({
    ...world.context,
    verifyCaller: createCallerVerifier({
      verifyToken,
      what: 'a call',
      log: () => {},
      readPolicy: createPolicyReader(source, () => {}),
    }),
    guards: { ...guards, self: [identity], maximumShareOfRemovals: 0.25, minimumExisting: 5 },
    withinMs: 600_000,
    counts,
    log: () => {},
  });
  const host = createHost(handler);
  await once(host.server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(host.server.address() as AddressInfo).port}`;
  const token = (email: string) => issuer.sign({ audience, email });

  return {
    url,
    world,
    stores,
    counts,
    token,
    async call(path: string, body: object, email: string | null = chief) {
      const answer = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { ...(email !== null && { Authorization: `Bearer ${await token(email)}` }) },
        body: JSON.stringify(body),
      });
      return { status: answer.status, body: (await answer.json()) as Body };
    },
    async close(): Promise<void> {
      await host.drain(5_000);
      await world.close();
      await Promise.all([stores.close(), issuer.close(), rm(folder, { recursive: true })]);
    },
  };
}

export type Served = Awaited<ReturnType<typeof servePermissions>>;
