import {
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { readCaller } from './caller.ts';
import type { Dispatch } from './dispatch.ts';
import { encodeDetails } from './error-details.ts';
import { readProtos, serviceName } from './service.ts';

/** Serves AnalyticsAdminService of v1alpha on gRPC without TLS. Rejects when the port is taken. */
export async function serveGrpc(
  dispatch: Dispatch,
  { host, port }: { host: string; port: number },
): Promise<{ port: number; close(): Promise<void> }> {
  const server = new Server({ 'grpc.max_receive_message_length': 32 * 1024 * 1024 });
  loaded ??= loadService();
  const service = loaded;
  const unary =
    (method: string): handleUnaryCall<object, object> =>
    (call, callback) => {
      const caller = readCaller(String(call.metadata.get('authorization')[0] ?? ''));
      const answer = dispatch(method, call.request, { caller, transport: 'grpc' });
      if (answer.kind === 'response') return callback(null, answer.response);
      if (answer.kind === 'silence') return;
      const { code, details } = answer.refusal;
      const metadata = new Metadata();
      const encoded = encodeDetails(answer.refusal);
      if (encoded !== undefined) metadata.set('grpc-status-details-bin', encoded);
      callback({ code, details, metadata });
    };
  server.addService(service, Object.fromEntries(Object.keys(service).map((name) => [name, unary(name)])));
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, given) =>
      error === null ? resolve(given) : reject(error),
    );
  });
  return {
    port: bound,
    close() {
      // Calls that hang would keep it open.
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}

/** Reading it takes a quarter of a second. */
let loaded: ServiceDefinition | undefined;

/** The service that Google's own client ships. */
function loadService(): ServiceDefinition {
  const options = { longs: String, enums: String, defaults: false, oneofs: false, arrays: true };
  const definition = fromJSON(readProtos(), options)[serviceName];
  if (definition === undefined || 'format' in definition) throw new Error('no AnalyticsAdminService');
  return definition as ServiceDefinition;
}
