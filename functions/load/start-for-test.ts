import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import type { TableField } from '@google-cloud/bigquery';
import { type BigQueryOptions, startBigQuery } from '../../local/bigquery/index.ts';
import { startIssuer, type TokenClaims } from '../../local/issuer/index.ts';
import { createBigQuery } from '../../shared/google/bigquery.ts';
import { createStorageWriteClient } from '../../shared/google/storage-write.ts';
import { createTokenVerifier } from '../../shared/google/verify-token.ts';
import { startCounts } from '../../shared/host/metrics.ts';
import { createHost } from '../../shared/host/server.ts';
import { encodeRow } from '../../shared/warehouse/encode-row.ts';
import { type EventBatch, encodeEventBatch } from '../../shared/warehouse/event-batch.ts';
import type { EventLogRow, QuarantineRow } from '../../shared/warehouse/generated/row-types.ts';
import { createRowBuffer } from '../../shared/warehouse/row-buffer.ts';
import { currentSchemaVersion } from '../../shared/warehouse/schema-versions.ts';
import { eventLog, quarantine } from '../../shared/warehouse/tables/index.ts';
import { createWriter, type WriterLimits } from '../../shared/warehouse/writer.ts';
import { createLoadHandler } from './handler.ts';
import { loadCounts } from './metrics.ts';

export const audience = 'https://load.example.com';
export const pusher = 'pusher@local.iam.gserviceaccount.com';
const dataset = 'tributary';
/** Pub/Sub's pushes are taken on any path. */
export const hastyPath = '/hasty';

export interface Push {
  readonly batch?: Partial<EventBatch>;
  /** To the handler whose acknowledgement deadline is so short that it gives up after a second. */
  readonly hasty?: boolean;
  /** In place of the encoded batch. */
  readonly data?: Uint8Array;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly messageId?: string;
  readonly token?: Partial<TokenClaims> | null;
}

/** Starts `load` on its own host, against a local BigQuery and a local issuer of tokens. */
export async function startLoad(given: Partial<BigQueryOptions> & { limits?: Partial<WriterLimits> } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'load-'));
  const server = await startBigQuery({
    restPort: 0,
    grpcPort: 0,
    file: ':memory:',
    estimatesBytes: false,
    ...given,
  });
  const issuer = await startIssuer({ port: 0, keyFile: join(folder, 'key.pem') });
  const environment: NodeJS.ProcessEnv = {
    LOCAL_BIGQUERY: `127.0.0.1:${server.restPort}`,
    LOCAL_BIGQUERY_STORAGE: `127.0.0.1:${server.grpcPort}`,
    LOCAL_TOKEN_ISSUER: issuer.url,
  };
  process.env.METADATA_SERVER_DETECTION = 'none';
  const bigquery = createBigQuery('local', environment);
  await bigquery.createDataset(dataset);
  for (const table of ['event_log', 'state_log', 'quarantine']) await createTable(table);

  async function createTable(name: string): Promise<void> {
    const file = new URL(`../../infra/tables/${name}.json`, import.meta.url);
    const { schema, partitionBy }: { schema: TableField[]; partitionBy: string } = JSON.parse(
      await readFile(file, 'utf8'),
    );
    const timePartitioning = { type: 'DAY', field: partitionBy };
    await bigquery.dataset(dataset).createTable(name, { schema: { fields: schema }, timePartitioning });
  }

  const client = createStorageWriteClient(environment);
  const writer = createWriter({
    client,
    project: 'local',
    dataset,
    limits: { firstRetryDelayMs: 5, longestRetryDelayMs: 50, appendTimeoutMs: 60_000, ...given.limits },
  });
  const logged: { severity: string; message: string; [field: string]: unknown }[] = [];
  const counts = startCounts(loadCounts);
  const verifyToken = createTokenVerifier({ audience, emails: [pusher] }, environment);
  const handlerOf = (ackDeadlineSeconds: number) =>
    createLoadHandler({
      counts,
      verifyToken,
      writer,
      ackDeadlineSeconds,
      log: (severity, message, fields) => logged.push({ severity, message, ...fields }),
    });
  // Time enough for what shall succeed, however busy the machine is.
  const handler = handlerOf(600);
  const hasty = handlerOf(6);
  const host = createHost((request, response) =>
    request.url?.startsWith(hastyPath) ? hasty(request, response) : handler(request, response),
  );
  await once(host.server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(host.server.address() as AddressInfo).port}/`;

  async function post(body: string, token: Push['token'] = {}, path = '/'): Promise<Response> {
    const signed = token && (await issuer.sign({ audience, email: pusher, ...token }));
    const headers = {
      'Content-Type': 'application/json',
      ...(signed && { Authorization: `Bearer ${signed}` }),
    };
    return fetch(new URL(path, url), { method: 'POST', headers, body });
  }

  return {
    url,
    logged,
    counts,
    bigquery,
    createTable,
    post,
    /** A token that is accepted. */
    sign: () => issuer.sign({ audience, email: pusher }),
    push: (push: Push): Promise<Response> =>
      post(JSON.stringify(wrap(push)), push.token, push.hasty ? hastyPath : '/'),
    async rows(table: string): Promise<Record<string, unknown>[]> {
      const [rows] = await bigquery.dataset(dataset).table(table).getRows({ wrapIntegers: false });
      return rows;
    },
    deleteTable: (name: string) => bigquery.dataset(dataset).table(name).delete(),
    async close() {
      await host.drain(5_000);
      await writer.close();
      await client.close();
      await Promise.all([server.close(), issuer.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

let lastMessage = 0;

/** The envelope that Pub/Sub posts, with a zstd batch unless told otherwise. */
export function wrap({ batch = {}, data, attributes, messageId = `m${++lastMessage}` }: Push) {
  const bytes =
    data ??
    zstdCompressSync(encodeEventBatch({ events: [], quarantine: [], state: [], stateOnly: [], ...batch }));
  return {
    message: {
      attributes: {
        batch_id: 'batch-1',
        dialect: 'segment',
        project: 'shop',
        encoding: 'zstd',
        schema_version: String(currentSchemaVersion),
        ...attributes,
      },
      data: Buffer.from(bytes).toString('base64'),
      messageId,
      message_id: messageId,
      publishTime: new Date().toISOString(),
      publish_time: new Date().toISOString(),
    },
    subscription: 'projects/local/subscriptions/events-load',
  };
}

const buffer = createRowBuffer();

/** An encoded row of event_log. */
export function eventRow(row: Partial<EventLogRow> = {}): Buffer {
  const now = Date.now() * 1_000;
  const whole: EventLogRow = {
    event_id: 'e1',
    request_hash: 'hash-1',
    project: 'shop',
    dialect: 'segment',
    kind: 'track',
    name: 'bought',
    occurred_at: now,
    time_source: 'sender',
    received_at: now,
    debug: 0,
    properties: '{"price":1}',
    batch_id: 'batch-1',
    batch_index: 0,
    ...row,
  };
  return encode(eventLog, { ...whole });
}

/** An encoded row of quarantine. */
export function quarantineRow(row: Partial<QuarantineRow> = {}): Buffer {
  const whole: QuarantineRow = {
    quarantine_id: 'q1',
    dialect: 'segment',
    batch_id: 'batch-1',
    request_hash: 'hash-1',
    method: 'POST',
    path: '/v1/batch',
    unit: 'request',
    body: Buffer.from('{'),
    body_bytes: 1,
    received_at: Date.now() * 1_000,
    reason: 'invalid_json',
    replayable: true,
    ...row,
  };
  return encode(quarantine, { ...whole });
}

function encode(table: typeof eventLog, row: Record<string, unknown>): Buffer {
  buffer.reset();
  encodeRow(buffer, table, row);
  return Buffer.from(buffer.bytes(0, buffer.length));
}
