import { PubSub } from '@google-cloud/pubsub';
import { readLocalEndpoint } from './endpoints.ts';

/** The client of Pub/Sub. Made once per process; the caller closes it. */
export function createPubSub(projectId: string, environment: NodeJS.ProcessEnv): PubSub {
  const local = readLocalEndpoint('LOCAL_PUBSUB', environment);
  if (local === undefined) return new PubSub({ projectId });
  return new PubSub({ projectId, apiEndpoint: `${local.host}:${local.port}`, emulatorMode: true });
}
