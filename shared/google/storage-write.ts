import type { protos } from '@google-cloud/bigquery-storage';
import { BigQueryWriteClient } from '@google-cloud/bigquery-storage/build/src/v1/big_query_write_client.js';
import { grpc } from 'google-gax';
import { readLocalEndpoint } from './endpoints.ts';

/** One AppendRows stream: encoded AppendRowsRequests in, AppendRowsResponses out, in the order of the requests. */
export type AppendStream = grpc.ClientDuplexStream<
  Buffer,
  protos.google.cloud.bigquery.storage.v1.IAppendRowsResponse
>;

export interface StorageWriteClient {
  /** `streamName` is `projects/P/datasets/D/tables/T/streams/_default`. Rejects where no credentials can be had. */
  openAppendStream(streamName: string): Promise<AppendStream>;
  close(): Promise<void>;
}

/**
 * The gRPC client of the Storage Write API.
 *
 * It is the generated client, not the managed writer around it: the managed StreamConnection reconnects by itself,
 * never settles what was pending when it does, and WriterClient keeps every connection it ever made.
 */
export function createStorageWriteClient(environment: NodeJS.ProcessEnv): StorageWriteClient {
  const local = readLocalEndpoint('LOCAL_BIGQUERY_STORAGE', environment);
  let client: BigQueryWriteClient | undefined;

  const createClient = () =>
    new BigQueryWriteClient({
      // A connection that died without a word is noticed after 40 s, as the managed writer has it.
      'grpc.keepalive_time_ms': 30_000,
      'grpc.keepalive_timeout_ms': 10_000,
      ...(local && {
        apiEndpoint: local.host,
        port: local.port,
        sslCreds: grpc.credentials.createInsecure(),
        projectId: 'local',
      }),
    });

  return {
    async openAppendStream(streamName) {
      client ??= createClient();
      const current = client;
      try {
        return openStream(await current.initialize(), streamName);
      } catch (error) {
        // A client whose first initialisation failed answers with that failure for ever.
        if (client === current) client = undefined;
        throw error;
      }
    },
    async close() {
      await client?.close();
      client = undefined;
    },
  };
}

/**
 * Opens the stream on the client's own channel, so with its credentials and keepalive, but takes requests as bytes:
 * the client's method would rebuild and copy each row.
 */
function openStream(stub: object, streamName: string): AppendStream {
  if (!(stub instanceof grpc.Client)) throw new TypeError('the Storage Write client has no gRPC stub');
  const { constructor: made } = stub;
  const method = hasService(made) ? made.service.AppendRows : undefined;
  if (method === undefined) throw new TypeError('the Storage Write client has no AppendRows');
  const metadata = new grpc.Metadata();
  // Routes the request to the table's region.
  metadata.set('x-goog-request-params', `write_stream=${streamName}`);
  return stub.makeBidiStreamRequest(
    method.path,
    (bytes: Buffer) => bytes,
    method.responseDeserialize,
    metadata,
    {},
  );
}

/** Whether a class is one that grpc.makeClientConstructor made, which carries the service it was made from. */
function hasService(made: object): made is { service: grpc.ServiceDefinition } {
  return 'service' in made;
}
