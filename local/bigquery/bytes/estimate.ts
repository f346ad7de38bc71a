import type { DuckDBConnection } from '@duckdb/node-api';
import type { CatalogStore, TableEntry } from '../catalog.ts';
import type { Translated } from '../sql/index.ts';
import { totalBytes } from '../table-size.ts';
import type { MeasuredTable, TableMeasures } from './measure.ts';
import type { Planner, Scan } from './planner.ts';
import { mayMeet } from './prune.ts';

/**
 * Estimates what BigQuery would say it processed (`totalBytesProcessed`):
 *
 * - a query: for each table the columns that its scans read, each in the partitions that are left by comparisons of the
 *   partition column with constants (also in views, table functions and subqueries; never by the rows of a join). A
 *   table that is read more than once counts once.
 * - INSERT, and MERGE that only inserts: the query that it reads. UPDATE, DELETE and other MERGEs: also all columns of
 *   the target, in the partitions that are scanned: cloud.google.com/bigquery/docs, "DML size calculation".
 *
 * Bytes of a column are those of its first rows by BigQuery's table of data type sizes, times its rows, the same for every
 * partition. Clustering, which BigQuery tells only afterwards, saves nothing here, and a struct counts as a whole.
 */
export async function estimateBytes(
  connection: DuckDBConnection,
  translated: Translated,
  context: { catalog: CatalogStore; planner: Planner; measures: TableMeasures },
): Promise<number> {
  const tables = translated.referencedTables.flatMap(({ projectId, datasetId, tableId }) => {
    const entry = context.catalog.find('table', [projectId, datasetId, tableId]);
    return entry?.kind === 'table' ? [entry] : [];
  });
  if (tables.length === 0) return 0;
  // What cannot be planned cannot run either, and says why when it does.
  const scans = await context.planner.scansOf(translated.sql, tables).catch(() => tables.map(wholeScan));
  let bytes = 0;
  for (const entry of tables) {
    const own = scans.filter(({ duckdbName }) => duckdbName === entry.duckdbName);
    if (own.length === 0) continue;
    const changes = translated.kind !== 'select' && translated.changesStored;
    bytes += bytesOfScans(own, entry, await context.measures.of(connection, entry), changes);
  }
  return Math.round(bytes);
}

function wholeScan({ duckdbName, fields }: TableEntry): Scan {
  return { duckdbName, columns: new Set(fields.map(({ name }) => name)), filters: [], findsRows: false };
}

function bytesOfScans(
  scans: readonly Scan[],
  entry: TableEntry,
  measured: MeasuredTable,
  changes: boolean,
): number {
  const scanned = new Map<string, Set<number>>();
  let bytes = 0;
  for (const scan of scans) {
    const left = partitionsLeft(scan, entry, measured);
    for (const column of scan.columns) {
      scanned.set(column, new Set([...(scanned.get(column) ?? []), ...left]));
    }
    if (changes && scan.findsRows) bytes += totalBytes(measured.size) * share(left, measured);
  }
  for (const [column, partitions] of scanned) {
    bytes += (measured.size.columnBytes.get(column) ?? 0) * share(partitions, measured);
  }
  return bytes;
}

function partitionsLeft(scan: Scan, entry: TableEntry, { partitions }: MeasuredTable): Set<number> {
  const column = entry.timePartitioning?.field ?? entry.rangePartitioning?.field;
  const left = new Set<number>();
  for (const [index, { partition }] of partitions.entries()) {
    const isLeft =
      column === undefined || scan.filters.every((condition) => mayMeet(condition, column, partition));
    if (isLeft) left.add(index);
  }
  return left;
}

/** Of the table's rows, those in these partitions. */
function share(indexes: ReadonlySet<number>, { partitions, size }: MeasuredTable): number {
  if (size.rows === 0) return 0;
  let rows = 0;
  for (const index of indexes) rows += partitions[index]!.rows;
  return rows / size.rows;
}
