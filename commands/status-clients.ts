import { once } from 'node:events';
import { connect } from 'node:net';
import { createBigQuery } from '../shared/google/bigquery.ts';
import { openBucket } from '../shared/google/cloud-storage.ts';
import { createMonitoring } from '../shared/google/monitoring.ts';
import { clientEnvironment } from './endpoints.ts';
import type { Clients } from './status-read.ts';

/** Opens the clients of the local cloud, or of a project of Google's with the credentials of the environment. */
export function openClients(
  project: string,
  bucket: string | undefined,
  given: NodeJS.ProcessEnv,
): Clients & { close(): Promise<void> } {
  const environment = clientEnvironment(project, given);
  const monitoring = createMonitoring(project, environment);
  const spill = bucket === undefined ? undefined : openBucket(bucket, environment);
  return {
    monitoring,
    bigquery: createBigQuery(project, environment),
    spill,
    find: {
      bigquery: () => untilAnswered(environment.LOCAL_BIGQUERY),
      storage: () => untilAnswered(environment.LOCAL_STORAGE),
    },
    async close() {
      spill?.close();
      // Where it never was opened there is nothing to close.
      await monitoring.close().catch(() => undefined);
    },
  };
}

/** Rejects where nothing listens at `host:port`. */
async function untilAnswered(endpoint: string | undefined): Promise<void> {
  if (endpoint === undefined) return;
  const { hostname, port } = new URL(`http://${endpoint}`);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
