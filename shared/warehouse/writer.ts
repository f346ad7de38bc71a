import { type AppendAnswer, status } from './append-answer.ts';
import { type Chunk, type ChunkResult, type RefusedRow, rowCost } from './append-batch.ts';
import { type AppendClient, type AppendConnection, createAppendConnection } from './append-connection.ts';
import { type AppendQueue, createAppendQueue, type QueueLimits } from './append-queue.ts';
import { appendWithRetry, type Retry, type RetryLimits } from './append-with-retry.ts';
import { createFlowControl } from './flow-control.ts';
import { findRowDescriptor } from './row-descriptor.ts';
import type { EncodedTable } from './schema-versions.ts';

export type { RefusedRow } from './append-batch.ts';

/** The tables that encoded rows are appended to. */
export type AppendedTable = EncodedTable | 'state_log';

export interface WriterLimits extends QueueLimits, RetryLimits {
  /** A single row above this is refused here: BigQuery takes requests of less than 10 MB. */
  readonly maxRowBytes: number;
  /** Bytes of rows that wait or are in flight over all tables. */
  readonly maxPendingBytes: number;
}

export const writerLimits: WriterLimits = {
  maxBatchBytes: 5_000_000,
  maxRowBytes: 9_000_000,
  maxPendingBytes: 64_000_000,
  lingerMs: 20,
  maxInFlight: 2,
  appendTimeoutMs: 15_000,
  firstRetryDelayMs: 100,
  longestRetryDelayMs: 5_000,
};

export type AppendOutcome =
  /** BigQuery acknowledged every row but the refused ones, which are the caller's to put aside. */
  | { readonly kind: 'appended'; readonly refused: readonly RefusedRow[] }
  /** Some rows may be stored and some not. `permanent` needs somebody to mend the table or its permissions. */
  | { readonly kind: 'failed'; readonly permanent: boolean; readonly code: number; readonly detail: string }
  /** Too much waits already, or the writer is closed; nothing was taken. */
  | { readonly kind: 'full' }
  | { readonly kind: 'unknown_schema_version' };

export interface Writer {
  /**
   * Appends encoded rows, together with those of concurrent callers, until they are acknowledged or `deadline`
   * (epoch milliseconds) is near. The rows are not copied: leave them as they are until it settles. Never rejects.
   */
  append(
    table: AppendedTable,
    schemaVersion: number,
    rows: readonly Uint8Array[],
    deadline: number,
  ): Promise<AppendOutcome>;
  /** Finishes what was taken, takes nothing more, and closes the connections. */
  close(): Promise<void>;
}

export interface WriterOptions {
  readonly client: AppendClient;
  readonly project: string;
  readonly dataset: string;
  readonly limits?: Partial<WriterLimits>;
  /** Told before an append is tried again. */
  readonly onRetry?: (retry: Retry & { readonly table: AppendedTable }) => void;
}

/**
 * Makes the writer of the warehouse: the default stream of the Storage Write API, at least once.
 *
 * One per process. Each table and schema version has its own queue and connections.
 */
export function createWriter(options: WriterOptions): Writer {
  const limits: WriterLimits = { ...writerLimits, ...options.limits };
  for (const [name, value] of Object.entries(limits)) {
    if (!(value > 0)) throw new RangeError(`${name} must be more than 0`);
  }
  const flow = createFlowControl(limits.maxPendingBytes);
  const queues = new Map<string, AppendQueue>();
  const connections = new Set<AppendConnection>();
  let closed = false;
  let onIdle: (() => void) | undefined;

  function findQueue(table: AppendedTable, schemaVersion: number): AppendQueue | undefined {
    const key = `${table}@${schemaVersion}`;
    const known = queues.get(key);
    if (known !== undefined) return known;
    const descriptor = findRowDescriptor(table, schemaVersion);
    if (descriptor === undefined) return undefined;
    const streamName = `projects/${options.project}/datasets/${options.dataset}/tables/${table}/streams/_default`;
    const own = new Set<AppendConnection>();
    const connect = (): AppendConnection => {
      for (const connection of own) {
        if (connection.isUsable()) return connection;
        if (connection.isGivenUp()) {
          own.delete(connection);
          connections.delete(connection);
        }
      }
      const connection = createAppendConnection(options.client, streamName, descriptor);
      own.add(connection);
      connections.add(connection);
      return connection;
    };
    const onRetry = (retry: Retry) => options.onRetry?.({ ...retry, table });
    const queue = createAppendQueue(limits, (batch) =>
      appendWithRetry(batch.chunks, connect, limits, onRetry),
    );
    queues.set(key, queue);
    return queue;
  }

  async function append(
    table: AppendedTable,
    schemaVersion: number,
    rows: readonly Uint8Array[],
    deadline: number,
  ): Promise<AppendOutcome> {
    const queue = findQueue(table, schemaVersion);
    if (queue === undefined) return { kind: 'unknown_schema_version' };
    if (rows.length === 0) return { kind: 'appended', refused: [] };
    const { parts, tooLarge, bytes } = cut(rows, limits);
    if (closed || !flow.canFit(bytes)) return { kind: 'full' };
    flow.take(bytes);
    const results = await Promise.all(
      parts.map((part) => new Promise<ChunkResult>((settle) => queue.add({ ...part, deadline, settle }))),
    );
    flow.release(bytes);
    if (flow.isEmpty()) onIdle?.();
    return join(results, tooLarge);
  }

  return {
    append,
    async close() {
      closed = true;
      for (const queue of queues.values()) queue.hurry();
      if (!flow.isEmpty()) {
        await new Promise<void>((resolve) => {
          onIdle = resolve;
        });
      }
      for (const connection of connections) connection.close();
      connections.clear();
    },
  };
}

interface Cut {
  readonly parts: readonly Pick<Chunk, 'rows' | 'bytes'>[];
  readonly tooLarge: readonly RefusedRow[];
  readonly bytes: number;
}

/** Cuts the rows of one submission into parts that each fit an append; nearly always that is one part. */
function cut(rows: readonly Uint8Array[], limits: WriterLimits): Cut {
  const parts: { rows: Uint8Array[]; bytes: number }[] = [];
  const tooLarge: RefusedRow[] = [];
  let part = { rows: [] as Uint8Array[], bytes: 0 };
  let bytes = 0;
  for (const row of rows) {
    const cost = rowCost(row);
    if (row.length > limits.maxRowBytes) {
      tooLarge.push({
        row,
        reason: 'row_too_large',
        detail: `${row.length} bytes, over ${limits.maxRowBytes}`,
      });
      continue;
    }
    if (part.rows.length > 0 && part.bytes + cost > limits.maxBatchBytes) {
      parts.push(part);
      part = { rows: [], bytes: 0 };
    }
    part.rows.push(row);
    part.bytes += cost;
    bytes += cost;
  }
  if (part.rows.length > 0) parts.push(part);
  return { parts, tooLarge, bytes };
}

function join(results: readonly ChunkResult[], tooLarge: readonly RefusedRow[]): AppendOutcome {
  const refused: RefusedRow[] = [...tooLarge];
  let failure: Extract<AppendAnswer, { kind: 'transient' | 'permanent' }> | undefined;
  for (const result of results) {
    if (result.kind === 'stored') refused.push(...result.refused);
    else if (failure?.kind !== 'permanent') failure = result.answer;
  }
  if (failure === undefined) return { kind: 'appended', refused };
  const { code = status.unknown, detail } = failure;
  return { kind: 'failed', permanent: failure.kind === 'permanent', code, detail };
}
