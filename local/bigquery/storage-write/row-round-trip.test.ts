import type { TableField } from '@google-cloud/bigquery';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalClients, startForTest } from '../start-for-test.ts';

let local: LocalClients;

beforeAll(async () => {
  local = await startForTest();
});
afterAll(() => local.close());

const scalars: TableField[] = [
  { name: 'string', type: 'STRING' },
  { name: 'integer', type: 'INTEGER' },
  { name: 'float', type: 'FLOAT' },
  { name: 'boolean', type: 'BOOLEAN' },
  { name: 'at', type: 'TIMESTAMP' },
  { name: 'day', type: 'DATE' },
  { name: 'civil', type: 'DATETIME' },
  { name: 'bytes', type: 'BYTES' },
  { name: 'amount', type: 'NUMERIC' },
  { name: 'json', type: 'JSON' },
];
const fields: TableField[] = [
  { name: 'row', type: 'INTEGER', mode: 'REQUIRED' },
  ...scalars,
  { name: 'strings', type: 'STRING', mode: 'REPEATED' },
  { name: 'integers', type: 'INTEGER', mode: 'REPEATED' },
  { name: 'record', type: 'RECORD', fields: scalars },
  {
    name: 'records',
    type: 'RECORD',
    mode: 'REPEATED',
    fields: [
      ...scalars,
      { name: 'inner', type: 'RECORD', fields: [{ name: 'floats', type: 'FLOAT', mode: 'REPEATED' }] },
    ],
  },
];

/** What the client is given for a value, and what it must read again. */
interface Sample {
  written: unknown;
  read: unknown;
}
const same = <T>(arbitrary: fc.Arbitrary<T>) => arbitrary.map((value) => ({ written: value, read: value }));

const text = fc.string({ unit: 'binary', maxLength: 12 });
const samples: Record<string, fc.Arbitrary<Sample>> = {
  string: same(text),
  integer: fc
    .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    .map((value) => ({ written: String(value), read: String(value) })),
  float: same(fc.double()),
  boolean: same(fc.boolean()),
  at: fc.bigInt({ min: -62135596800000000n, max: 253402300799999999n }).map((value) => ({
    written: String(value),
    read: value,
  })),
  day: fc.integer({ min: -719162, max: 2932896 }).map((days) => ({
    written: days,
    read: new Date(days * 86400000).toISOString().slice(0, 10),
  })),
  civil: fc
    .date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    })
    .map((date) => ({
      written: date.toISOString().replace('Z', ''),
      read: date
        .toISOString()
        .replace(/(\.000)?Z$/, '')
        .replace(/(\.\d{3})$/, '$1000'),
    })),
  bytes: fc.uint8Array({ maxLength: 12 }).map((bytes) => ({
    written: Buffer.from(bytes),
    read: Buffer.from(bytes).toString('base64'),
  })),
  amount: fc
    .bigInt({ min: -(10n ** 18n), max: 10n ** 18n })
    .map((value) => ({ written: `${value}.25`, read: `${value}.25` })),
  json: fc.integer().map((value) => ({ written: `{ "n": ${value} }`, read: `{"n":${value}}` })),
};

const listOf = (sample: fc.Arbitrary<Sample>): fc.Arbitrary<Sample> =>
  fc.array(sample, { maxLength: 3 }).map((items) => ({
    written: items.map((item) => item.written),
    read: items.map((item) => item.read),
  }));
const orNull = (sample: fc.Arbitrary<Sample>): fc.Arbitrary<Sample> =>
  fc.option(sample).map((chosen) => chosen ?? { written: null, read: null });
function recordOf(members: Record<string, fc.Arbitrary<Sample>>): fc.Arbitrary<Sample> {
  return fc.record(members).map((chosen) => ({
    written: Object.fromEntries(
      Object.entries(chosen)
        .filter(([, sample]) => sample.written !== null)
        .map(([name, sample]) => [name, sample.written]),
    ),
    read: Object.fromEntries(Object.entries(chosen).map(([name, sample]) => [name, sample.read])),
  }));
}

const scalarMembers = Object.fromEntries(
  Object.entries(samples).map(([name, sample]) => [name, orNull(sample)]),
);
const anyRow = recordOf({
  ...scalarMembers,
  strings: listOf(samples.string!),
  integers: listOf(samples.integer!),
  record: orNull(recordOf(scalarMembers)),
  records: listOf(
    recordOf({ ...scalarMembers, inner: orNull(recordOf({ floats: listOf(samples.float!) })) }),
  ),
});

describe('a row', () => {
  test("that the client's encoder writes is read again exactly, value by value", async () => {
    await local.createTable('rows', { schema: { fields } });
    const writer = await local.openWriter('rows');
    let next = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(anyRow, { minLength: 1, maxLength: 20 }), async (rows) => {
        const from = next;
        next += rows.length;
        const written = rows.map((row, index) => ({ row: from + index, ...(row.written as object) }));
        const result = await writer.appendRows(written).getResult();
        expect(result.rowErrors).toEqual([]);
        expect(result.error).toBeFalsy();
        const [read] = await local.bigquery
          .dataset('tributary')
          .table('rows')
          .getRows({ startIndex: String(from), skipParsing: true });
        expect(read.map((row) => parse(row, fields))).toEqual(
          rows.map((row, index) => ({ row: String(from + index), ...(row.read as object) })),
        );
      }),
      { numRuns: 40 },
    );
  });
});

interface Cell {
  v: unknown;
}

/** Reads a REST row independently of the client, whose own parsing rounds and truncates. */
function parse(row: { f: Cell[] }, columns: TableField[]): Record<string, unknown> {
  return Object.fromEntries(
    columns.map((column, index) => {
      const cell = row.f[index]!.v;
      const value =
        column.mode === 'REPEATED'
          ? (cell as Cell[]).map((item) => scalar(item.v, column))
          : scalar(cell, column);
      return [column.name, value];
    }),
  );
}

function scalar(value: unknown, column: TableField): unknown {
  if (value === null) return null;
  switch (column.type) {
    case 'RECORD':
      return parse(value as { f: Cell[] }, column.fields ?? []);
    case 'FLOAT':
      return Number(value);
    case 'BOOLEAN':
      return value === 'true';
    case 'TIMESTAMP':
      return BigInt(String(value));
    default:
      return value;
  }
}
