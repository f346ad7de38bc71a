import {
  type handleBidiStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
  type StatusObject,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { CatalogStore } from '../catalog.ts';
import type { BigQueryFaults } from '../faults.ts';
import type { GroupCommit } from '../group-commit.ts';
import { type AppendOutcome, openAppendConnection, type PartitionBounds } from './append.ts';
import {
  type AppendRowsRequest,
  decodeAppendRowsRequest,
  decodeGetWriteStreamRequest,
  encodeAppendRowsResponse,
  encodeStatus,
  encodeWriteStream,
  STORAGE_ERROR_STREAM_NOT_FOUND,
  STORAGE_ERROR_TABLE_NOT_FOUND,
  type StatusDetails,
} from './messages.ts';
import { WireError } from './proto-wire.ts';
import { parseStreamName, tablePath } from './stream-name.ts';

export interface StorageWriteOptions {
  host: string;
  port: number;
  catalog: CatalogStore;
  groupCommit: GroupCommit;
  partitionBounds: PartitionBounds;
  now: () => Date;
  faults: BigQueryFaults;
  log: (line: string) => void;
}

export interface StorageWriteServer {
  port: number;
  close(): Promise<void>;
}

const WRITE_SERVICE = 'google.cloud.bigquery.storage.v1.BigQueryWrite';
const READ_SERVICE = 'google.cloud.bigquery.storage.v1.BigQueryRead';
const REFUSED_METHODS = {
  [WRITE_SERVICE]: ['CreateWriteStream', 'FinalizeWriteStream', 'BatchCommitWriteStreams', 'FlushRows'],
  [READ_SERVICE]: ['CreateReadSession', 'ReadRows', 'SplitReadStream'],
};
/** Above the 10 MB that AppendRows refuses with a message of its own. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

/** Requests of one connection, and their bytes, that are decoded and not yet answered; more wait in gRPC's flow control. */
const MAX_IN_FLIGHT = { requests: 1_000, bytes: 64 * 1024 * 1024 };

/** Serves the default stream of the Storage Write API; every other method answers UNIMPLEMENTED with its name. */
export async function startStorageWrite(options: StorageWriteOptions): Promise<StorageWriteServer> {
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  });
  const open = new Map<ServerDuplexStream<Buffer, Buffer>, { finish(): Promise<void> }>();
  const appendRows: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    call.on('close', () => open.delete(call));
    open.set(call, serveAppendRows(call, options));
  };
  const getWriteStream: handleUnaryCall<Buffer, Buffer> = (call, callback) => {
    const answer = describeStream(call.request, options.catalog);
    if (Buffer.isBuffer(answer)) callback(null, answer);
    else callback(toStatus(answer));
  };
  addMethods(server, WRITE_SERVICE, { AppendRows: appendRows, GetWriteStream: getWriteStream });
  addMethods(server, READ_SERVICE, {});

  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${options.host}:${options.port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    port,
    async close() {
      // Clients keep their AppendRows connections open for good, so a graceful shutdown alone would never end.
      await Promise.all([...open.values()].map((connection) => connection.finish()));
      const graceful = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      const limit = setTimeout(() => server.forceShutdown(), 500);
      await graceful;
      clearTimeout(limit);
    },
  };
}

function addMethods(
  server: Server,
  service: keyof typeof REFUSED_METHODS,
  implemented: UntypedServiceImplementation,
): void {
  const implementation: UntypedServiceImplementation = { ...implemented };
  for (const method of REFUSED_METHODS[service]) {
    const refuse: handleUnaryCall<Buffer, Buffer> = (_call, callback) =>
      callback(
        toStatus({
          code: status.UNIMPLEMENTED,
          message: `${service}.${method} is not supported by the local BigQuery; only the default stream is.`,
        }),
      );
    implementation[method] = refuse;
  }
  const definition: Record<string, ServiceDefinition[string]> = {};
  const same = (bytes: Buffer) => bytes;
  for (const method of Object.keys(implementation)) {
    const streaming = method === 'AppendRows';
    definition[method] = {
      path: `/${service}/${method}`,
      requestStream: streaming,
      responseStream: streaming,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    };
  }
  server.addService(definition, implementation);
}

/**
 * Answers in the order of the requests, as the API promises, while the appends themselves overlap. Each request is
 * decoded and queued in order too, since a later one may rely on the schema of an earlier one.
 */
function serveAppendRows(
  call: ServerDuplexStream<Buffer, Buffer>,
  options: StorageWriteOptions,
): { finish(): Promise<void> } {
  const connection = openAppendConnection(options);
  let lastAnswer: Promise<void> = Promise.resolve();
  let broken = false;
  let silent = false;
  let closing = false;
  const inFlight = { requests: 0, bytes: 0 };

  call.on('data', (bytes: Buffer) => {
    if (broken || silent || closing) return;
    inFlight.requests += 1;
    inFlight.bytes += bytes.length;
    if (isFull()) call.pause();
    const outcome = handle(bytes);
    lastAnswer = lastAnswer.then(async () => {
      const answer = await outcome;
      if (answer === 'silence') silent = true;
      else if (!silent) send(answer);
      inFlight.requests -= 1;
      inFlight.bytes -= bytes.length;
      if (call.isPaused() && !isFull()) call.resume();
    });
  });
  call.on('end', () => {
    void lastAnswer.then(() => {
      if (!broken) call.end();
    });
  });
  call.on('cancelled', () => {
    broken = true;
  });
  call.on('error', () => {
    broken = true;
  });

  /** Answers what has been read, reads no more, and breaks the stream. */
  async function finish(): Promise<void> {
    closing = true;
    await lastAnswer;
    send(breaking(status.UNAVAILABLE, 'The server is shutting down.'));
  }

  function isFull(): boolean {
    return inFlight.requests >= MAX_IN_FLIGHT.requests || inFlight.bytes >= MAX_IN_FLIGHT.bytes;
  }

  async function handle(bytes: Buffer): Promise<AppendOutcome | 'silence'> {
    try {
      return await appendWithFaults(decodeAppendRowsRequest(bytes));
    } catch (error) {
      if (error instanceof WireError) {
        return breaking(status.INVALID_ARGUMENT, `Invalid AppendRowsRequest: ${error.message}`);
      }
      options.log(`append failed: ${error instanceof Error ? error.stack : String(error)}`);
      return breaking(status.INTERNAL, error instanceof Error ? error.message : String(error));
    }
  }

  async function appendWithFaults(request: AppendRowsRequest): Promise<AppendOutcome | 'silence'> {
    const { faults } = options;
    if (faults.refuseAppends) return breaking(status.UNAVAILABLE, 'The service is currently unavailable.');
    if (faults.appendFailRate > 0 && faults.random() < faults.appendFailRate) {
      const error = { code: status.UNAVAILABLE, message: 'The service is currently unavailable.' };
      return { kind: 'answer', response: { writeStream: request.writeStream, error } };
    }
    const lost = faults.appendStoredThenLostRate > 0 && faults.random() < faults.appendStoredThenLostRate;
    const delayMs = faults.appendDelayMs;
    const outcome = await connection.append(request);
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    const stored = outcome.kind === 'answer' && outcome.response.error === undefined;
    if (!lost || !stored) return outcome;
    return faults.random() < 0.5 ? breaking(status.UNAVAILABLE, 'Connection reset.') : 'silence';
  }

  function send(outcome: AppendOutcome): void {
    if (broken) return;
    if (outcome.kind === 'answer') {
      call.write(encodeAppendRowsResponse(outcome.response));
      return;
    }
    broken = true;
    call.emit('error', toStatus(outcome.error));
  }

  return { finish };
}

function breaking(code: number, message: string): AppendOutcome {
  return { kind: 'breakStream', error: { code, message } };
}

function describeStream(bytes: Buffer, catalog: CatalogStore): Buffer | StatusDetails {
  let request: ReturnType<typeof decodeGetWriteStreamRequest>;
  try {
    request = decodeGetWriteStreamRequest(bytes);
  } catch (error) {
    return { code: status.INVALID_ARGUMENT, message: `Invalid GetWriteStreamRequest: ${String(error)}` };
  }
  const stream = parseStreamName(request.name);
  if (stream.kind === 'invalid') {
    return { code: status.INVALID_ARGUMENT, message: `Invalid stream name: '${request.name}'` };
  }
  const { projectId, datasetId, tableId } = stream.table;
  const entry = catalog.find('table', [projectId, datasetId, tableId]);
  if (entry?.kind !== 'table' || stream.kind === 'other') {
    const entity = stream.kind === 'other' ? request.name : tablePath(stream.table);
    return {
      code: status.NOT_FOUND,
      message: `Requested entity was not found. Entity: ${entity}`,
      storageError: {
        code: stream.kind === 'other' ? STORAGE_ERROR_STREAM_NOT_FOUND : STORAGE_ERROR_TABLE_NOT_FOUND,
        entity,
      },
    };
  }
  return encodeWriteStream({
    name: stream.canonical,
    createdAtMs: entry.creationTime,
    location: 'US',
    ...(request.view === 2 ? { fields: entry.fields } : {}),
  });
}

function toStatus(details: StatusDetails): StatusObject & Error {
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', encodeStatus(details));
  return Object.assign(new Error(details.message), {
    code: details.code,
    details: details.message,
    metadata,
  });
}
