import type { Duplex } from 'node:stream';
import { BigQueryWriteClient } from '@google-cloud/bigquery-storage/build/src/v1/big_query_write_client.js';
import { grpc } from 'google-gax';
import { readLocalEndpoint } from './endpoints.ts';

/** One AppendRows stream: AppendRowsRequest in, AppendRowsResponse out, answered in the order they were sent. */
export type AppendStream = Duplex & { cancel(): void };

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
        await current.initialize();
      } catch (error) {
        // A client whose first initialisation failed answers with that failure for ever.
        if (client === current) client = undefined;
        throw error;
      }
      return current.appendRows({
        // Routes the request to the table's region.
        otherArgs: { headers: { 'x-goog-request-params': `write_stream=${streamName}` } },
      });
    },
    async close() {
      await client?.close();
      client = undefined;
    },
  };
}
