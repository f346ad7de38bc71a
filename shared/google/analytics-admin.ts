import { AnalyticsAdminServiceClient } from '@google-analytics/admin/build/src/v1alpha/analytics_admin_service_client.js';
import { credentials } from '@grpc/grpc-js';
import { readLocalEndpoint } from './endpoints.ts';

export type AnalyticsAdminClient = AnalyticsAdminServiceClient;

/** What a call may be about, least first: developers.google.com/identity/protocols/oauth2/scopes#analyticsadmin */
const scopes = [
  'https://www.googleapis.com/auth/analytics.manage.users',
  'https://www.googleapis.com/auth/analytics.edit',
];

/**
 * The gRPC client of the Google Analytics Admin API, v1alpha: the only version that has access bindings.
 *
 * By itself it repeats a batchCreate whose answer was lost, and then throws ALREADY_EXISTS although everything was
 * stored: give `{retry: null}` with every call. `keyFile` holds a service account or the refresh token of a person, for
 * where Google Analytics takes no service accounts; without it the credentials are those of the environment.
 */
export function createAnalyticsAdminClient(
  environment: NodeJS.ProcessEnv,
  keyFile?: string,
): AnalyticsAdminClient {
  const local = readLocalEndpoint('LOCAL_ANALYTICS_ADMIN', environment);
  return new AnalyticsAdminServiceClient({
    scopes,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    ...(keyFile !== undefined && { keyFilename: keyFile }),
    ...(local && {
      apiEndpoint: local.host,
      port: local.port,
      sslCreds: credentials.createInsecure(),
      projectId: 'local',
    }),
  });
}
