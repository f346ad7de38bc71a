import { BigQuery } from '@google-cloud/bigquery';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalClients, PROJECT, rejection, startForTest } from '../../local/bigquery/start-for-test.ts';

let local: LocalClients;
beforeAll(async () => {
  local = await startForTest();
});
afterAll(() => local.close());

/** The one row of a query, as the Node client gives it. */
const ask = async (query: string, more: object = {}) => {
  const [[row]] = await local.bigquery.query({ query, ...more });
  return row;
};

/** The body of jobs.query, as it is sent. */
const post = async (body: object) => {
  const url = `http://127.0.0.1:${local.server.restPort}/bigquery/v2/projects/${PROJECT}/queries`;
  const response = await fetch(url, {
    method: 'POST',
    body: JSON.stringify({ useLegacySql: false, ...body }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

// https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types
describe('a value of a result', () => {
  test('INT64 beyond 2^53 is exact as BigQueryInt', async () => {
    const query =
      'SELECT 9223372036854775807 AS most, -9223372036854775808 AS least, 9007199254740993 AS odd';
    const row = await ask(query, { wrapIntegers: true });
    expect([row.most.value, row.least.value, row.odd.value]).toEqual([
      '9223372036854775807',
      '-9223372036854775808',
      '9007199254740993',
    ]);
  });

  test('NUMERIC keeps 29 digits before and 9 behind the point', async () => {
    const row = await ask(
      "SELECT NUMERIC '99999999999999999999999999999.999999999' AS most, NUMERIC '-0.000000001' AS least, CAST(1.5 AS NUMERIC) AS cast_value",
    );
    expect(row.most.toFixed()).toBe('99999999999999999999999999999.999999999');
    expect(row.least.toFixed()).toBe('-0.000000001');
    expect(row.cast_value.toFixed()).toBe('1.5');
  });

  test('FLOAT64 has its infinities, NaN and negative zero', async () => {
    const row = await ask(
      "SELECT CAST('inf' AS FLOAT64) AS a, CAST('-inf' AS FLOAT64) AS b, CAST('nan' AS FLOAT64) AS c, 1e300 AS d, 5e-324 AS e, 0.1 AS f",
    );
    expect(row).toEqual({ a: Infinity, b: -Infinity, c: NaN, d: 1e300, e: 5e-324, f: 0.1 });
  });

  test('BYTES are bytes, STRING is any Unicode, JSON is text', async () => {
    const row = await ask(
      `SELECT b'\\x00\\xff' AS bytes, b'' AS none, '😀é\\u0000' AS text, JSON '{"b":1,"a":[null,"é"]}' AS json`,
    );
    expect(row.bytes).toEqual(Buffer.from([0, 255]));
    expect(row.none).toEqual(Buffer.alloc(0));
    expect(row.text).toBe('😀é\u0000');
    expect(JSON.parse(row.json)).toEqual({ b: 1, a: [null, 'é'] });
  });

  test('TIMESTAMP has microseconds, from the year 1 to 9999; DATE, DATETIME and TIME are civil', async () => {
    const row = await ask(
      "SELECT TIMESTAMP '0001-01-01 00:00:00+00' AS first, TIMESTAMP '9999-12-31 23:59:59.999999+00' AS last, DATE '2024-02-29' AS day, DATETIME '2026-11-21 01:02:03.4' AS civil, TIME '23:59:59.999999' AS clock",
    );
    expect(row.first.value).toBe('0001-01-01T00:00:00.000Z');
    expect(row.last.value).toBe('9999-12-31T23:59:59.999999000Z');
    expect(row.day.value).toBe('2024-02-29');
    expect(row.civil.value).toBe('2026-11-21T01:02:03.400000');
    expect(row.clock.value).toBe('23:59:59.999999');
  });

  // "BigQuery translates a NULL ARRAY into an empty ARRAY in the query result"
  test('ARRAY and STRUCT nest, a NULL array is empty, and each other NULL is null', async () => {
    const row = await ask(
      "SELECT [STRUCT(1 AS n, ['a', 'b'] AS list), STRUCT(2, [])] AS nested, CAST(NULL AS ARRAY<INT64>) AS no_array, CAST(NULL AS STRUCT<a INT64>) AS no_struct, CAST(NULL AS INT64) AS no_number, CAST(NULL AS TIMESTAMP) AS no_time, CAST(NULL AS BYTES) AS no_bytes",
    );
    expect(row).toEqual({
      nested: [
        { n: 1, list: ['a', 'b'] },
        { n: 2, list: [] },
      ],
      no_array: [],
      no_struct: null,
      no_number: null,
      no_time: null,
      no_bytes: null,
    });
  });

  // https://cloud.google.com/bigquery/docs/arrays: "BigQuery raises an error if the query result has an array which
  // contains a NULL element"
  test('an ARRAY with a NULL in it is refused', async () => {
    const error = await rejection(ask('SELECT [1, NULL] AS list'));
    expect(error.code).toBe(400);
    expect(error.errors?.[0]?.reason).toBe('invalidQuery');
    expect(error.message).toContain('Array cannot have a null element');
  });

  // https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema
  test('has its type and mode in the schema', async () => {
    const query =
      "SELECT 1 AS i, 1.5 AS f, TRUE AS b, 'x' AS s, b'x' AS y, NUMERIC '1' AS n, JSON '1' AS j, [DATE '2026-01-01'] AS l, STRUCT(TIMESTAMP '2026-01-01' AS t) AS r";
    const { body } = await post({ query });
    expect(body.schema).toMatchObject({
      fields: [
        { name: 'i', type: 'INTEGER' },
        { name: 'f', type: 'FLOAT' },
        { name: 'b', type: 'BOOLEAN' },
        { name: 's', type: 'STRING' },
        { name: 'y', type: 'BYTES' },
        { name: 'n', type: 'NUMERIC' },
        { name: 'j', type: 'JSON' },
        { name: 'l', type: 'DATE', mode: 'REPEATED' },
        { name: 'r', type: 'RECORD', fields: [{ name: 't', type: 'TIMESTAMP' }] },
      ],
    });
  });
});

// https://cloud.google.com/bigquery/docs/parameterized-queries
describe('a query parameter', () => {
  test('named, of each type', async () => {
    const row = await ask(
      'SELECT @s AS s, @i AS i, @f AS f, @b AS b, @y AS y, @n AS n, @d AS d, @dt AS dt, @tm AS tm, @ts AS ts, TO_JSON_STRING(@j) AS j',
      {
        params: {
          s: "it's 😀",
          i: 42,
          f: 1.5,
          b: false,
          y: Buffer.from([0, 255]).toString('base64'),
          n: '12.50',
          d: BigQuery.date('2024-02-29'),
          dt: BigQuery.datetime('2026-11-21 01:02:03'),
          tm: BigQuery.time('01:02:03'),
          ts: BigQuery.timestamp('2026-11-21T12:00:00.000001Z'),
          j: '{"a":[1]}',
        },
        types: { j: 'JSON', n: 'NUMERIC', y: 'BYTES' },
      },
    );
    expect(row).toMatchObject({
      s: "it's 😀",
      i: 42,
      f: 1.5,
      b: false,
      y: Buffer.from([0, 255]),
      j: '{"a":[1]}',
    });
    expect(row.n.toFixed()).toBe('12.5');
    expect(row.d.value).toBe('2024-02-29');
    expect(row.dt.value).toBe('2026-11-21T01:02:03');
    expect(row.tm.value).toBe('01:02:03');
    expect(row.ts.value).toBe('2026-11-21T12:00:00.000001000Z');
  });

  test('positional, in the order of the question marks', async () => {
    expect(await ask('SELECT ? AS a, ? AS b, ? + ? AS c', { params: ['x', [1, 2], 3, 4] })).toEqual({
      a: 'x',
      b: [1, 2],
      c: 7,
    });
  });

  test('that is an array, empty too, and a struct, nested too', async () => {
    const row = await ask(
      "SELECT 'b' IN UNNEST(@list) AS found, ARRAY_LENGTH(@none) AS none, @record.name AS name, @record.inner_record.n AS n, ARRAY_LENGTH(@record.list) AS l",
      {
        params: {
          list: ['a', 'b'],
          none: [],
          record: { name: 'x', inner_record: { n: 7 }, list: [1, 2, 3] },
        },
        types: { list: ['STRING'], none: ['INT64'] },
      },
    );
    expect(row).toEqual({ found: true, none: 0, name: 'x', n: 7, l: 3 });
  });

  test('NULL, of each type that has a NULL', async () => {
    for (const type of [
      'STRING',
      'INT64',
      'FLOAT64',
      'BOOL',
      'BYTES',
      'DATE',
      'TIMESTAMP',
      'JSON',
      'NUMERIC',
    ]) {
      const row = await ask('SELECT @p AS p, @p IS NULL AS n', { params: { p: null }, types: { p: type } });
      expect(row, type).toEqual({ p: null, n: true });
    }
  });

  test('is no text of the query: it cannot add to it', async () => {
    const p = "'); DROP TABLE x; --";
    expect(await ask('SELECT @p AS p', { params: { p } })).toEqual({ p });
  });

  test('cannot name a table or a column', async () => {
    expect((await rejection(ask('SELECT 1 FROM @p', { params: { p: 'x' } }))).code).toBe(400);
  });

  test('that is missing, or of which the value does not fit its type, is invalidQuery', async () => {
    const missing = await post({ query: 'SELECT @a', parameterMode: 'NAMED', queryParameters: [] });
    expect(missing.body.error).toMatchObject({
      code: 400,
      errors: [{ reason: 'invalidQuery', location: 'q' }],
      message: expect.stringContaining("Query parameter 'a' not found"),
    });
    const parameter = { name: 'a', parameterType: { type: 'INT64' }, parameterValue: { value: 'x' } };
    const wrong = await post({ query: 'SELECT @a', parameterMode: 'NAMED', queryParameters: [parameter] });
    expect(wrong.status).toBe(400);
  });

  // "You can't mix named and positional parameters"
  test('named beside a positional one is refused', async () => {
    const error = await rejection(ask('SELECT @a AS a, ? AS b', { params: { a: 1 } }));
    expect(error.code).toBe(400);
    expect(error.errors?.[0]?.reason).toBe('invalidQuery');
  });
});
