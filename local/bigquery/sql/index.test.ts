import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Catalog, type QueryParameter, translate } from './index.ts';
import { openTestDatabase, type TestDatabase, testCatalog } from './test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

const rows = (sql: string) => database.query(sql);

describe('the shipped views', () => {
  it('shows a resent event once, as its first copy', async () => {
    expect(await rows('SELECT event_id, request_hash FROM tributary.events ORDER BY event_id')).toEqual([
      ['e1', 'h1'],
      ['e2', 'h3'],
    ]);
  });

  it('bounds a table function by its arguments, in the innermost scan', async () => {
    const sql =
      "SELECT event_id FROM tributary.events_between(TIMESTAMP '2026-01-01 10:30:00', CURRENT_TIMESTAMP())";
    expect(await rows(sql)).toEqual([['e2']]);
    expect(database.translate(sql).sql).toMatch(/"occurred_at" >= TIMESTAMPTZ '2026-01-01 10:30:00/);
  });

  it('counts deliveries by request', async () => {
    const sql = `SELECT event_id, COUNT(DISTINCT request_hash) AS requests, MIN(received_at) AS first, MAX(received_at) AS last,
        ARRAY_AGG(batch_id ORDER BY received_at LIMIT 5) AS batches
      FROM tributary.event_log GROUP BY event_id HAVING requests > 1`;
    expect(await rows(sql)).toEqual([
      ['e1', '2', '2026-01-01 10:00:01+00', '2026-01-01 10:00:02+00', ['b1', 'b2']],
    ]);
  });

  it('joins each row to the latest of its key', async () => {
    const sql = `SELECT q.name, o.batch_id FROM (SELECT DISTINCT name FROM tributary.event_log) AS q
      LEFT JOIN (SELECT * FROM tributary.event_log WHERE name = 'buy'
        QUALIFY ROW_NUMBER() OVER (PARTITION BY name ORDER BY received_at DESC) = 1) AS o USING (name) ORDER BY name`;
    expect(await rows(sql)).toEqual([
      ['buy', 'b3'],
      ['see', null],
    ]);
  });
});

describe('first queries', () => {
  it('counts by day and name', async () => {
    const sql = `WITH daily AS (
        SELECT DATE(occurred_at) AS day, name, COUNT(*) AS n, COUNT(DISTINCT anonymous_id) AS devices
        FROM tributary.events GROUP BY 1, 2 HAVING COUNT(*) > 1)
      SELECT * FROM daily ORDER BY 1, n DESC`;
    expect(await rows(sql)).toEqual([['2026-01-01', 'buy', '2', '2']]);
  });

  it('reads properties by path and by field', async () => {
    const sql = `SELECT JSON_VALUE(properties, '$.price'), CAST(JSON_VALUE(properties.price) AS FLOAT64),
        JSON_VALUE(properties, '$.n'), UNIX_MILLIS(occurred_at), TO_JSON_STRING(properties)
      FROM tributary.events WHERE event_id = 'e1'`;
    expect(await rows(sql)).toEqual([
      ['1.5', 1.5, '12345678901234567', '1767261600000', '{"n":12345678901234567,"price":1.5,"q":"x"}'],
    ]);
  });

  it('unfolds an array beside its row', async () => {
    const sql =
      'SELECT event_id, w, o FROM tributary.events, UNNEST(warnings) AS w WITH OFFSET AS o ORDER BY o';
    expect(await rows(sql)).toEqual([
      ['e1', 'w1', '0'],
      ['e1', 'w2', '1'],
    ]);
  });
});

describe('the schema of a result', () => {
  it('names what has no name f0_, f1_ and keeps BigQuery types', () => {
    const { schema } = database.translate(
      'SELECT COUNT(*), name, MAX(occurred_at), ARRAY_AGG(STRUCT(debug AS d, properties)) AS list FROM tributary.event_log GROUP BY name',
    );
    expect(schema).toEqual([
      { name: 'f0_', type: 'INTEGER', mode: 'NULLABLE' },
      { name: 'name', type: 'STRING', mode: 'NULLABLE' },
      { name: 'f1_', type: 'TIMESTAMP', mode: 'NULLABLE' },
      {
        name: 'list',
        type: 'RECORD',
        mode: 'REPEATED',
        fields: [
          { name: 'd', type: 'INTEGER', mode: 'NULLABLE' },
          { name: 'properties', type: 'JSON', mode: 'NULLABLE' },
        ],
      },
    ]);
  });

  it('lists the tables behind views', () => {
    expect(database.translate('SELECT 1 FROM tributary.events').referencedTables).toEqual([
      { projectId: 'local', datasetId: 'tributary', tableId: 'event_log' },
    ]);
  });
});

describe('query parameters', () => {
  const named = (name: string, type: string, value: string | null): QueryParameter => ({
    name,
    type: { type },
    value: { value },
  });

  it('stand for typed literals, whatever their text', async () => {
    const parameters = [
      named('s', 'STRING', "it's -- \\ \n\u0000x"),
      named('i', 'INT64', '-9223372036854775808'),
      named('f', 'FLOAT64', '0.1'),
      named('t', 'TIMESTAMP', '2026-01-01 10:00:00.25+08:00'),
      named('n', 'DATE', null),
    ];
    expect(await database.query('SELECT @s, @i, @F + 0.2, @t, @n IS NULL', parameters)).toEqual([
      [
        "it's -- \\ \n\u0000x",
        '-9223372036854775808',
        0.30000000000000004,
        '2026-01-01 02:00:00.25+00',
        true,
      ],
    ]);
  });

  it('may be positional, arrays and structs', async () => {
    const parameters: QueryParameter[] = [
      { type: { type: 'STRING' }, value: { value: 'track' } },
      {
        type: { type: 'ARRAY', arrayType: { type: 'STRING' } },
        value: { arrayValues: [{ value: 'e1' }, { value: 'e3' }] },
      },
      {
        type: { type: 'STRUCT', structTypes: [{ name: 'limit', type: { type: 'INT64' } }] },
        value: { structValues: { limit: { value: '2' } } },
      },
    ];
    const sql =
      'SELECT DISTINCT event_id FROM tributary.event_log WHERE kind = ? AND event_id IN UNNEST(?) AND debug < ?.limit ORDER BY 1';
    expect(await database.query(sql, parameters)).toEqual([['e1'], ['e3']]);
  });

  it('are refused when absent or not of their type', () => {
    expect(() => database.translate('SELECT @x')).toThrow("Query parameter 'x' not found at [1:8]");
    expect(() => database.translate('SELECT @x', [named('x', 'INT64', 'one')])).toThrow(/Invalid value/);
  });
});

describe('names', () => {
  it('reads a table under every way to write its path', async () => {
    for (const path of [
      '`local.tributary.event_log`',
      '`local`.tributary.`event_log`',
      'local.tributary.event_log',
      'my-project-1.tributary.event_log',
      '`my-project`.`tributary.event_log`',
    ]) {
      expect(await rows(`SELECT COUNT(*) FROM ${path}`)).toEqual([['4']]);
    }
  });

  it('gives a column before an argument of the same name', async () => {
    const catalog: Catalog = {
      ...testCatalog,
      tableFunction: () => ({
        arguments: [{ name: 'debug', type: 'INT64' }],
        body: 'SELECT event_id FROM tributary.event_log WHERE debug = 1',
      }),
    };
    const { sql } = translate('SELECT * FROM tributary.f(0)', { catalog, now: new Date() });
    expect(sql).toContain('"debug" =');
  });

  it('says what is not found, and that the reason is notFound', () => {
    expect(() => database.translate('SELECT 1 FROM tributary.nope')).toThrow(
      expect.objectContaining({
        reason: 'notFound',
        message: 'Not found: Table local:tributary.nope was not found in location US',
      }),
    );
    expect(() => database.translate('SELECT nope FROM tributary.event_log')).toThrow(
      expect.objectContaining({ reason: 'invalidQuery', location: { line: 1, column: 8 } }),
    );
  });

  it('refuses two result columns of one name', () => {
    expect(() => database.translate('SELECT 1 AS a, 2 AS A')).toThrow(/Duplicate column names/);
  });

  it('refuses a view that reads itself', () => {
    expect(() => database.translate('SELECT * FROM tributary.cycle')).toThrow(/Recursive reference/);
  });
});

describe('what is not supported', () => {
  it.each([
    ['SELECT FORMAT("%d", 1)', 'Function FORMAT is not supported by the local BigQuery at [1:8]'],
    ['TRUNCATE TABLE t', 'Statement TRUNCATE is not supported by the local BigQuery at [1:1]'],
    ['SELECT 1; SELECT 2', 'Script of several statements is not supported by the local BigQuery at [1:11]'],
    ['SELECT * FROM `tributary.events_*`', 'Wildcard table is not supported by the local BigQuery at [1:15]'],
    ['SELECT BIGNUMERIC "1"', 'Type BIGNUMERIC is not supported by the local BigQuery at [1:8]'],
    ['SELECT NO_SUCH(1)', 'Function not found: NO_SUCH at [1:8]'],
  ])('is named with its position: %s', (sql, message) => {
    expect(() => database.translate(sql)).toThrow(message);
  });
});
