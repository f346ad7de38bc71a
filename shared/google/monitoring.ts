import { MetricServiceClient } from '@google-cloud/monitoring';
import { credentials } from '@grpc/grpc-js';
import { readLocalEndpoint } from './endpoints.ts';

/** The client of Cloud Monitoring's metrics. Made once per process; the caller closes it. */
export function createMonitoring(projectId: string, environment: NodeJS.ProcessEnv): MetricServiceClient {
  const local = readLocalEndpoint('LOCAL_MONITORING', environment);
  if (local === undefined) return new MetricServiceClient({ projectId });
  return new MetricServiceClient({
    projectId,
    apiEndpoint: local.host,
    port: local.port,
    sslCreds: credentials.createInsecure(),
  });
}
