import { type DuckDBConnection, DuckDBDataChunk, type DuckDBType, type DuckDBValue } from '@duckdb/node-api';
import type { Database } from './duckdb.ts';

/**
 * Rows of many appends, from all connections, stored by one transaction: a commit costs milliseconds, so one per
 * append would decide the throughput.
 */
export interface GroupCommit {
  /**
   * Stores rows (values in column order) and resolves once they are committed. `stillValid` is asked under the write
   * lock; when it answers false nothing is stored and the promise resolves to 'refused'.
   */
  append(duckdbName: string, rows: DuckDBValue[][], stillValid: () => boolean): Promise<'stored' | 'refused'>;
  /** Resolves when everything appended so far is committed. */
  finish(): Promise<void>;
}

interface Pending {
  duckdbName: string;
  rows: DuckDBValue[][];
  stillValid: () => boolean;
  resolve: (outcome: 'stored' | 'refused') => void;
  reject: (error: unknown) => void;
}

/** How long the first append of a group waits for company. */
const GATHER_MS = 5;
/** A group of this many rows does not wait. */
const GATHER_ROWS = 2_000;
/** Rows of one group; bounds the memory and the time of one transaction. */
const MAX_GROUP_ROWS = 20_000;
/** DuckDB's vector size: the most rows a data chunk holds. */
const CHUNK_ROWS = 2_048;

/** `onStored` hears of every table that rows were stored in, once they are committed. */
export function openGroupCommit(
  database: Database,
  onStored: (duckdbName: string) => void = () => undefined,
): GroupCommit {
  let waiting: Pending[] = [];
  let waitingRows = 0;
  let running: Promise<void> | undefined;
  let hurry: (() => void) | undefined;

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      if (waitingRows < GATHER_ROWS) {
        await new Promise<void>((resolve) => {
          hurry = resolve;
          setTimeout(resolve, GATHER_MS);
        });
        hurry = undefined;
      }
      await commit(takeGroup());
    }
    running = undefined;
  }

  function takeGroup(): Pending[] {
    let rows = 0;
    let count = 0;
    while (count < waiting.length && (count === 0 || rows + waiting[count]!.rows.length <= MAX_GROUP_ROWS)) {
      rows += waiting[count]!.rows.length;
      count += 1;
    }
    const group = waiting.slice(0, count);
    waiting = waiting.slice(count);
    waitingRows -= rows;
    return group;
  }

  async function commit(group: Pending[]): Promise<void> {
    try {
      const refused = await database.write((connection) => storeGroup(connection, group));
      for (const { duckdbName } of group) onStored(duckdbName);
      for (const pending of group) pending.resolve(refused.has(pending) ? 'refused' : 'stored');
    } catch (error) {
      const [only] = group;
      if (group.length === 1) only?.reject(error);
      // One append that DuckDB refuses must not fail its neighbours.
      else for (const pending of group) await commit([pending]);
    }
  }

  return {
    append(duckdbName, rows, stillValid) {
      return new Promise((resolve, reject) => {
        waiting.push({ duckdbName, rows, stillValid, resolve, reject });
        waitingRows += rows.length;
        if (waitingRows >= GATHER_ROWS) hurry?.();
        running ??= run();
      });
    },
    async finish() {
      while (running !== undefined) await running;
    },
  };
}

async function storeGroup(connection: DuckDBConnection, group: readonly Pending[]): Promise<Set<Pending>> {
  const refused = new Set<Pending>();
  const byTable = new Map<string, DuckDBValue[][][]>();
  for (const pending of group) {
    if (!pending.stillValid()) {
      refused.add(pending);
      continue;
    }
    const batches = byTable.get(pending.duckdbName) ?? [];
    batches.push(pending.rows);
    byTable.set(pending.duckdbName, batches);
  }
  for (const [duckdbName, batches] of byTable) await storeRows(connection, duckdbName, batches.flat());
  return refused;
}

async function storeRows(
  connection: DuckDBConnection,
  duckdbName: string,
  rows: DuckDBValue[][],
): Promise<void> {
  const appender = await connection.createAppender(duckdbName);
  try {
    const types: DuckDBType[] = [];
    for (let column = 0; column < appender.columnCount; column += 1) types.push(appender.columnType(column));
    for (let start = 0; start < rows.length; start += CHUNK_ROWS) {
      const slice = rows.slice(start, start + CHUNK_ROWS);
      const chunk = DuckDBDataChunk.create(types, slice.length);
      for (let column = 0; column < types.length; column += 1) {
        // A row decoded before a column was added is shorter: the new column is NULL there.
        chunk.setColumnValues(
          column,
          slice.map((row) => row[column] ?? null),
        );
      }
      appender.appendDataChunk(chunk);
    }
  } finally {
    appender.closeSync();
  }
}
