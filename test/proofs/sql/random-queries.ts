import fc from 'fast-check';
import { expressions, failing, write } from './random-expressions.ts';
import { literals, type Sql } from './random-literals.ts';

/** One row of the inline table; `i` numbers the rows, so that an order by it leaves nothing to chance. */
const row = write`${fc.constantFrom("'a'", "'b'", "''", "'跑'", 'NULL')}, ${fc.constantFrom('0', '1', '-5', '7', '9007199254740993', 'NULL')}, ${fc.constantFrom('0.5', '-1.5', '2.0', '1e15', 'NULL')}, ${literals.bool}, ${literals.timestamp}`;

const table: Sql = fc
  .array(row, { maxLength: 6 })
  .map(
    (rows) =>
      `UNNEST(ARRAY<STRUCT<i INT64, k STRING, n INT64, f FLOAT64, b BOOL, t TIMESTAMP>>[${rows
        .map((one, index) => `(${index}, ${one})`)
        .join(', ')}])`,
  );

const direction = fc.constantFrom('', ' DESC', ' NULLS LAST', ' DESC NULLS FIRST');
const column = fc.constantFrom('k', 'n', 'f', 'b', 't');
const number = fc.constantFrom('n', 'f');
const condition = fc.oneof(
  fc.constantFrom('b', 'NOT b', 'n > 0', 'f < 1', "k = 'a'", 'k IS NULL', "k != 'b'", 'b OR n = 1', 'TRUE'),
  write`n IN (${literals.int}, 7)`,
  write`t >= ${literals.timestamp}`,
);

const aggregate = fc.oneof(
  fc.constantFrom('COUNT(*)', 'COUNTIF(b)', 'LOGICAL_AND(b)', 'LOGICAL_OR(b)', 'ANY_VALUE(k)', 'AVG(n)'),
  write`COUNT(${column})`,
  write`COUNT(DISTINCT ${column})`,
  write`COUNT(DISTINCT IF(${condition}, ${column}, NULL))`,
  write`SUM(${number})`,
  write`${fc.constantFrom('MIN', 'MAX')}(${column})`,
  write`SUM(IF(${condition}, n, 0))`,
  write`COUNT(DISTINCT DATE(t, ${literals.zone}))`,
  write`ARRAY_AGG(${column} IGNORE NULLS ORDER BY i${fc.constantFrom('', ' DESC')} LIMIT 2)`,
  write`STRING_AGG(k, '-' ORDER BY i)`,
);

const overRows = write`OVER (PARTITION BY ${fc.constantFrom('k', 'b', 'n > 0')} ORDER BY ${column}${direction}, i)`;
const window = fc.oneof(
  write`${fc.constantFrom('ROW_NUMBER()', 'RANK()', 'DENSE_RANK()', 'LAG(n)', "LEAD(k, 1, 'none')")} ${overRows}`,
  write`${fc.constantFrom('FIRST_VALUE', 'LAST_VALUE', 'COUNT', 'MIN', 'MAX')}(${column}) ${overRows}`,
  write`${fc.constantFrom('SUM(n)', 'COUNT(*)', 'MAX(t)')} OVER (PARTITION BY k)`,
);

/** Queries that read no stored table and whose answer, order included, GoogleSQL decides in full. */
export const queries: Sql = fc.oneof(
  { weight: 1, arbitrary: write`SELECT ${failing} AS a` },
  { weight: 6, arbitrary: write`SELECT ${fc.oneof(...Object.values(expressions))} AS a` },
  {
    weight: 1,
    arbitrary: write`SELECT k, ${aggregate} AS x, ${aggregate} AS y FROM ${table} WHERE ${condition} GROUP BY k HAVING ${fc.constantFrom('COUNT(*) > 0', 'COUNT(n) > 1', 'MAX(n) IS NOT NULL', 'SUM(n) > 0')} ORDER BY k${direction}`,
  },
  {
    weight: 1,
    arbitrary: write`SELECT ${aggregate} AS x, ${aggregate} AS y FROM ${table}`.map(withoutAnyValue),
  },
  { weight: 1, arbitrary: write`SELECT i, ${window} AS w FROM ${table} WHERE ${condition} ORDER BY i` },
  {
    weight: 1,
    arbitrary: write`SELECT i, k FROM ${table} QUALIFY ROW_NUMBER() ${overRows} = 1 ORDER BY k${direction}, i`,
  },
  {
    weight: 1,
    arbitrary: write`SELECT DISTINCT ${column} AS c FROM ${table} ORDER BY c${direction} LIMIT 3`,
  },
  {
    weight: 1,
    arbitrary: write`SELECT i, ${column} AS c, n FROM ${table} ORDER BY c${direction}, n${direction}, i LIMIT 4 OFFSET 1`,
  },
);

/** Only within one key is any value the same as any other. */
function withoutAnyValue(sql: string): string {
  return sql.replaceAll('ANY_VALUE(k)', 'MIN(k)');
}
