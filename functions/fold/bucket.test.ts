import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalClients, startForTest } from '../../local/bigquery/start-for-test.ts';
import { personBuckets } from '../../shared/warehouse/tables/profile-operations.ts';
import { bucketCount, bucketOf, bucketSql } from './bucket.ts';

describe('the bucket of a person', () => {
  let local: LocalClients;

  beforeAll(async () => {
    local = await startForTest();
  });
  afterAll(() => local.close());

  // As Python's hashlib has it.
  test.each([
    ['shop', 'visitor-1', 783],
    ['', '', 122],
    ['店', '读者😀', 400],
    ['a\nb', 'c', 3447],
    ['shop', "o'brien\\n", 2380],
  ])('of project %j and id %j is for ever %i', (project, id, bucket) => {
    expect(bucketOf(project, id)).toBe(bucket);
  });

  test('is the one that BigQuery finds, whatever project and id', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 30 }).map((value) => value.toWellFormed());
    const persons = [
      { project: 'a\0', id: '\0b' },
      ...fc.sample(fc.record({ project: text, id: text }), 300),
    ];
    const [rows] = await local.bigquery.query({
      query: `SELECT p.project, p.id, ${bucketSql('p.project', 'p.id')} AS bucket FROM UNNEST(@persons) AS p`,
      params: { persons },
    });
    expect(rows).toHaveLength(persons.length);
    for (const { project, id, bucket } of rows) expect(bucketOf(project, id)).toBe(bucket);
  });

  test('is a partition of the tables that are laid out by person', () => {
    expect({ start: 0, end: bucketCount }).toEqual({ start: personBuckets.start, end: personBuckets.end });
  });
});
