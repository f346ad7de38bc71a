import { describe, expect, test } from 'vitest';
import { cases } from '../../../local/bigquery/sql/cases.ts';
import { readText } from '../../repository-files.ts';
import { differencesPage } from './differences-page.ts';
import { explainedCases, knownDifferences } from './explained.ts';
import { findLacks, findUncovered } from './shipped-coverage.ts';
import { readDocumentedQueries, readFoldStatements, readQueryFiles, readViews } from './shipped-sql.ts';
import { featuresOf } from './sql-features.ts';

const query = (sql: string) => ({ file: 'a.sql', line: 1, column: 1, sql });

describe('the SQL that is shipped', () => {
  test('is found: the views, other .sql files, and the queries of the documents and their examples', () => {
    expect(readViews().map(({ file }) => file)).toContain('infra/views/events.sql');
    const files = readDocumentedQueries().map(({ file }) => file);
    expect(files).toEqual(expect.arrayContaining(['README.md', 'docs/examples/read-events.mjs']));
    // One for each of its constants.
    for (const own of ['functions/replay/queries.ts', 'functions/reports/queries.ts']) {
      const constants = readText(own).match(/^export const /gm)!.length;
      expect(files.filter((file) => file === own)).toHaveLength(constants);
    }
    for (const { file } of readQueryFiles()) expect(file).toMatch(/\.sql$/);
  });

  test('uses no function and no clause without cases; CONTRIBUTING.md tells how to add them', () => {
    expect(
      findUncovered([
        ...readViews(),
        ...readQueryFiles(),
        ...readFoldStatements(),
        ...readDocumentedQueries(),
      ]),
    ).toEqual([]);
  });
});

describe('the cases', () => {
  test('hold the values that required-values.ts asks for, of every function and clause there', () => {
    expect(findLacks()).toEqual([]);
  });

  test('are missed when a kind of value is taken away', () => {
    const withoutNull = cases.filter(({ sql }) => !(sql.includes('STRPOS') && sql.includes('NULL')));
    expect(findLacks(withoutNull)).toContainEqual({
      feature: 'STRPOS()',
      lacks: 'has no case with values of these kinds: null',
    });
  });

  test('are missed of a function or clause that is new', () => {
    expect(findUncovered([query('SELECT SOUNDEX(a) FROM b')])).toEqual([
      'a.sql:1: SOUNDEX() has no row in required-values.ts',
    ]);
    expect(findUncovered([query('SELECT a FROM b TABLESAMPLE SYSTEM (1 PERCENT)')])).toEqual([
      'a.sql:1: SYSTEM() has no row in required-values.ts',
      'a.sql:1: TABLESAMPLE has no row in required-values.ts',
    ]);
    expect(findUncovered([query('SELECT SUM(a) FROM b GROUP BY c')], [])).toEqual([
      'a.sql:1: SUM() has no case',
      'a.sql:1: FROM has no case',
      'a.sql:1: GROUP BY has no case',
    ]);
  });

  test('that differ from GoogleSQL are told, each, on the page of differences', () => {
    const page = readText(differencesPage);
    const told = [...page.matchAll(/^- `(.*)`$/gm)].map((match) => match[1]);
    const explained = Object.keys({ ...explainedCases, ...knownDifferences });
    expect(told.toSorted()).toEqual(explained.toSorted());
  });
});

describe('the features of a query', () => {
  test.each([
    ['SELECT SAFE.SUBSTR(a, 1), NET.HOST(b), left(c, 1) FROM d', ['SUBSTR', 'NET.HOST', 'LEFT']],
    ['SELECT * FROM events_between(@from, CURRENT_TIMESTAMP()) JOIN x.f(1) USING (a)', ['CURRENT_TIMESTAMP']],
    ["SELECT 'COUNT(*)', `SUM`, -- MAX(a)\n CURRENT_DATE", ['CURRENT_DATE']],
    ['SELECT * REPLACE (REPLACE(a, b, c) AS a), d[OFFSET(0)] FROM e', ['REPLACE', 'OFFSET']],
    ['WITH a AS (SELECT 1) SELECT IF(EXISTS (SELECT 1 FROM a), 1, 2), x IN (1)', ['IF']],
  ])('%s: its functions', (sql, functions) => {
    expect([...featuresOf(sql).functions]).toEqual(functions);
  });

  test.each([
    ['SELECT a FROM b LEFT JOIN c ON d', ['FROM', 'LEFT JOIN', 'ON']],
    ['SELECT a FROM b JOIN c USING (d)', ['FROM', 'JOIN', 'USING']],
    ['SELECT a FROM b, UNNEST(c) AS e WITH OFFSET AS o', ['WITH OFFSET', 'FROM', 'comma join', 'UNNEST']],
    [
      'SELECT DISTINCT COUNT(DISTINCT a) FROM b GROUP BY c, d',
      ['SELECT DISTINCT', 'FROM', 'GROUP BY', 'aggregate of DISTINCT'],
    ],
    ['SELECT a IS NOT NULL AND b LIKE c', ['AND', 'NOT', 'IS NULL', 'LIKE']],
    [
      'SELECT * EXCEPT (a) FROM b EXCEPT DISTINCT SELECT 1',
      ['SELECT *', 'SELECT * EXCEPT', 'FROM', 'EXCEPT DISTINCT'],
    ],
  ])('%s: its clauses', (sql, clauses) => {
    expect([...featuresOf(sql).clauses]).toEqual(clauses);
  });
});
