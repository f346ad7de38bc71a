import { createRequire } from 'node:module';
import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import type { Broker } from './broker.ts';
import { publisherMethods } from './publisher.ts';
import { type PullRequest, pull } from './pull.ts';
import { isRefusal, type Refusal, refuse } from './refuse.ts';
import { streamingPull } from './streaming-pull.ts';
import { subscriberMethods } from './subscriber.ts';
import { readPublishRequest } from './wire.ts';

const publisherService = 'google.pubsub.v1.Publisher';
const subscriberService = 'google.pubsub.v1.Subscriber';
const schemaService = 'google.pubsub.v1.SchemaService';

/** Larger than the 10 MB a publish may have, so that a larger one gets Google's answer and not gRPC's. */
const largestRequest = 32 * 1024 * 1024;

/** Serves the broker on gRPC without TLS and resolves with the port and how to stop. */
export async function serve(
  broker: Broker,
  { host, port, log }: { host: string; port: number; log: (line: string) => void },
): Promise<{ port: number; close(): Promise<void> }> {
  const server = new Server({
    'grpc.max_receive_message_length': largestRequest,
    'grpc.max_send_message_length': -1,
  });
  const definitions = loadDefinitions();

  const unary =
    <Request, Response>(
      method: (request: Request, call: ServerUnaryCall<Request, Response>) => Response | Promise<Response>,
    ): handleUnaryCall<Request, Response> =>
    async (call, callback) => {
      try {
        callback(null, await method(call.request, call));
      } catch (error) {
        callback(asRefusal(error, log));
      }
    };
  const allUnary = (methods: object): UntypedServiceImplementation =>
    Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, unary(method)]));

  server.addService(definitions.publisher, allUnary(publisherMethods(broker)));
  server.addService(definitions.subscriber, {
    ...allUnary(subscriberMethods(broker)),
    Pull: unary((request: PullRequest, call) => pull(broker, request, call)),
    StreamingPull: (stream: Parameters<typeof streamingPull>[1]) => streamingPull(broker, stream),
  });
  // Without methods each of its calls answers UNIMPLEMENTED.
  server.addService(definitions.schemas, {});

  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, given) =>
      error === null ? resolve(given) : reject(error),
    );
  });
  return {
    port: bound,
    close: () =>
      new Promise((resolve) => {
        const force = setTimeout(() => server.forceShutdown(), 1000);
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        });
      }),
  };
}

/** The services Google's own client ships, with the busiest messages passed as bytes. */
function loadDefinitions() {
  const json: object = createRequire(import.meta.url)('@google-cloud/pubsub/build/protos/protos.json');
  const loaded = fromJSON(json, {
    longs: String,
    enums: String,
    defaults: false,
    oneofs: true,
    arrays: false,
  });
  const service = (name: string): ServiceDefinition => {
    const definition = loaded[name];
    if (definition === undefined || 'format' in definition) throw new Error(`no service ${name}`);
    return definition as ServiceDefinition;
  };
  const bytes = (value: Buffer) => value;
  const publisher = service(publisherService);
  const subscriber = service(subscriberService);
  return {
    publisher: {
      ...publisher,
      Publish: { ...publisher.Publish!, requestDeserialize: readPublishRequest, responseSerialize: bytes },
    },
    subscriber: {
      ...subscriber,
      Pull: { ...subscriber.Pull!, responseSerialize: bytes },
      StreamingPull: { ...subscriber.StreamingPull!, responseSerialize: bytes },
    },
    schemas: service(schemaService),
  };
}

function asRefusal(error: unknown, log: (line: string) => void): Refusal {
  if (isRefusal(error)) return error;
  log(`pubsub: ${error instanceof Error ? error.stack : error}`);
  return refuse(status.INTERNAL, `${error}`);
}
