import { v1alpha } from '@google-analytics/admin';
import { credentials } from '@grpc/grpc-js';
import { afterEach } from 'vitest';
import { type AdminApi, type AdminApiOptions, type Seed, startAdminApi } from './index.ts';

const started: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((it) => it.close()));
});

export const CALLER = 'tributary@local.iam.gserviceaccount.com';
export const ADMIN = 'predefinedRoles/admin';
export const VIEWER = 'predefinedRoles/viewer';
export const ANALYST = 'predefinedRoles/analyst';

/** An account with two properties, administered by the caller. */
export const smallSeed: Seed = {
  caller: CALLER,
  users: { refused: ['nobody@example.com'] },
  accounts: [
    {
      id: '1',
      displayName: 'Shops',
      bindings: [
        { id: '10', user: CALLER, roles: [ADMIN] },
        { id: '11', user: 'Ada@example.com', roles: [VIEWER] },
      ],
      properties: [
        {
          id: '101',
          displayName: 'Web shop',
          bindings: [{ id: '20', user: 'ben@example.com', roles: [ANALYST, 'predefinedRoles/marketer'] }],
        },
        { id: '102', displayName: 'App' },
      ],
    },
    { id: '2', displayName: 'Of others', properties: [{ id: '201', displayName: 'Not ours' }] },
  ],
};

/** Starts the API and Google's own client of it; both end with the test. */
export async function startForTest(
  options: Partial<AdminApiOptions> = {},
): Promise<{ api: AdminApi; client: v1alpha.AnalyticsAdminServiceClient }> {
  process.env.METADATA_SERVER_DETECTION = 'none';
  const api = await startAdminApi({ port: 0, seed: smallSeed, ...options });
  const client = new v1alpha.AnalyticsAdminServiceClient({
    apiEndpoint: '127.0.0.1',
    port: api.port,
    sslCreds: credentials.createInsecure(),
  });
  started.push(client, api);
  return { api, client };
}

/** One call, with nothing tried again. */
export const once = { retry: null, timeout: 10_000 } as const;

/** The code and message that a call is refused with. */
export async function refusalOf(call: Promise<unknown>): Promise<{ code: number; details: string }> {
  const error: unknown = await call.then(
    () => new Error('The call was not refused.'),
    (reason: unknown) => reason,
  );
  const { code, details, message } = error as { code?: number; details?: string; message: string };
  return { code: code ?? -1, details: details ?? message };
}
