import { PubSub, v1 } from '@google-cloud/pubsub';
import { credentials } from '@grpc/grpc-js';
import type { Bench } from './case.ts';
import { type Endpoint, openEndpoint } from './endpoint.ts';

// Else the client library looks for a metadata server and warns.
process.env.METADATA_SERVER_DETECTION = 'none';

/** Google's clients on one server. */
export interface Clients {
  /** What a case needs, in a project of its own; `close` releases what it opened. */
  benchFor(project: string): { bench: Bench; close(): Promise<void> };
  close(): Promise<void>;
}

export function connectClients(port: number): Clients {
  const options = {
    apiEndpoint: '127.0.0.1',
    port,
    sslCreds: credentials.createInsecure(),
    projectId: 'none',
  };
  const topics = new v1.PublisherClient(options);
  const subscriptions = new v1.SubscriberClient(options);
  const schemas = new v1.SchemaServiceClient(options);
  return {
    benchFor(project) {
      const endpoints: Endpoint[] = [];
      let client: PubSub | undefined;
      const bench: Bench = {
        project: `projects/${project}`,
        topics,
        subscriptions,
        schemas,
        get client() {
          client ??= new PubSub({ projectId: project, apiEndpoint: `127.0.0.1:${port}`, emulatorMode: true });
          return client;
        },
        topic: (id) => `projects/${project}/topics/${id}`,
        subscription: (id) => `projects/${project}/subscriptions/${id}`,
        async endpoint(answer) {
          const endpoint = await openEndpoint(answer);
          endpoints.push(endpoint);
          return endpoint;
        },
      };
      return {
        bench,
        async close() {
          await client?.close();
          await Promise.all(endpoints.map((endpoint) => endpoint.close()));
        },
      };
    },
    async close() {
      await Promise.all([topics.close(), subscriptions.close(), schemas.close()]);
    },
  };
}
