import type { Query } from '@google-cloud/bigquery';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DATASET, type LocalClients, PROJECT, rejection, startForTest } from '../start-for-test.ts';

let local: LocalClients;

const person = [
  { name: 'id', type: 'STRING', mode: 'REQUIRED' },
  { name: 'visits', type: 'INTEGER' },
  { name: 'score', type: 'NUMERIC' },
  { name: 'seen_at', type: 'TIMESTAMP' },
  { name: 'tags', type: 'STRING', mode: 'REPEATED' },
  { name: 'properties', type: 'JSON' },
];

beforeAll(async () => {
  local = await startForTest();
  for (const tableId of ['people', 'news']) await local.createTable(tableId, { schema: { fields: person } });
});
afterAll(() => local.close());
beforeEach(async () => {
  for (const tableId of ['people', 'news']) await run(`DELETE FROM ${tableId} WHERE TRUE`);
  await run(
    "INSERT INTO people (id, visits, tags) VALUES ('ann', 1, ['a']), ('bob', 2, []), ('eve', 3, ['e', 'f'])",
  );
  await run("INSERT news (id, visits) VALUES ('bob', 20), ('dan', 40)");
});

/** Runs a statement as a job and gives what the job says of it. */
async function run(query: string, options: Partial<Query> = {}) {
  const [job] = await local.bigquery.createQueryJob({
    query,
    defaultDataset: { datasetId: DATASET },
    ...options,
  });
  const [rows] = await job.getQueryResults();
  const [metadata] = await job.getMetadata();
  return { rows, statistics: metadata.statistics.query, configuration: metadata.configuration.query };
}

const people = async () => (await run('SELECT id, visits FROM people ORDER BY id, visits')).rows;

describe('INSERT', () => {
  test('stores rows of values, converted as an assignment converts them, and NULL or [] where nothing is named', async () => {
    const { rows, statistics } = await run(
      "INSERT INTO people (id, score, seen_at, properties) VALUES ('x', 1, '2026-01-02 03:04:05+00', JSON '{\"a\": 1}'), ('y', DEFAULT, NULL, NULL)",
    );
    expect(rows).toEqual([]);
    expect(statistics).toMatchObject({
      statementType: 'INSERT',
      numDmlAffectedRows: '2',
      dmlStats: { insertedRowCount: '2', updatedRowCount: '0', deletedRowCount: '0' },
    });
    const stored = await run("SELECT * FROM people WHERE id IN ('x', 'y') ORDER BY id");
    expect(stored.rows).toMatchObject([
      {
        id: 'x',
        visits: null,
        tags: [],
        seen_at: { value: '2026-01-02T03:04:05.000Z' },
        properties: '{"a":1}',
      },
      { id: 'y', score: null, seen_at: null, properties: null },
    ]);
    expect(String(stored.rows[0]?.score)).toBe('1');
  });

  test('stores what a query answers, with parameters, CTEs and its own table among its sources', async () => {
    const { statistics } = await run(
      'INSERT INTO people (tags, id) WITH more AS (SELECT id FROM people WHERE visits > @visits) SELECT @tags, CONCAT(id, "2") FROM more',
      { params: { visits: 1, tags: ['n'] }, types: { visits: 'INT64', tags: ['STRING'] } },
    );
    expect(statistics.numDmlAffectedRows).toBe('2');
    expect((await run("SELECT id, tags FROM people WHERE id LIKE '%2' ORDER BY id")).rows).toEqual([
      { id: 'bob2', tags: ['n'] },
      { id: 'eve2', tags: ['n'] },
    ]);
  });

  test.each([
    [
      'INSERT INTO people (id) VALUES (1)',
      'Value has type INT64 which cannot be inserted into column id, which has type STRING at [1:33]',
    ],
    [
      'INSERT INTO people (id) SELECT visits FROM news',
      'Query column 1 has type INT64 which cannot be inserted into column id',
    ],
    [
      "INSERT INTO people (id, visits) VALUES ('x')",
      'Inserted row has wrong column count; Has 1, expected 2',
    ],
    ["INSERT INTO people (id, id) VALUES ('x', 'y')", 'INSERT has columns with duplicate name: id'],
    [
      "INSERT INTO people (nope) VALUES ('x')",
      `Column nope is not present in table ${PROJECT}.${DATASET}.people`,
    ],
    ['INSERT INTO people (visits) VALUES (1)', 'Required field id cannot be null'],
    [
      "INSERT INTO people (id, tags) VALUES ('x', ['a', NULL])",
      'Array cannot have a null element; error in writing field tags',
    ],
    ["INSERT INTO people (id) VALUES ('new'), (CAST(ERROR('no') AS STRING))", 'no'],
    ["INSERT INTO people (id) VALUES ('x'); SELECT 1", 'Script of several statements'],
    ["INSERT INTO nope (id) VALUES ('x')", `Not found: Table ${PROJECT}:${DATASET}.nope`],
    ['TRUNCATE TABLE people', 'Statement TRUNCATE is not supported'],
  ])('%s is refused, and nothing of it stays', async (query, message) => {
    expect((await rejection(run(query))).message).toContain(message);
    expect(await people()).toHaveLength(3);
  });
});

describe('UPDATE and DELETE', () => {
  test('change the rows that their condition holds for', async () => {
    const updated = await run(
      "UPDATE people p SET visits = p.visits * 10, tags = NULL WHERE 'e' IN UNNEST(tags) OR id = 'ann'",
    );
    expect(updated.statistics).toMatchObject({ statementType: 'UPDATE', numDmlAffectedRows: '2' });
    expect((await run('SELECT id, visits, tags FROM people ORDER BY id')).rows).toEqual([
      { id: 'ann', visits: 10, tags: [] },
      { id: 'bob', visits: 2, tags: [] },
      { id: 'eve', visits: 30, tags: [] },
    ]);
    const deleted = await run('DELETE FROM people WHERE visits > (SELECT MIN(visits) FROM people)');
    expect(deleted.statistics).toMatchObject({ statementType: 'DELETE', dmlStats: { deletedRowCount: '2' } });
    expect(await people()).toEqual([{ id: 'bob', visits: 2 }]);
  });

  test('may join other tables, each row with one of theirs at the most', async () => {
    await run('UPDATE people SET visits = n.visits FROM news n WHERE n.id = people.id');
    expect(await people()).toEqual([
      { id: 'ann', visits: 1 },
      { id: 'bob', visits: 20 },
      { id: 'eve', visits: 3 },
    ]);
    const error = await rejection(run('UPDATE people SET visits = n.visits FROM news n WHERE TRUE'));
    expect(error.message).toBe('UPDATE/MERGE must match at most one source row for each target row');
    expect(await people()).toContainEqual({ id: 'bob', visits: 20 });
  });

  test.each([
    ['UPDATE people SET visits = 1', 'UPDATE must have a WHERE clause at [1:1]'],
    ['DELETE FROM people', 'DELETE must have a WHERE clause at [1:1]'],
    ['UPDATE people SET visits = 1, visits = 2 WHERE TRUE', 'Update item visits assigned more than once'],
    [
      "UPDATE people SET visits = 'many' WHERE TRUE",
      'Value of type STRING cannot be assigned to visits, which has type INT64',
    ],
    ['UPDATE people SET id = NULL WHERE TRUE', 'Required field id cannot be null'],
    ['UPDATE people SET visits = COUNT(*) WHERE TRUE', 'Aggregate'],
  ])('%s is refused', async (query, message) => {
    expect((await rejection(run(query))).message).toContain(message);
  });
});

describe('MERGE', () => {
  test('updates, deletes and inserts by the first clause that takes a row', async () => {
    const { rows, statistics } = await run(
      `MERGE INTO people AS t USING (SELECT id, visits FROM news UNION ALL SELECT 'ann', NULL) AS s ON t.id = s.id
       WHEN MATCHED AND s.visits IS NULL THEN DELETE
       WHEN MATCHED THEN UPDATE SET visits = t.visits + s.visits, t.tags = ['merged']
       WHEN NOT MATCHED BY TARGET AND s.visits > 1 THEN INSERT (id, visits) VALUES (UPPER(s.id), visits)
       WHEN NOT MATCHED BY SOURCE AND t.visits > @most THEN UPDATE SET visits = @most`,
      { params: { most: 2 } },
    );
    expect(rows).toEqual([]);
    expect(statistics).toMatchObject({
      statementType: 'MERGE',
      numDmlAffectedRows: '4',
      dmlStats: { insertedRowCount: '1', updatedRowCount: '2', deletedRowCount: '1' },
    });
    expect((await run('SELECT id, visits, tags FROM people ORDER BY id')).rows).toEqual([
      { id: 'DAN', visits: 40, tags: [] },
      { id: 'bob', visits: 22, tags: ['merged'] },
      { id: 'eve', visits: 2, tags: ['e', 'f'] },
    ]);
  });

  test('updates what is there and inserts what is not, and leaves the rest', async () => {
    const { statistics } = await run(
      `MERGE people t USING (SELECT * FROM news) s ON t.id = s.id
       WHEN MATCHED THEN UPDATE SET visits = s.visits WHEN NOT MATCHED THEN INSERT (visits, id) VALUES (s.visits, s.id)`,
    );
    expect(statistics.dmlStats).toEqual({
      insertedRowCount: '1',
      updatedRowCount: '1',
      deletedRowCount: '0',
    });
    expect(await people()).toEqual([
      { id: 'ann', visits: 1 },
      { id: 'bob', visits: 20 },
      { id: 'dan', visits: 40 },
      { id: 'eve', visits: 3 },
    ]);
  });

  test('replaces a whole table ON FALSE, and inserts a table ROW by ROW', async () => {
    await run(
      'MERGE people USING news ON FALSE WHEN NOT MATCHED THEN INSERT ROW WHEN NOT MATCHED BY SOURCE THEN DELETE',
    );
    expect(await people()).toEqual([
      { id: 'bob', visits: 20 },
      { id: 'dan', visits: 40 },
    ]);
  });

  test('compares by any condition, NULL among it', async () => {
    await run("INSERT INTO people (id) VALUES ('nil')");
    await run(
      `MERGE people t USING (SELECT CAST(NULL AS INT64) AS visits) s ON t.visits IS NOT DISTINCT FROM s.visits
       WHEN MATCHED THEN UPDATE SET visits = 0 WHEN NOT MATCHED THEN INSERT (id) VALUES ('never')`,
    );
    expect(await people()).toContainEqual({ id: 'nil', visits: 0 });
    expect(await people()).toHaveLength(4);
  });

  test('refuses a second source row for one target row, unless no clause takes it', async () => {
    const twice = (and: string) =>
      run(
        `MERGE people t USING UNNEST([1, 2]) AS n ON t.id = 'bob' WHEN MATCHED AND ${and} THEN UPDATE SET visits = n`,
      );
    const error = await rejection(twice('TRUE'));
    expect(error.message).toBe('UPDATE/MERGE must match at most one source row for each target row');
    expect(error.errors?.[0]?.reason).toBe('invalidQuery');
    expect(await people()).toContainEqual({ id: 'bob', visits: 2 });
    await twice('n = 1');
    expect(await people()).toContainEqual({ id: 'bob', visits: 1 });
  });

  test('lets a clause see only what it is about', async () => {
    const source = 'MERGE people t USING news s ON t.id = s.id';
    for (const [clause, message] of [
      ['WHEN NOT MATCHED THEN INSERT (id) VALUES (t.id)', 'Unrecognized name: t'],
      ['WHEN NOT MATCHED BY SOURCE THEN UPDATE SET visits = s.visits', 'Unrecognized name: s'],
      ['WHEN NOT MATCHED THEN DELETE', 'Expected keyword INSERT but got identifier "DELETE"'],
      ['WHEN MATCHED THEN INSERT ROW', 'Expected keyword UPDATE but got identifier "INSERT"'],
    ] as const) {
      expect((await rejection(run(`${source} ${clause}`))).message).toContain(message);
    }
  });
});

describe('a statement that changes rows', () => {
  test('is only analysed when it is dry', async () => {
    const [job] = await local.bigquery.createQueryJob({
      query: `DELETE FROM \`${PROJECT}.${DATASET}.people\` WHERE TRUE`,
      dryRun: true,
    });
    expect(job.metadata.statistics.query).toMatchObject({ statementType: 'DELETE', schema: {} });
    expect(await people()).toHaveLength(3);
  });

  test('is answered by query() with no rows', async () => {
    const [rows] = await local.bigquery.query({
      query: 'DELETE FROM people WHERE id = @id',
      params: { id: 'ann' },
      defaultDataset: { datasetId: DATASET },
    });
    expect(rows).toEqual([]);
    expect(await people()).toHaveLength(2);
  });

  test('makes no view and changes none', async () => {
    const view = { query: `DELETE FROM ${DATASET}.people WHERE TRUE`, useLegacySql: false };
    expect((await rejection(local.createTable('changing', { view }))).message).toContain(
      'A query is expected here',
    );
    await local.createTable('seen', { view: { ...view, query: `SELECT * FROM ${DATASET}.people` } });
    expect((await rejection(run('DELETE FROM seen WHERE TRUE'))).message).toContain(
      'is a view, which DML cannot change',
    );
  });

  test('takes turns with others like it, so that none is lost', async () => {
    await Promise.all(
      Array.from({ length: 20 }, () => run("UPDATE people SET visits = visits + 1 WHERE id = 'ann'")),
    );
    expect(await people()).toContainEqual({ id: 'ann', visits: 21 });
  });

  test('that is cancelled changes nothing, and what is appended meanwhile is kept', async () => {
    const endless = Array.from({ length: 40 }, () => 'UNNEST(GENERATE_ARRAY(1, 10))').join(', ');
    const [job] = await local.bigquery.createQueryJob({
      query: `INSERT INTO people (id) SELECT 'x' FROM ${endless}`,
      defaultDataset: { datasetId: DATASET },
    });
    const writer = await local.openWriter('people');
    const appended = writer.appendRows([{ id: 'appended' }]).getResult();
    await job.cancel();
    expect((await rejection(job.getQueryResults())).errors?.[0]?.reason).toBe('stopped');
    expect((await appended).error).toBeFalsy();
    expect((await people()).map(({ id }) => id)).toEqual(['ann', 'appended', 'bob', 'eve']);
  });
});
