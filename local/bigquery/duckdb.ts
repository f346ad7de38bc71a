import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, rename } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { setUpMacros } from './sql/index.ts';

/**
 * The DuckDB file behind both servers. Readers take connections of their own and see whole commits;
 * everything that writes goes through `write`, one transaction at a time, so that a schema change
 * and an append can never conflict.
 */
export interface Database {
  /**
   * Runs `work` in one transaction: committed when it resolves, rolled back when it throws.
   * `onCommit` runs after the commit and before any other transaction starts.
   */
  write<T>(work: (connection: DuckDBConnection) => Promise<T>, onCommit?: (result: T) => void): Promise<T>;
  /** Runs `work` on a connection that nobody else uses meanwhile. It must not read again inside. */
  read<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T>;
  /** Waits for the reads and writes under way, checkpoints, and closes the file. */
  close(): Promise<void>;
}

/**
 * Reads at once; others wait their turn. Each occupies one of libuv's four threads from its start to its end, and the
 * thread that is left is for commits: appends must go on, however many queries are running.
 */
const MAX_READERS = 3;

const MAX_MEMORY_BYTES = 2 * 1024 ** 3;

/**
 * Opens (or creates) the file, or a database in memory for ':memory:'. `threads` share a query; default DuckDB's own. What
 * is created begins as a copy of `template`, a closed file.
 */
export async function openDatabase(file: string, threads?: number, template?: string): Promise<Database> {
  if (template !== undefined && file !== ':memory:' && !existsSync(file)) await copyDatabase(template, file);
  // Without a file DuckDB would spill into the folder that the process was started in.
  const spill =
    file === ':memory:' ? { temp_directory: join(tmpdir(), `tributary-duckdb-${randomUUID()}`) } : undefined;
  const instance = await DuckDBInstance.create(file, spill);
  const writer = await instance.connect();
  if (template !== undefined && file === ':memory:') await readDatabase(writer, template);
  await writer.run("SET GLOBAL TimeZone='UTC'");
  // Rewriting row groups at every 16 MB of log would dominate steady appends.
  await writer.run("SET GLOBAL checkpoint_threshold='128MB'");
  await writer.run(setUpMacros());
  // DuckDB would keep what it has read until four fifths of the machine are full; a query that needs more spills to disk.
  await writer.run(`SET GLOBAL memory_limit='${Math.floor(Math.min(MAX_MEMORY_BYTES, totalmem() / 2))}B'`);
  if (threads !== undefined) await writer.run(`SET GLOBAL threads=${threads}`);
  // Nothing here reads files or the network, so a query that slipped through could not either.
  await writer.run('SET GLOBAL autoinstall_known_extensions=false');
  await writer.run('SET GLOBAL enable_external_access=false');

  let lastWrite: Promise<unknown> = Promise.resolve();
  const idleReaders: DuckDBConnection[] = [];
  const waiting: (() => void)[] = [];
  let reading = 0;
  const reads = new Set<Promise<unknown>>();

  async function transaction<T>(
    work: (connection: DuckDBConnection) => Promise<T>,
    onCommit?: (result: T) => void,
  ): Promise<T> {
    await writer.run('BEGIN TRANSACTION');
    try {
      const result = await work(writer);
      await writer.run('COMMIT');
      onCommit?.(result);
      return result;
    } catch (error) {
      // A failed COMMIT has ended the transaction already; then there is nothing to roll back.
      await writer.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  async function readInTurn<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    // Whoever ends hands his turn on, so that nobody who comes later gets in between.
    if (reading >= MAX_READERS) await new Promise<void>((resolve) => waiting.push(resolve));
    else reading += 1;
    try {
      const connection = idleReaders.pop() ?? (await instance.connect());
      try {
        return await work(connection);
      } finally {
        idleReaders.push(connection);
      }
    } finally {
      const next = waiting.shift();
      if (next === undefined) reading -= 1;
      else next();
    }
  }

  return {
    write(work, onCommit) {
      const result = lastWrite.then(() => transaction(work, onCommit));
      lastWrite = result.catch(() => undefined);
      return result;
    },
    read(work) {
      const result = readInTurn(work);
      const settled = result.catch(() => undefined).finally(() => reads.delete(settled));
      reads.add(settled);
      return result;
    },
    async close() {
      await Promise.all([lastWrite, ...reads]);
      if (file !== ':memory:') await writer.run('CHECKPOINT');
      for (const reader of idleReaders) reader.closeSync();
      writer.closeSync();
      instance.closeSync();
    },
  };
}

/** Whoever is stopped in the middle leaves no half of a database behind. */
async function copyDatabase(template: string, file: string): Promise<void> {
  const part = `${file}.part`;
  await copyFile(template, part);
  await rename(part, file);
}

async function readDatabase(connection: DuckDBConnection, template: string): Promise<void> {
  await connection.run(`ATTACH '${template.replaceAll("'", "''")}' AS template (READ_ONLY)`);
  await connection.run('COPY FROM DATABASE template TO memory');
  await connection.run('DETACH template');
}

/** An identifier in double quotes, safe whatever it contains. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
