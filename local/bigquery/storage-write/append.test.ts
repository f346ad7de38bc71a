import { setTimeout as wait } from 'node:timers/promises';
import type { TableField } from '@google-cloud/bigquery';
import { managedwriter } from '@google-cloud/bigquery-storage';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noFaults } from '../faults.ts';
import {
  BASIC_VIEW,
  DATASET,
  descriptorOf,
  FULL_VIEW,
  type LocalClients,
  rejection,
  startForTest,
  tablePath,
} from '../start-for-test.ts';

const faults = noFaults();
let local: LocalClients;

beforeAll(async () => {
  local = await startForTest({ now: () => new Date('2026-11-21T12:00:00Z'), faults });
});
afterAll(() => local.close());

const micros = (iso: string) => String(BigInt(Date.parse(iso)) * 1000n);
const one = (name: string, type: string, mode = 'NULLABLE'): TableField[] => [{ name, type, mode }];

let lastTable = 0;

/** A new table with these columns and a writer of it. */
async function newTable(fields: TableField[], more: object = {}, writerFields?: TableField[]) {
  lastTable += 1;
  const tableId = `table_${lastTable}`;
  await local.createTable(tableId, { schema: { fields }, ...more });
  return { tableId, writer: await local.openWriter(tableId, writerFields) };
}

/** A bad row beside a good one: what the row errors say of it, and that neither is stored. */
async function refusedRow(fields: TableField[], row: Record<string, string | number>, more: object = {}) {
  const { tableId, writer } = await newTable([...fields, { name: 'n', type: 'INTEGER' }], more);
  const result = await writer.appendRows([{ n: 1, ...goodRow(fields) }, row]).getResult();
  expect(result.error?.code).toBe(status.INVALID_ARGUMENT);
  expect(result.error?.message).toContain('Please refer to the row_errors field for details');
  expect(result.rowErrors).toHaveLength(1);
  expect(result.rowErrors?.[0]).toMatchObject({ index: '1', code: 'FIELDS_ERROR' });
  expect(await local.readTable(tableId)).toEqual([]);
  return result.rowErrors?.[0]?.message;
}

function goodRow(fields: TableField[]): Record<string, string> {
  return Object.fromEntries(
    fields.filter((field) => field.mode === 'REQUIRED').map((field) => [field.name ?? '', 'x']),
  );
}

describe('an append', () => {
  test('is answered once its rows can be read', async () => {
    const { tableId, writer } = await newTable(one('s', 'STRING'));
    const result = await writer.appendRows([{ s: 'a' }, { s: 'b' }]).getResult();
    expect(result.error).toBeFalsy();
    expect(result.rowErrors).toEqual([]);
    expect(result.writeStream).toBe(`${tablePath(tableId)}/streams/_default`);
    expect(await local.readTable(tableId)).toEqual([{ s: 'a' }, { s: 'b' }]);
  });

  test('is answered in the order of the requests', async () => {
    const { tableId, writer } = await newTable(one('s', 'STRING'));
    const bad = writer.appendRows([{ s: '\u0000' }]);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => writer.appendRows([{ s: `row ${n}` }]).getResult()),
    );
    expect((await bad.getResult()).error).toBeFalsy();
    expect(answers.every((answer) => !answer.error)).toBe(true);
    expect(await local.readTable(tableId)).toHaveLength(51);
  });

  test('of one bad row stores nothing, and names the row by its index', async () => {
    expect(await refusedRow(one('id', 'STRING', 'REQUIRED'), { n: 2 })).toBe(
      'Field id: Missing value for a REQUIRED field',
    );
  });

  test('refuses JSON text that BigQuery cannot store', async () => {
    for (const text of ['{bad', 'NaN', '"\\ud800"', '1e999']) {
      expect(await refusedRow(one('j', 'JSON'), { j: text })).toMatch(/^Field j: Invalid JSON value: /);
    }
  });

  test('refuses a time outside the years 1 to 9999', async () => {
    for (const at of ['-62135596800000001', '253402300800000000']) {
      expect(await refusedRow(one('t', 'TIMESTAMP'), { t: at })).toMatch(
        /^Field t: Timestamp value is out of range/,
      );
    }
  });

  test('refuses a row outside the partitions that can be streamed to', async () => {
    const partitioned = { timePartitioning: { type: 'DAY', field: 't' } };
    for (const at of ['2016-11-22T00:00:00Z', '2027-11-23T00:00:00Z']) {
      expect(await refusedRow(one('t', 'TIMESTAMP'), { t: micros(at) }, partitioned)).toContain(
        'is outside the allowed bounds. You can only stream to partitions within 3650 days in the past and 366 days in the future',
      );
    }
    const { tableId, writer } = await newTable(one('t', 'TIMESTAMP'), partitioned);
    const edges = [{ t: micros('2016-11-23T00:00:00Z') }, { t: micros('2027-11-22T23:59:59Z') }, {}];
    expect((await writer.appendRows(edges).getResult()).rowErrors).toEqual([]);
    expect(await local.readTable(tableId)).toHaveLength(3);
  });

  test('refuses a string that is not UTF-8, and bytes that are no message', async () => {
    const { tableId } = await newTable(one('s', 'STRING'));
    const connection = await local.writeClient.createStreamConnection({
      streamId: managedwriter.DefaultStream,
      destinationTable: tablePath(tableId),
    });
    const writer = new managedwriter.Writer({
      connection,
      protoDescriptor: descriptorOf(one('s', 'STRING')),
    });
    const rows = {
      serializedRows: [
        Buffer.from([0x0a, 1, 0xff]),
        Buffer.from([0x0a, 9, 0x61]),
        Buffer.from([0x08, 1]),
        Buffer.from([0x12, 1, 0x61]),
        Buffer.from([0x0a, 3, 0xef, 0xbf, 0xbd]),
      ],
    };
    const result = await writer.appendRows(rows).getResult();
    expect(result.rowErrors?.map(({ index, message }) => [index, message])).toEqual([
      ['0', 'Field s: The string is not UTF-8'],
      ['1', 'Field s: truncated field'],
      ['2', 'Field s: Proto deserialization error: wire type 0 does not fit the writer schema'],
      ['3', 'The row has field number 2, which the writer schema does not have'],
    ]);
    writer.close();
  });

  test('over 10 MB is refused, and the connection goes on', async () => {
    const { tableId, writer } = await newTable(one('s', 'STRING'));
    const result = await writer.appendRows([{ s: 'x'.repeat(10 * 1024 * 1024) }]).getResult();
    expect(result.error?.code).toBe(status.INVALID_ARGUMENT);
    expect(result.error?.message).toContain('AppendRows request too large');
    expect((await writer.appendRows([{ s: 'small' }]).getResult()).error).toBeFalsy();
    expect(await local.readTable(tableId)).toEqual([{ s: 'small' }]);
  });
});

describe("a writer's schema", () => {
  test('with a field unknown to the table is refused as SCHEMA_MISMATCH_EXTRA_FIELDS', async () => {
    const fields: TableField[] = [
      { name: 's', type: 'STRING' },
      { name: 'other', type: 'STRING' },
    ];
    const { tableId, writer } = await newTable(one('s', 'STRING'), {}, fields);
    const result = await writer.appendRows([{ s: 'a', other: 'b' }]).getResult();
    expect(result.error?.code).toBe(status.INVALID_ARGUMENT);
    expect(result.error?.message).toBe(
      `Input schema has more fields than BigQuery schema, extra fields: 'other' Entity: ${tablePath(tableId)}/_default`,
    );
    const detail = result.error?.details?.[0];
    expect(detail?.type_url).toBe('type.googleapis.com/google.cloud.bigquery.storage.v1.StorageError');
    // StorageError.code, field 1: SCHEMA_MISMATCH_EXTRA_FIELDS is 7.
    expect([...Buffer.from(detail?.value as Uint8Array).subarray(0, 2)]).toEqual([0x08, 7]);
    expect(await local.readTable(tableId)).toEqual([]);
  });

  test('without a REQUIRED column is refused', async () => {
    const fields: TableField[] = [
      { name: 'id', type: 'STRING', mode: 'REQUIRED' },
      { name: 's', type: 'STRING' },
    ];
    const { writer } = await newTable(fields, {}, one('s', 'STRING'));
    const result = await writer.appendRows([{ s: 'a' }]).getResult();
    expect(result.error?.code).toBe(status.INVALID_ARGUMENT);
    expect(result.error?.message).toContain('The required field id of the BigQuery table is missing');
  });

  test('with a type that BigQuery does not convert is refused', async () => {
    for (const [column, written] of [
      ['TIMESTAMP', 'STRING'],
      ['JSON', 'INTEGER'],
      ['STRING', 'INTEGER'],
      ['INTEGER', 'STRING'],
      ['FLOAT', 'INTEGER'],
    ] as const) {
      const { writer } = await newTable(one('c', column), {}, one('c', written));
      const result = await writer.appendRows([{}]).getResult();
      expect(result.error?.message, column).toMatch(/^The proto field mismatched with BigQuery field at c, /);
    }
  });

  test('may come again mid-connection, after the table has a new column', async () => {
    const { tableId, writer } = await newTable(one('s', 'STRING'));
    await writer.appendRows([{ s: 'before' }]).getResult();
    const wider: TableField[] = [
      { name: 's', type: 'STRING' },
      { name: 'added', type: 'STRING', mode: 'REPEATED' },
    ];
    await local.bigquery
      .dataset(DATASET)
      .table(tableId)
      .setMetadata({ schema: { fields: wider } });
    const told = await writer.appendRows([{ s: 'old schema' }]).getResult();
    expect(told.updatedSchema?.fields?.map((field) => field.name)).toEqual(['s', 'added']);
    writer.setProtoDescriptor(descriptorOf(wider));
    const result = await writer.appendRows([{ s: 'new schema', added: ['x'] }]).getResult();
    expect(result.error).toBeFalsy();
    expect(await local.readTable(tableId)).toEqual([
      { s: 'before', added: [] },
      { s: 'old schema', added: [] },
      { s: 'new schema', added: ['x'] },
    ]);
  });
});

describe('the Storage Write API', () => {
  test('gives the schema of the default stream in the full view only', async () => {
    const { tableId } = await newTable(one('id', 'INTEGER', 'REQUIRED'));
    const streamId = `${tablePath(tableId)}/streams/_default`;
    const full = await local.writeClient.getWriteStream({ streamId, view: FULL_VIEW });
    expect(full).toMatchObject({ name: streamId, type: 'COMMITTED', location: 'US' });
    expect(full.tableSchema?.fields).toMatchObject([{ name: 'id', type: 'INT64', mode: 'REQUIRED' }]);
    expect((await local.writeClient.getWriteStream({ streamId, view: BASIC_VIEW })).tableSchema).toBeNull();
  });

  test('answers NOT_FOUND for a table that does not exist', async () => {
    const streamId = `${tablePath('nowhere')}/streams/_default`;
    expect((await rejection(local.writeClient.getWriteStream({ streamId, view: FULL_VIEW }))).code).toBe(
      status.NOT_FOUND,
    );
    const writer = await local.openWriter('nowhere', one('s', 'STRING'));
    const failure = await rejection(writer.appendRows([{ s: 'a' }]).getResult());
    expect(failure.code).toBe(status.NOT_FOUND);
    expect(failure.message).toContain(
      `Requested entity was not found. Entity: ${tablePath('nowhere')}/_default`,
    );
  });

  test('refuses offsets on the default stream', async () => {
    const { tableId, writer } = await newTable(one('s', 'STRING'));
    const failure = await rejection(writer.appendRows([{ s: 'a' }], 0).getResult());
    expect(failure.code).toBe(status.INVALID_ARGUMENT);
    expect(await local.readTable(tableId)).toEqual([]);
  });

  test('refuses every stream that is not the default one, by the name of the method', async () => {
    const { tableId } = await newTable(one('s', 'STRING'));
    const destinationTable = tablePath(tableId);
    const failure = await rejection(
      local.writeClient.createWriteStreamFullResponse({
        streamType: managedwriter.PendingStream,
        destinationTable,
      }),
    );
    expect(failure.code).toBe(status.UNIMPLEMENTED);
    expect(failure.message).toContain('CreateWriteStream is not supported by the local BigQuery');
    const commit = await rejection(
      local.writeClient.batchCommitWriteStream({ parent: destinationTable, writeStreams: ['x'] }),
    );
    expect(commit.message).toContain('BatchCommitWriteStreams is not supported');
  });
});

describe('a fault', () => {
  test('of failing appends answers UNAVAILABLE and stores nothing', async () => {
    const { tableId, writer } = await newTable(one('s', 'STRING'));
    faults.appendFailRate = 1;
    const failed = await rejection(writer.appendRows([{ s: 'a' }]).getResult());
    faults.appendFailRate = 0;
    expect(failed.code).toBe(status.UNAVAILABLE);
    expect((await writer.appendRows([{ s: 'b' }]).getResult()).error).toBeFalsy();
    expect(await local.readTable(tableId)).toEqual([{ s: 'b' }]);
  });

  test('of lost answers stores the rows and breaks the stream', async () => {
    const { tableId, writer } = await newTable(one('s', 'STRING'));
    Object.assign(faults, { appendStoredThenLostRate: 1, random: () => 0.4 });
    const failed = await rejection(writer.appendRows([{ s: 'a' }]).getResult());
    Object.assign(faults, noFaults());
    expect(failed.code).toBe(status.UNAVAILABLE);
    expect(await local.readTable(tableId)).toEqual([{ s: 'a' }]);
  });

  test('of lost answers may store the rows and never answer on that stream again', async () => {
    const { tableId, writer } = await newTable(one('s', 'STRING'));
    Object.assign(faults, { appendStoredThenLostRate: 1, random: () => 0.6 });
    let settled = false;
    const settle = () => {
      settled = true;
    };
    writer
      .appendRows([{ s: 'a' }])
      .getResult()
      .then(settle, settle);
    while ((await local.readTable(tableId)).length === 0) await wait(5);
    Object.assign(faults, noFaults());
    writer
      .appendRows([{ s: 'b' }])
      .getResult()
      .then(settle, settle);
    // Another connection is answered meanwhile: the silence is that of one stream.
    const other = await local.openWriter(tableId);
    expect((await other.appendRows([{ s: 'c' }]).getResult()).error).toBeFalsy();
    expect(settled).toBe(false);
    expect((await local.readTable(tableId)).map((row) => row.s).sort()).toEqual(['a', 'c']);
  });

  test('of refused appends breaks every stream until it is lifted', async () => {
    const { tableId, writer } = await newTable(one('s', 'STRING'));
    faults.refuseAppends = true;
    const failed = await rejection(writer.appendRows([{ s: 'a' }]).getResult());
    faults.refuseAppends = false;
    expect(failed.code).toBe(status.UNAVAILABLE);
    expect((await writer.appendRows([{ s: 'b' }]).getResult()).error).toBeFalsy();
    expect(await local.readTable(tableId)).toEqual([{ s: 'b' }]);
  });
});
