import { DuckDBInstance } from '@duckdb/node-api';
import { setUpMacros } from '../sql/index.ts';
import type { Field } from '../sql/types.ts';
import { createStatement } from '../table-schema.ts';

/** What one scan of a query reads of a table. */
export interface Scan {
  duckdbName: string;
  /** Top-level columns, in the table's spelling. */
  columns: Set<string>;
  /** Conditions over the table's columns, all of which a row must meet, in DuckDB's words. */
  filters: string[];
  /** Whether it looks for rows to change, as DML's scan of its target does. */
  findsRows: boolean;
}

/**
 * Finds what a query scans, from the plan that DuckDB makes of it: there views are inlined, columns nobody uses are gone,
 * constants are computed, and conditions have sunk to the scans they concern.
 */
export interface Planner {
  /** Throws what DuckDB throws at a query that it cannot plan. */
  scansOf(sql: string, tables: readonly PlannedTable[]): Promise<Scan[]>;
  close(): Promise<void>;
}

export interface PlannedTable {
  duckdbName: string;
  fields: readonly Field[];
}

/**
 * Whatever looks at rows, or has a scan read what BigQuery would not: joins that hand values to scans, minima and maxima
 * of columns, rows fetched a second time by their rowid.
 */
const DISABLED_OPTIMIZERS = [
  'statistics_propagation',
  'join_filter_pushdown',
  'join_order',
  'build_side_probe_side',
  'late_materialization',
  'top_n_window_elimination',
  'window_self_join',
  // It would make a join of a long list of constants.
  'in_clause',
];

const ROW_NUMBER = 'rowid';

/** Plans of the latest texts: who waits for rows asks the same again and again, and planning takes longer than running. */
const MAX_KEPT = 200;

/** Opens a database of its own, in memory, with tables as those of the queries but without rows: plans depend on no data. */
export function openPlanner(): Planner {
  const known = new Map<string, readonly Field[]>();
  const kept = new Map<string, { fields: readonly (readonly Field[])[]; scans: Scan[] }>();
  let opened: ReturnType<typeof open> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function scansOf(sql: string, tables: readonly PlannedTable[]): Promise<Scan[]> {
    const before = kept.get(sql);
    kept.delete(sql);
    const isAsBefore = before?.fields.every((fields, index) => fields === tables[index]?.fields) ?? false;
    const scans = before !== undefined && isAsBefore ? before.scans : await plan(sql, tables);
    kept.set(sql, { fields: tables.map(({ fields }) => fields), scans });
    const [oldest] = kept.keys();
    if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
    return scans;
  }

  async function plan(sql: string, tables: readonly PlannedTable[]): Promise<Scan[]> {
    opened ??= open();
    const { connection } = await opened;
    for (const table of tables) {
      if (known.get(table.duckdbName) === table.fields) continue;
      await connection.run(`DROP TABLE IF EXISTS ${table.duckdbName}`);
      await connection.run(createStatement(withRowNumber(table)));
      known.set(table.duckdbName, table.fields);
    }
    const explained = await connection.runAndReadAll(`EXPLAIN (FORMAT JSON) ${sql}`);
    const steps: unknown = JSON.parse(String(explained.getRows()[0]?.[1]));
    const byName = new Map(tables.map((table) => [table.duckdbName, table]));
    return stepsOf(steps).flatMap((step) => readScan(step, byName));
  }

  return {
    scansOf(sql, tables) {
      const result = last.then(() => scansOf(sql, tables));
      last = result.catch(() => undefined);
      return result;
    },
    async close() {
      await last;
      const planning = await opened;
      planning?.connection.closeSync();
      planning?.instance.closeSync();
    },
  };
}

/** DuckDB's own rowid is in no plan's text; a column of that name is. */
function withRowNumber({ duckdbName, fields }: PlannedTable): PlannedTable {
  if (fields.some(({ name }) => name.toLowerCase() === ROW_NUMBER)) return { duckdbName, fields };
  return { duckdbName, fields: [...fields, { name: ROW_NUMBER, type: 'INTEGER', mode: 'NULLABLE' }] };
}

async function open() {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '256MB' });
  const connection = await instance.connect();
  await connection.run("SET GLOBAL TimeZone='UTC'");
  await connection.run(setUpMacros());
  await connection.run(`SET GLOBAL disabled_optimizers='${DISABLED_OPTIMIZERS.join(',')}'`);
  return { instance, connection };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What the plan says of each of its steps. */
function stepsOf(plan: unknown): Record<string, unknown>[] {
  if (Array.isArray(plan)) return plan.flatMap(stepsOf);
  if (!isObject(plan)) return [];
  return [...(isObject(plan.extra_info) ? [plan.extra_info] : []), ...stepsOf(plan.children)];
}

function texts(value: unknown): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((text): text is string => typeof text === 'string' && text !== '');
}

function readScan(step: Record<string, unknown>, tables: ReadonlyMap<string, PlannedTable>): Scan[] {
  const table = tables.get(String(step.Table).split('.').at(-1) ?? '');
  if (table === undefined) return [];
  const filters = texts(step.Filters).map((text) => text.replace(/^optional: /, ''));
  const projected = texts(step.Projections);
  const columns = new Set<string>();
  for (const { name } of table.fields) {
    // A part of a struct is written `column.part`; the column counts as a whole.
    const isRead = projected.some((text) => text === name || text.startsWith(`${name}.`));
    if (isRead || filters.some((text) => mentions(text, name))) columns.add(name);
  }
  return [
    {
      duckdbName: table.duckdbName,
      columns,
      filters,
      findsRows: projected.includes(ROW_NUMBER),
    },
  ];
}

function mentions(text: string, column: string): boolean {
  const bare = text.replaceAll(/'(?:[^']|'')*'/g, "''").toLowerCase();
  const escaped = column.toLowerCase().replaceAll(/[^\w]/g, '\\$&');
  return new RegExp(`(^|[^\\w])${escaped}($|[^\\w])`).test(bare);
}
