import { setTimeout as wait } from 'node:timers/promises';
import type { TableField } from '@google-cloud/bigquery';
import { protos, v1 } from '@google-cloud/bigquery-storage';
import { credentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DATASET, type LocalClients, startForTest, tablePath } from '../../local/bigquery/start-for-test.ts';
import { connectTo, field, rowsOf } from './bigquery-append.ts';

let local: LocalClients;
/** Google's generated client, below the managed writer: what is sent is what the test writes. */
let client: v1.BigQueryWriteClient;

beforeAll(async () => {
  local = await startForTest({ now: () => new Date('2026-11-21T12:00:00Z') });
  client = new v1.BigQueryWriteClient({
    apiEndpoint: '127.0.0.1',
    port: local.server.grpcPort,
    sslCreds: credentials.createInsecure(),
  });
});
afterAll(async () => {
  await client.close();
  await local.close();
});

const string = (name: string, mode = 'NULLABLE'): TableField => ({ name, type: 'STRING', mode });
const streamOf = (tableId: string) => `${tablePath(tableId)}/streams/_default`;

let made = 0;
async function newTable(fields: TableField[], more: object = {}): Promise<string> {
  made += 1;
  await local.createTable(`t${made}`, { schema: { fields }, ...more });
  return `t${made}`;
}

const connect = () => connectTo(client);
const read = async (tableId: string) => local.readTable(tableId);

// https://cloud.google.com/bigquery/docs/write-api#default_stream
// https://cloud.google.com/bigquery/docs/reference/storage/rpc/google.cloud.bigquery.storage.v1#appendrowsrequest
describe('the default stream', () => {
  test('takes rows without being created, and they are read as soon as they are acknowledged', async () => {
    const table = await newTable([string('a')]);
    const { stream, send } = connect();
    const { answer } = await send({
      writeStream: streamOf(table),
      ...rowsOf([string('a')], [field(1, 'x')]),
    });
    expect(answer?.error).toBeFalsy();
    expect(answer?.rowErrors).toEqual([]);
    expect(await read(table)).toEqual([{ a: 'x' }]);
    stream.end();
  });

  // "For explicitly created write streams ... offset": the default stream answers no offset.
  test('answers no offset', async () => {
    const table = await newTable([string('a')]);
    const { stream, send } = connect();
    const { answer } = await send({
      writeStream: streamOf(table),
      ...rowsOf([string('a')], [field(1, 'x')]),
    });
    expect(answer?.appendResult?.offset ?? null).toBeNull();
    stream.end();
  });

  // "writer_schema: ... must be set in the first request on a connection; may be omitted later", and write_stream too.
  test('needs stream and schema in the first request of a connection only', async () => {
    const table = await newTable([string('a')]);
    const { stream, send } = connect();
    await send({ writeStream: streamOf(table), ...rowsOf([string('a')], [field(1, 'first')]) });
    const later = await send({ protoRows: { rows: { serializedRows: [field(1, 'later')] } } });
    expect(later.answer?.error).toBeFalsy();
    expect(await read(table)).toEqual([{ a: 'first' }, { a: 'later' }]);
    stream.end();
    const other = connect();
    const refused = await other.send({
      writeStream: streamOf(table),
      protoRows: { rows: { serializedRows: [field(1, 'x')] } },
    });
    expect(refused.error?.code ?? refused.answer?.error?.code).toBe(status.INVALID_ARGUMENT);
  });

  // "trace_id: Id set by client to annotate its identity. Only initial request setting is respected": optional.
  test('takes requests with and without a trace id', async () => {
    const table = await newTable([string('a')]);
    for (const traceId of ['', 'Tributary:load']) {
      const { stream, send } = connect();
      const request = {
        writeStream: streamOf(table),
        traceId,
        ...rowsOf([string('a')], [field(1, traceId)]),
      };
      expect((await send(request)).answer?.error).toBeFalsy();
      stream.end();
    }
    expect(await read(table)).toEqual([{ a: '' }, { a: 'Tributary:load' }]);
  });

  // https://cloud.google.com/bigquery/docs/write-api#connection_pooling_or_multiplexing
  test('takes rows of several tables on one connection, each with its schema', async () => {
    const [one, other] = [await newTable([string('a')]), await newTable([string('b')])];
    const { stream, send } = connect();
    for (const value of ['1', '2']) {
      await send({ writeStream: streamOf(one), ...rowsOf([string('a')], [field(1, value)]) });
      await send({ writeStream: streamOf(other), ...rowsOf([string('b')], [field(1, value)]) });
    }
    expect(await read(one)).toEqual([{ a: '1' }, { a: '2' }]);
    expect(await read(other)).toEqual([{ b: '1' }, { b: '2' }]);
    stream.end();
  });

  test('refuses an offset', async () => {
    const table = await newTable([string('a')]);
    const { send } = connect();
    const request = {
      writeStream: streamOf(table),
      offset: { value: 0 },
      ...rowsOf([string('a')], [field(1, 'x')]),
    };
    expect((await send(request)).error?.code).toBe(status.INVALID_ARGUMENT);
    expect(await read(table)).toEqual([]);
  });
});

// https://cloud.google.com/bigquery/docs/write-api-best-practices#error_handling
// storage.proto, RowError: "Index of the malformed row in the request"
describe('a request with bad rows', () => {
  const fields = [string('id', 'REQUIRED'), { name: 'at', type: 'TIMESTAMP' }, { name: 'j', type: 'JSON' }];

  // "If a request failed due to corrupted rows, no rows in the batch will be appended."
  test('stores none, names each by its index, and the rest is taken when it is sent again', async () => {
    const table = await newTable(fields);
    const good = (id: string) => field(1, id);
    const rows = [
      good('0'),
      field(2, 1n),
      good('2'),
      Buffer.concat([good('3'), field(2, 253402300800000000n)]),
      Buffer.concat([good('4'), field(3, '{')]),
    ];
    const { stream, send } = connect();
    const { answer } = await send({ writeStream: streamOf(table), ...rowsOf(fields, rows) });
    expect(answer?.error?.code).toBe(status.INVALID_ARGUMENT);
    expect(answer?.rowErrors?.map(({ index, code }) => [index, code])).toEqual([
      ['1', 'FIELDS_ERROR'],
      ['3', 'FIELDS_ERROR'],
      ['4', 'FIELDS_ERROR'],
    ]);
    expect(await read(table)).toEqual([]);
    const again = await send(rowsOf(fields, [rows[0]!, rows[2]!]));
    expect(again.answer?.error).toBeFalsy();
    expect((await read(table)).map(({ id }) => id)).toEqual(['0', '2']);
    stream.end();
  });

  test('refuses a missing value of a REQUIRED column, by its name', async () => {
    const table = await newTable(fields);
    const { stream, send } = connect();
    const { answer } = await send({ writeStream: streamOf(table), ...rowsOf(fields, [field(3, '1')]) });
    expect(answer?.rowErrors?.[0]?.message).toContain('id');
    stream.end();
  });

  // https://cloud.google.com/bigquery/docs/write-api#time-unit_column_partitioning: "between 10 years in the past and 1
  // year in the future"
  test.each([
    ['2016-11-22T23:59:59Z', false],
    ['2016-11-23T00:00:00Z', true],
    ['2027-11-22T23:59:59Z', true],
    ['2027-11-23T00:00:00Z', false],
  ])('of a partition at the day of %s: taken is %s', async (at, taken) => {
    const times = [{ name: 'at', type: 'TIMESTAMP' }];
    const table = await newTable(times, { timePartitioning: { type: 'DAY', field: 'at' } });
    const { stream, send } = connect();
    const row = field(1, BigInt(Date.parse(at)) * 1000n);
    const { answer } = await send({ writeStream: streamOf(table), ...rowsOf(times, [row]) });
    if (taken) expect(answer?.error).toBeFalsy();
    else expect(answer?.rowErrors?.[0]?.message).toContain('outside the allowed bounds');
    expect(await read(table)).toHaveLength(taken ? 1 : 0);
    stream.end();
  });
});

// https://cloud.google.com/bigquery/docs/supported-data-types (of the Storage Write API)
test('the values of each type are read as they were written', async () => {
  const fields: TableField[] = [
    string('s'),
    { name: 'i', type: 'INTEGER' },
    { name: 't', type: 'TIMESTAMP' },
    { name: 'd', type: 'DATE' },
    { name: 'j', type: 'JSON' },
    { name: 'b', type: 'BOOLEAN' },
    string('l', 'REPEATED'),
  ];
  const table = await newTable(fields);
  const row = Buffer.concat([
    field(1, 'é😀'),
    field(2, -9223372036854775808n),
    field(3, 1_000_001n),
    field(4, 20_454n),
    field(5, '{"a":[1,null]}'),
    field(6, 1n),
    field(7, 'x'),
    field(7, ''),
  ]);
  const { stream, send } = connect();
  const { answer } = await send({ writeStream: streamOf(table), ...rowsOf(fields, [row, Buffer.alloc(0)]) });
  expect(answer?.rowErrors).toEqual([]);
  const [first, second] = await read(table);
  expect(first).toMatchObject({ s: 'é😀', j: '{"a":[1,null]}', b: true, l: ['x', ''] });
  expect(JSON.parse(JSON.stringify(first))).toMatchObject({
    i: { value: '-9223372036854775808' },
    t: { value: '1970-01-01T00:00:01.000001000Z' },
    d: { value: '2026-01-01' },
  });
  expect(second).toEqual({ s: null, i: null, t: null, d: null, j: null, b: null, l: [] });
  stream.end();
});

// storage.proto, AppendRowsRequest: "The size of a single AppendRowsRequest must be less than 10 MB in size. Requests
// larger than this return an error, typically `INVALID_ARGUMENT`."
test('a request of 10 MB is refused with INVALID_ARGUMENT, one below is taken', async () => {
  const table = await newTable([string('a')]);
  const writer = await local.openWriter(table);
  const large = await writer.appendRows([{ a: 'x'.repeat(10 * 1024 * 1024) }]).getResult();
  expect(large.error?.code).toBe(status.INVALID_ARGUMENT);
  const small = await writer.appendRows([{ a: 'x'.repeat(9 * 1024 * 1024) }]).getResult();
  expect(small.error).toBeFalsy();
  expect(await read(table)).toHaveLength(1);
});

// storage.proto, StorageError.StorageErrorCode
describe('a schema', () => {
  test('with more fields than the table is SCHEMA_MISMATCH_EXTRA_FIELDS', async () => {
    const table = await newTable([string('a')]);
    const writer = await local.openWriter(table, [string('a'), string('more')]);
    const result = await writer.appendRows([{ a: 'x', more: 'y' }]).getResult();
    expect(result.error?.code).toBe(status.INVALID_ARGUMENT);
    const detail = result.error?.details?.[0];
    const { StorageError } = protos.google.cloud.bigquery.storage.v1;
    const decoded = StorageError.decode(detail?.value as Uint8Array);
    expect(StorageError.StorageErrorCode[decoded.code as number]).toBe('SCHEMA_MISMATCH_EXTRA_FIELDS');
    expect(decoded.entity).toContain(tablePath(table));
  });

  test('with fewer fields leaves the others NULL', async () => {
    const table = await newTable([string('a'), string('b')]);
    const writer = await local.openWriter(table, [string('b')]);
    expect((await writer.appendRows([{ b: 'x' }]).getResult()).error).toBeFalsy();
    expect(await read(table)).toEqual([{ a: null, b: 'x' }]);
  });

  // AppendRowsResponse.updated_schema: "If backend detects a schema update, pass it to user so that user can use it to
  // input new type of message. It will be empty when no schema updates have occurred."
  test('that has grown is told once, on connections that are open', async () => {
    const table = await newTable([string('a')]);
    const writer = await local.openWriter(table);
    expect((await writer.appendRows([{ a: '1' }]).getResult()).updatedSchema).toBeFalsy();
    const wider = { fields: [string('a'), string('b')] };
    await local.bigquery.dataset(DATASET).table(table).setMetadata({ schema: wider });
    const told = await writer.appendRows([{ a: '2' }]).getResult();
    expect(told.updatedSchema?.fields?.map(({ name }) => name)).toEqual(['a', 'b']);
    expect((await writer.appendRows([{ a: '3' }]).getResult()).updatedSchema).toBeFalsy();
  });
});

describe('a table that is not there', () => {
  // https://cloud.google.com/bigquery/docs/write-api-best-practices#handle_appendrows_errors
  test('ends the connection with NOT_FOUND', async () => {
    const { send } = connect();
    const { error } = await send({
      writeStream: streamOf('gone'),
      ...rowsOf([string('a')], [field(1, 'x')]),
    });
    expect(error?.code).toBe(status.NOT_FOUND);
    expect(error?.message).toContain(tablePath('gone'));
  });

  test('and is made afterwards takes rows on the next connection', async () => {
    const early = connect();
    await early.send({ writeStream: streamOf('late'), ...rowsOf([string('a')], [field(1, 'x')]) });
    await local.createTable('late', { schema: { fields: [string('a')] } });
    const { stream, send } = connect();
    const { answer } = await send({
      writeStream: streamOf('late'),
      ...rowsOf([string('a')], [field(1, 'x')]),
    });
    expect(answer?.error).toBeFalsy();
    expect(await read('late')).toEqual([{ a: 'x' }]);
    stream.end();
  });

  test('because it was deleted ends an open connection with NOT_FOUND; made again it is empty', async () => {
    const table = await newTable([string('a')]);
    const { send } = connect();
    const request = { writeStream: streamOf(table), ...rowsOf([string('a')], [field(1, 'x')]) };
    await send(request);
    await local.bigquery.dataset(DATASET).table(table).delete();
    expect((await send(request)).error?.code).toBe(status.NOT_FOUND);
    await local.createTable(table, { schema: { fields: [string('a')] } });
    expect(await read(table)).toEqual([]);
  });
});

// https://cloud.google.com/bigquery/docs/write-api#at-least-once: rows are not deduplicated
describe('a connection', () => {
  test('that the client ends has its answers first', async () => {
    const table = await newTable([string('a')]);
    const { stream, send } = connect();
    const sent = Array.from({ length: 20 }, (_, n) =>
      send({ writeStream: streamOf(table), ...rowsOf([string('a')], [field(1, String(n))]) }),
    );
    stream.end();
    const answers = await Promise.all(sent);
    expect(answers.every(({ answer }) => answer !== undefined && !answer.error)).toBe(true);
    expect(await read(table)).toHaveLength(20);
  });

  test('that breaks may have stored what was sent: what is sent again is stored again', async () => {
    const table = await newTable([string('a')]);
    const request = { writeStream: streamOf(table), ...rowsOf([string('a')], [field(1, 'x')]) };
    const first = connect();
    void first.send(request);
    while ((await read(table)).length === 0) await wait(5);
    first.stream.cancel();
    const { stream, send } = connect();
    expect((await send(request)).answer?.error).toBeFalsy();
    expect(await read(table)).toHaveLength(2);
    stream.end();
  });
});

// What BigQuery offers and the local one does not.
describe('refused by name with UNIMPLEMENTED', () => {
  const refusal = async (call: Promise<unknown>) => {
    const error = await call.then(
      () => undefined,
      (thrown: { code?: number; message?: string }) => thrown,
    );
    return { code: error?.code, message: error?.message };
  };

  test.each(['COMMITTED', 'PENDING', 'BUFFERED'] as const)('a stream of the type %s', async (type) => {
    const table = await newTable([string('a')]);
    const { code, message } = await refusal(
      client.createWriteStream({ parent: tablePath(table), writeStream: { type } }),
    );
    expect(code).toBe(status.UNIMPLEMENTED);
    expect(message).toContain('CreateWriteStream');
  });

  test('finalize, flush and commit', async () => {
    const name = `${tablePath('x')}/streams/s`;
    expect((await refusal(client.finalizeWriteStream({ name }))).code).toBe(status.UNIMPLEMENTED);
    expect((await refusal(client.flushRows({ writeStream: name }))).code).toBe(status.UNIMPLEMENTED);
    const commit = client.batchCommitWriteStreams({ parent: tablePath('x'), writeStreams: [name] });
    expect((await refusal(commit)).code).toBe(status.UNIMPLEMENTED);
  });

  test('rows of Arrow', async () => {
    const table = await newTable([string('a')]);
    const { send } = connect();
    const { error } = await send({ writeStream: streamOf(table), arrowRows: { rows: {} } });
    expect(error?.message).toContain('Arrow rows are not supported');
  });
});
