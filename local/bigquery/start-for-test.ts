import {
  BigQuery,
  type BigQueryOptions as ClientOptions,
  type TableField,
  type TableMetadata,
} from '@google-cloud/bigquery';
import { adapt, managedwriter, protos } from '@google-cloud/bigquery-storage';
import { credentials } from '@grpc/grpc-js';
import { PassThroughClient } from 'google-auth-library';
import { type BigQueryOptions, type BigQueryServer, startBigQuery } from './index.ts';

export const PROJECT = 'local';
export const DATASET = 'tributary';
export const { BASIC: BASIC_VIEW, FULL: FULL_VIEW } = protos.google.cloud.bigquery.storage.v1.WriteStreamView;

/** The Google clients, unmodified, pointed at a local BigQuery. */
export interface LocalClients {
  server: BigQueryServer;
  bigquery: BigQuery;
  writeClient: managedwriter.WriterClient;
  /** Makes a table in the data set `tributary`. */
  createTable(tableId: string, metadata: TableMetadata): Promise<void>;
  /**
   * A writer on a connection of its own to the table's default stream; its schema is the server's, or `fields`.
   */
  openWriter(tableId: string, fields?: TableField[]): Promise<managedwriter.JSONWriter>;
  /** All rows of a table as REST sends them, through tabledata.list. */
  readTable(tableId: string): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** Starts a local BigQuery with an empty data set, and the clients of it. */
export async function startForTest(options: Partial<BigQueryOptions> = {}): Promise<LocalClients> {
  const server = await startBigQuery({ restPort: 0, grpcPort: 0, file: ':memory:', ...options });
  const clients = connectClients(server);
  await clients.bigquery.createDataset(DATASET);
  return clients;
}

/** The clients of a server that is running already. */
export function connectClients(server: BigQueryServer): LocalClients {
  process.env.METADATA_SERVER_DETECTION = 'none';
  const bigquery = new BigQuery({
    projectId: PROJECT,
    apiEndpoint: `http://127.0.0.1:${server.restPort}`,
    // Two copies of google-auth-library are installed; their types differ and their behaviour does not.
    authClient: new PassThroughClient() as unknown as NonNullable<ClientOptions['authClient']>,
  });
  const writeClient = new managedwriter.WriterClient({
    projectId: PROJECT,
    apiEndpoint: '127.0.0.1',
    port: server.grpcPort,
    sslCreds: credentials.createInsecure(),
  });
  const open: managedwriter.JSONWriter[] = [];

  async function serverSchema(destinationTable: string) {
    const streamId = `${destinationTable}/streams/_default`;
    const stream = await writeClient.getWriteStream({ streamId, view: FULL_VIEW });
    return stream.tableSchema ?? {};
  }

  return {
    server,
    bigquery,
    writeClient,
    async createTable(tableId, metadata) {
      await bigquery.dataset(DATASET).createTable(tableId, metadata);
    },
    async openWriter(tableId, fields) {
      const destinationTable = tablePath(tableId);
      const protoDescriptor =
        fields === undefined
          ? adapt.convertStorageSchemaToProto2Descriptor(await serverSchema(destinationTable), 'row')
          : descriptorOf(fields);
      const connection = await writeClient.createStreamConnection({
        streamId: managedwriter.DefaultStream,
        destinationTable,
      });
      // Without a listener, the client throws a stream's permanent failure as an uncaught exception.
      connection.onConnectionError(() => undefined);
      const writer = new managedwriter.JSONWriter({ connection, protoDescriptor });
      open.push(writer);
      return writer;
    },
    async readTable(tableId) {
      const [rows] = await bigquery.dataset(DATASET).table(tableId).getRows({ wrapIntegers: true });
      return rows;
    },
    async close() {
      for (const writer of open) writer.close();
      writeClient.close();
      await server.close();
    },
  };
}

/** The descriptor that the client makes for a schema written as REST writes it. */
export function descriptorOf(fields: TableField[]) {
  return adapt.convertStorageSchemaToProto2Descriptor(
    adapt.convertBigQuerySchemaToStorageTableSchema({ fields }),
    'row',
  );
}

/** `projects/local/datasets/tributary/tables/<id>`. */
export function tablePath(tableId: string): string {
  return `projects/${PROJECT}/datasets/${DATASET}/tables/${tableId}`;
}

/** What a promise rejects with, as an error of Google's clients; throws when it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<{
  code?: number;
  message: string;
  errors?: { reason?: string; message?: string }[];
}> {
  try {
    await promise;
  } catch (error) {
    return error as { code?: number; message: string; errors?: { reason?: string; message?: string }[] };
  }
  throw new Error('the call succeeded');
}
