import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteIdentifier } from './duckdb.ts';
import { invalidQuery } from './errors.ts';
import { asQueryFailure } from './queries.ts';
import type { Field, TranslatedChange } from './sql/index.ts';

/** How many rows a statement changed, as `dmlStats` of a job has it. */
export interface ChangeCounts {
  inserted: number;
  updated: number;
  deleted: number;
}

/** Temporary, so that other connections do not see it. */
const STAGED = 'temp.changed_rows';

/**
 * Runs a translated INSERT, UPDATE, DELETE or MERGE inside the transaction of `connection`: all of it, or, when it
 * throws, nothing once that transaction is rolled back. With `insteadOfAll` its rows replace all that the table held.
 */
export async function runChange(
  connection: DuckDBConnection,
  change: TranslatedChange,
  { insteadOfAll = false } = {},
): Promise<ChangeCounts> {
  const { sql, target, kind } = change;
  return asQueryFailure(async () => {
    await connection.run(`CREATE OR REPLACE TEMP TABLE changed_rows AS ${sql}`);
    if (kind === 'update' || kind === 'merge') await refuseSecondMatch(connection);
    await refuseBrokenRows(connection, target.fields);
    const counts = await countActions(connection);
    const gone = insteadOfAll ? 'true' : `rowid IN (SELECT "row" FROM ${STAGED} WHERE action <> 'insert')`;
    if (kind !== 'insert' || insteadOfAll) {
      await connection.run(`DELETE FROM ${target.duckdbName} WHERE ${gone}`);
    }
    await insertStaged(connection, target.duckdbName, target.fields);
    await connection.run(`DROP TABLE ${STAGED}`);
    return counts;
  });
}

async function refuseSecondMatch(connection: DuckDBConnection): Promise<void> {
  const twice = await connection.runAndReadAll(
    `SELECT 1 FROM ${STAGED} WHERE action <> 'insert' GROUP BY "row" HAVING count(*) > 1 LIMIT 1`,
  );
  if (twice.currentRowCount > 0) {
    throw invalidQuery('UPDATE/MERGE must match at most one source row for each target row');
  }
}

/** What BigQuery stores in no row: NULL where the column is REQUIRED, and NULL inside of an array. */
async function refuseBrokenRows(connection: DuckDBConnection, fields: readonly Field[]): Promise<void> {
  const checks = fields.flatMap((field, index) => {
    if (field.mode === 'REQUIRED') {
      return [{ test: `c${index} IS NULL`, message: `Required field ${field.name} cannot be null` }];
    }
    if (field.mode !== 'REPEATED') return [];
    const message = `Array cannot have a null element; error in writing field ${field.name}`;
    return [{ test: `list_count(c${index}) < len(c${index})`, message }];
  });
  if (checks.length === 0) return;
  const broken = await connection.runAndReadAll(
    `SELECT ${checks.map(({ test }) => `coalesce(bool_or(${test}), false)`).join(', ')} FROM ${STAGED} WHERE action <> 'delete'`,
  );
  const found = (broken.getRows()[0] ?? []).indexOf(true);
  if (found >= 0) throw invalidQuery(checks[found]!.message);
}

async function countActions(connection: DuckDBConnection): Promise<ChangeCounts> {
  const counted = await connection.runAndReadAll(`SELECT action, count(*) FROM ${STAGED} GROUP BY action`);
  const counts = new Map(counted.getRows().map(([action, rows]) => [String(action), Number(rows)]));
  return {
    inserted: counts.get('insert') ?? 0,
    updated: counts.get('update') ?? 0,
    deleted: counts.get('delete') ?? 0,
  };
}

async function insertStaged(
  connection: DuckDBConnection,
  duckdbName: string,
  fields: readonly Field[],
): Promise<void> {
  const names = fields.map(({ name }) => quoteIdentifier(name)).join(', ');
  const values = fields.map((_, index) => `c${index}`).join(', ');
  await connection.run(
    `INSERT INTO ${duckdbName} (${names}) SELECT ${values} FROM ${STAGED} WHERE action <> 'delete'`,
  );
}
