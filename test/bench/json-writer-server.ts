// The baseline of bench:load: takes the same pushes with the rows as JSON and appends them with the client's own
// JSONWriter, as its documentation shows, checking the result as one must.
import { createServer } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { adapt, managedwriter, protos } from '@google-cloud/bigquery-storage';
import { credentials } from '@grpc/grpc-js';
import { createTokenVerifier } from '../../shared/google/verify-token.ts';

const client = new managedwriter.WriterClient({
  projectId: 'local',
  apiEndpoint: '127.0.0.1',
  port: Number(process.env.STORAGE_PORT),
  sslCreds: credentials.createInsecure(),
});
const destinationTable = 'projects/local/datasets/tributary/tables/event_log';
const { tableSchema } = await client.getWriteStream({
  streamId: `${destinationTable}/streams/_default`,
  view: protos.google.cloud.bigquery.storage.v1.WriteStreamView.FULL,
});
const connection = await client.createStreamConnection({
  streamId: managedwriter.DefaultStream,
  destinationTable,
});
const protoDescriptor = adapt.convertStorageSchemaToProto2Descriptor(tableSchema ?? {}, 'root');
const writer = new managedwriter.JSONWriter({ connection, protoDescriptor });
const verifyToken = createTokenVerifier(
  { audience: process.env.PUSH_AUDIENCE ?? '', emails: [process.env.PUSH_SERVICE_ACCOUNT ?? ''] },
  process.env,
);

createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  if (request.method !== 'POST') return void response.writeHead(200, { 'Content-Length': 0 }).end();
  const token = await verifyToken(request.headers.authorization);
  if (token.kind !== 'verified') return void response.writeHead(403).end();
  const envelope = JSON.parse(Buffer.concat(chunks).toString());
  const rows = JSON.parse(gunzipSync(Buffer.from(envelope.message.data, 'base64')).toString());
  const result = await writer.appendRows(rows).getResult();
  const isStored = !result.error && (result.rowErrors ?? []).length === 0;
  response.writeHead(isStored ? 204 : 503).end();
}).listen(Number(process.env.PORT), '127.0.0.1');
