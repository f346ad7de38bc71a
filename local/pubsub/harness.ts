import { createServer, type IncomingHttpHeaders } from 'node:http';
import { PubSub, v1 } from '@google-cloud/pubsub';
import { credentials } from '@grpc/grpc-js';
import { type PubSubOptions, type PubSubServer, startPubSub } from './index.ts';

// Else the client library looks for a metadata server and warns.
process.env.METADATA_SERVER_DETECTION = 'none';

/** A server on a free port with Google's own client on it, for the tests of this folder. */
export interface Bench {
  server: PubSubServer;
  client: PubSub;
  close(): Promise<void>;
}

export async function openBench(options: Partial<PubSubOptions> = {}): Promise<Bench> {
  const server = await startPubSub({ port: 0, file: ':memory:', ...options });
  const client = connect(server.port);
  return {
    server,
    client,
    async close() {
      await client.close();
      await server.close();
    },
  };
}

export function connect(port: number): PubSub {
  return new PubSub({ projectId: 'local', apiEndpoint: `127.0.0.1:${port}`, emulatorMode: true });
}

/** The client below the streaming one, for single calls. */
export function connectSubscriber(port: number): v1.SubscriberClient {
  return new v1.SubscriberClient({
    projectId: 'local',
    apiEndpoint: '127.0.0.1',
    port,
    sslCreds: credentials.createInsecure(),
  });
}

export interface Push {
  at: number;
  headers: IncomingHttpHeaders;
  url: string;
  body: {
    message: Record<string, string> & { attributes?: Record<string, string> };
    subscription: string;
    deliveryAttempt?: number;
  };
}

/** An endpoint that records pushes and answers what `answer` says; undefined is no answer at all. */
export async function openEndpoint(answer: (push: Push, count: number) => number | undefined) {
  const pushes: Push[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString());
      const push: Push = { at: Date.now(), headers: request.headers, url: request.url ?? '', body };
      pushes.push(push);
      const code = answer(push, pushes.length);
      if (code !== undefined) response.writeHead(code).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/push`,
    pushes,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Waits until the condition holds; rejects just before a test is given up, since the machine may be busy with other tests. */
export async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 85_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never held: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
