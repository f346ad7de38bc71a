import { randomBytes } from 'node:crypto';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Database } from './duckdb.ts';
import { notFound } from './errors.ts';
import type { Catalog, TableReference } from './sql/index.ts';
import type { Field } from './sql/types.ts';

export interface DatasetReference {
  projectId: string;
  datasetId: string;
}

export interface RoutineReference extends DatasetReference {
  routineId: string;
}

/** What every resource carries; times are milliseconds since the epoch. */
interface Stamped {
  etag: string;
  creationTime: number;
  lastModifiedTime: number;
}

export interface DatasetEntry extends Stamped {
  kind: 'dataset';
  reference: DatasetReference;
  /** The properties a caller may set, as REST spells them. */
  properties: Record<string, unknown>;
}

export interface TableEntry extends Stamped {
  kind: 'table' | 'view';
  reference: TableReference;
  properties: Record<string, unknown>;
  fields: Field[];
  /** The stored table, a bare identifier; empty for a view. */
  duckdbName: string;
  /** The query of a view; empty for a table. */
  query: string;
  timePartitioning?: { type: 'DAY'; field?: string; expirationMs?: string };
  rangePartitioning?: RangePartitioning;
}

/** Partitions by ranges of an INTEGER column, `end` exclusive; the numbers are texts, as the REST API has int64. */
export interface RangePartitioning {
  field: string;
  range: { start: string; end: string; interval: string };
}

export interface RoutineEntry extends Stamped {
  kind: 'routine';
  reference: RoutineReference;
  properties: Record<string, unknown>;
  arguments: { name: string; typeKind: string; type: Field['type'] }[];
  body: string;
}

export type Entry = DatasetEntry | TableEntry | RoutineEntry;

/** A change to the catalogue; `ddl`, and then `run`, in the same transaction as the catalogue's own rows. */
export interface Change {
  put?: Entry[];
  remove?: Entry[];
  ddl?: string[];
  run?: (connection: DuckDBConnection) => Promise<void>;
}

/**
 * Everything that is not rows: datasets, tables, views, routines. Held in memory, kept in a table of the same
 * DuckDB file, and changed in one transaction with the tables it describes.
 */
export interface CatalogStore {
  dataset(reference: DatasetReference): DatasetEntry;
  table(reference: TableReference): TableEntry;
  routine(reference: RoutineReference): RoutineEntry;
  /** The entry, or undefined where the three above would throw Google's notFound. */
  find(kind: 'dataset' | 'table' | 'routine', path: readonly string[]): Entry | undefined;
  datasets(projectId: string): DatasetEntry[];
  tables(reference: DatasetReference): TableEntry[];
  routines(reference: DatasetReference): RoutineEntry[];
  /** Decides under the write lock, so that `decide` sees the state it changes, and applies its change. */
  change(decide: () => Change): Promise<void>;
  /** The catalogue as the SQL translator wants it. */
  forQueries(defaultProject: string, defaultDataset?: DatasetReference): Catalog;
  newStamp(previous?: Stamped): Stamped;
  newDuckdbName(tableId: string): string;
}

const METADATA_TABLE = 'tributary_catalog';

/** Reads the catalogue out of the database, creating its table in a new file. */
export async function openCatalog(database: Database, now: () => Date): Promise<CatalogStore> {
  const entries = new Map<string, Entry>();
  let lastTableNumber = 0;

  await database.write(async (connection) => {
    await connection.run(`CREATE TABLE IF NOT EXISTS ${METADATA_TABLE}(key VARCHAR, body VARCHAR)`);
    const stored = await connection.runAndReadAll(`SELECT key, body FROM ${METADATA_TABLE}`);
    for (const [key, body] of stored.getRows()) {
      const entry = JSON.parse(String(body)) as Entry;
      entries.set(String(key), entry);
      if (entry.kind === 'table') {
        lastTableNumber = Math.max(lastTableNumber, Number(/_(\d+)$/.exec(entry.duckdbName)?.[1] ?? 0));
      }
    }
  });

  async function store(connection: DuckDBConnection, change: Change): Promise<void> {
    for (const statement of change.ddl ?? []) await connection.run(statement);
    for (const entry of [...(change.remove ?? []), ...(change.put ?? [])]) {
      await connection.run(`DELETE FROM ${METADATA_TABLE} WHERE key = $1`, [keyOf(entry)]);
    }
    for (const entry of change.put ?? []) {
      await connection.run(`INSERT INTO ${METADATA_TABLE} VALUES ($1, $2)`, [
        keyOf(entry),
        JSON.stringify(entry),
      ]);
    }
    await change.run?.(connection);
  }

  function find(kind: 'dataset' | 'table' | 'routine', path: readonly string[]): Entry | undefined {
    const entry = entries.get([kind, ...path].join('/'));
    return entry !== undefined && isExpired(entry, now()) ? undefined : entry;
  }

  function list(kind: string, path: readonly string[]): Entry[] {
    const prefix = `${[kind, ...path].join('/')}/`;
    return [...entries]
      .filter(([key, entry]) => key.startsWith(prefix) && !isExpired(entry, now()))
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([, entry]) => entry);
  }

  const catalog: CatalogStore = {
    find,
    dataset(reference) {
      const entry = find('dataset', [reference.projectId, reference.datasetId]);
      if (entry?.kind !== 'dataset') {
        throw notFound(`Not found: Dataset ${reference.projectId}:${reference.datasetId}`);
      }
      return entry;
    },
    table(reference) {
      const entry = find('table', [reference.projectId, reference.datasetId, reference.tableId]);
      if (entry?.kind !== 'table' && entry?.kind !== 'view') {
        catalog.dataset(reference);
        throw notFound(`Not found: Table ${displayTable(reference)}`);
      }
      return entry;
    },
    routine(reference) {
      const entry = find('routine', [reference.projectId, reference.datasetId, reference.routineId]);
      if (entry?.kind !== 'routine') {
        catalog.dataset(reference);
        throw notFound(
          `Not found: Routine ${reference.projectId}:${reference.datasetId}.${reference.routineId}`,
        );
      }
      return entry;
    },
    datasets: (projectId) =>
      list('dataset', [projectId]).filter((entry): entry is DatasetEntry => entry.kind === 'dataset'),
    tables: (reference) =>
      list('table', [reference.projectId, reference.datasetId]).filter(
        (entry): entry is TableEntry => entry.kind === 'table' || entry.kind === 'view',
      ),
    routines: (reference) =>
      list('routine', [reference.projectId, reference.datasetId]).filter(
        (entry): entry is RoutineEntry => entry.kind === 'routine',
      ),
    async change(decide) {
      await database.write(
        async (connection) => {
          const change = decide();
          await store(connection, change);
          return change;
        },
        (change) => {
          for (const entry of change.remove ?? []) entries.delete(keyOf(entry));
          for (const entry of change.put ?? []) entries.set(keyOf(entry), entry);
        },
      );
    },
    forQueries(defaultProject, defaultDataset) {
      return {
        defaultProject,
        ...(defaultDataset === undefined ? {} : { defaultDataset }),
        hasDataset: (projectId, datasetId) => find('dataset', [projectId, datasetId]) !== undefined,
        relation(reference) {
          const entry = find('table', [reference.projectId, reference.datasetId, reference.tableId]);
          if (entry?.kind === 'view') return { kind: 'view', query: entry.query };
          if (entry?.kind !== 'table') return undefined;
          const partitionField = entry.timePartitioning?.field;
          return {
            kind: 'table',
            duckdbName: entry.duckdbName,
            fields: entry.fields,
            ...(partitionField === undefined ? {} : { partitionField }),
          };
        },
        tableFunction(reference) {
          const entry = find('routine', [reference.projectId, reference.datasetId, reference.routineId]);
          return entry?.kind === 'routine'
            ? { arguments: entry.arguments.map(({ name, type }) => ({ name, type })), body: entry.body }
            : undefined;
        },
      };
    },
    newStamp(previous) {
      const at = now().getTime();
      return {
        etag: randomBytes(15).toString('base64'),
        creationTime: previous?.creationTime ?? at,
        lastModifiedTime: at,
      };
    },
    newDuckdbName(tableId) {
      lastTableNumber += 1;
      // A bare identifier whatever the table is called, and new for each creation: a table deleted and
      // created again never meets appends or queries meant for the old one.
      return `t_${tableId.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')}_${lastTableNumber}`;
    },
  };
  return catalog;
}

/** `project:dataset.table`, as BigQuery's messages name a table. */
export function displayTable(reference: TableReference): string {
  return `${reference.projectId}:${reference.datasetId}.${reference.tableId}`;
}

function keyOf(entry: Entry): string {
  switch (entry.kind) {
    case 'dataset':
      return `dataset/${entry.reference.projectId}/${entry.reference.datasetId}`;
    case 'routine':
      return `routine/${entry.reference.projectId}/${entry.reference.datasetId}/${entry.reference.routineId}`;
    default:
      return `table/${entry.reference.projectId}/${entry.reference.datasetId}/${entry.reference.tableId}`;
  }
}

function isExpired(entry: Entry, at: Date): boolean {
  const expiration =
    entry.kind === 'table' || entry.kind === 'view' ? entry.properties.expirationTime : undefined;
  return expiration !== undefined && Number(expiration) <= at.getTime();
}
