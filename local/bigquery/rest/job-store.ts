import { randomBytes } from 'node:crypto';
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import { estimateBytes } from '../bytes/estimate.ts';
import type { TableMeasures } from '../bytes/measure.ts';
import type { Planner } from '../bytes/planner.ts';
import { type CatalogStore, type DatasetReference, displayTable } from '../catalog.ts';
import { type Destination, storeInDestination } from '../destination.ts';
import { type Database, quoteIdentifier } from '../duckdb.ts';
import { duplicate, GoogleError, invalidQuery, notFound, toGoogleError } from '../errors.ts';
import { analyse, runQuery } from '../queries.ts';
import { type ChangeCounts, runChange } from '../run-change.ts';
import type { Field, QueryParameter, TableReference, Translated, TranslatedChange } from '../sql/index.ts';

export interface QueryRequest {
  projectId: string;
  jobId?: string;
  query: string;
  parameters?: QueryParameter[];
  parameterMode?: 'NAMED' | 'POSITIONAL';
  defaultDataset?: DatasetReference;
  maximumBytesBilled?: number;
  /** Where the result goes; without it, it is kept with the job. */
  destination?: Destination;
  labels?: Record<string, unknown>;
  /** The job is stopped after so long: `jobTimeoutMs`. */
  timeoutMs?: number;
  /** What jobs.get shows as `configuration.query`, as it was sent. */
  configuration: Record<string, unknown>;
}

export interface Job {
  projectId: string;
  jobId: string;
  request: QueryRequest;
  translated: Translated | undefined;
  /** Milliseconds since the epoch. */
  createdAt: number;
  endedAt: number | undefined;
  bytesProcessed: number;
  /** Undefined until the query has run, and again once the result has been dropped. */
  rows: DuckDBValue[][] | undefined;
  /** Of a statement that changes rows, once it has run. */
  changed: ChangeCounts | undefined;
  error: GoogleError | undefined;
  /** Settles, without rejecting, when the job is done. */
  done: Promise<void>;
}

/** The jobs of this process and their results, in memory: BigQuery keeps results for a day, we the latest ones. */
export interface JobStore {
  /** Analyses and starts a query. Throws Google's error when the analysis fails; the failed job is kept too. */
  start(request: QueryRequest): Job;
  dryRun(request: QueryRequest): Promise<{ translated: Translated; bytesProcessed: number }>;
  get(projectId: string, jobId: string): Job;
  list(projectId: string): Job[];
  /** Some rows of a job that is done, and how many there are; with a destination, those of the whole table. */
  readRows(
    job: Job,
    start: number,
    count: number | undefined,
  ): Promise<{ rows: DuckDBValue[][]; total: number }>;
  /** The columns of the rows that `readRows` gives. */
  fieldsOf(job: Job): readonly Field[];
  cancel(job: Job): void;
  remove(job: Job): void;
  /** Cancels what is running. */
  close(): void;
}

const MAX_JOBS = 1_000;
/** Values (rows times columns) of the results that are kept: a few hundred MB at the most. */
const MAX_RESULT_VALUES = 2_000_000;
/** Rows of a destination table in one answer, where nothing is asked for. */
const MAX_PAGE_ROWS = 10_000;
const INTERRUPT_AGAIN_MS = 20;
/** Beyond it setTimeout fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export function openJobStore(context: {
  catalog: CatalogStore;
  database: Database;
  planner: Planner;
  measures: TableMeasures;
  /** Whether jobs tell the bytes that they process; they tell 0 otherwise. */
  estimatesBytes: boolean;
  now: () => Date;
}): JobStore {
  const { catalog, database, measures, estimatesBytes, now } = context;
  const jobs = new Map<string, Job>();
  /** The jobs that are not done; `connection` while a statement of theirs may be interrupted. */
  const open = new Map<Job, { begun: boolean; connection?: DuckDBConnection; settle: () => void }>();

  function translateRequest(request: QueryRequest): Translated {
    const translated = analyse(request.query, {
      catalog: catalog.forQueries(request.projectId, request.defaultDataset),
      ...(request.parameters === undefined ? {} : { parameters: request.parameters }),
      ...(request.parameterMode === undefined ? {} : { parameterMode: request.parameterMode }),
      now: now(),
    });
    if (request.destination !== undefined && translated.kind !== 'select') {
      throw invalidQuery('Cannot set destination table in jobs with DML statements');
    }
    return translated;
  }

  async function run(job: Job, translated: Translated): Promise<void> {
    const { timeoutMs } = job.request;
    const timer =
      timeoutMs === undefined || timeoutMs === 0
        ? undefined
        : setTimeout(
            () => stop(job, `Job timed out after ${timeoutMs} ms`),
            Math.min(timeoutMs, MAX_TIMER_MS),
          );
    try {
      const { destination } = job.request;
      if (translated.kind === 'select' && destination !== undefined) {
        await catalog.change(() => {
          if (!open.has(job)) return {};
          const change = storeInDestination(translated, destination, catalog);
          return {
            ...change,
            run: (connection) =>
              inTurn(job, connection, async () => {
                await refuseTooLarge(job, translated, connection);
                await change.run?.(connection);
              }),
          };
        });
        forgetSize(destination.table);
      } else if (translated.kind === 'select') {
        await database.read((connection) =>
          inTurn(job, connection, async () => {
            await refuseTooLarge(job, translated, connection);
            job.rows = await runQuery(connection, translated);
          }),
        );
      } else {
        await database.write((connection) =>
          inTurn(job, connection, async () => {
            await refuseTooLarge(job, translated, connection);
            refuseGoneTable(translated);
            job.changed = await runChange(connection, translated);
          }),
        );
        measures.forget(translated.target.duckdbName);
        job.rows = [];
      }
    } catch (error) {
      job.error ??= toGoogleError(error);
    } finally {
      clearTimeout(timer);
      end(job);
    }
  }

  /** Runs a job's statements unless it was stopped before its turn came. */
  async function inTurn(job: Job, connection: DuckDBConnection, work: () => Promise<void>): Promise<void> {
    const entry = open.get(job);
    if (entry === undefined) return;
    entry.begun = true;
    entry.connection = connection;
    try {
      await work();
      if (job.error !== undefined) throw job.error;
    } finally {
      // What comes next on this connection, a commit or another's statement, is not this job's to interrupt.
      delete entry.connection;
    }
  }

  async function refuseTooLarge(
    job: Job,
    translated: Translated,
    connection: DuckDBConnection,
  ): Promise<void> {
    if (estimatesBytes) job.bytesProcessed = await estimateBytes(connection, translated, context);
    const limit = job.request.maximumBytesBilled;
    if (limit !== undefined && job.bytesProcessed > limit) {
      throw new GoogleError(
        400,
        'bytesBilledLimitExceeded',
        'INVALID_ARGUMENT',
        `Query exceeded limit for bytes billed: ${limit}. ${job.bytesProcessed} or higher required.`,
      );
    }
    if (job.error !== undefined) throw job.error;
  }

  function forgetSize({ projectId, datasetId, tableId }: TableReference): void {
    const entry = catalog.find('table', [projectId, datasetId, tableId]);
    if (entry?.kind === 'table') measures.forget(entry.duckdbName);
  }

  /** Between translation and turn the table may have been deleted, or deleted and made again. */
  function refuseGoneTable({ target: { reference, duckdbName } }: TranslatedChange): void {
    const entry = catalog.find('table', [reference.projectId, reference.datasetId, reference.tableId]);
    if (entry?.kind === 'table' && entry.duckdbName === duckdbName) return;
    throw notFound(`Not found: Table ${displayTable(reference)}`);
  }

  function readTable(reference: TableReference, start: number, count = MAX_PAGE_ROWS) {
    const { duckdbName, fields } = catalog.table(reference);
    const columns = fields.map(({ name }) => quoteIdentifier(name)).join(', ');
    return database.read(async (connection) => {
      const counted = await connection.runAndReadAll(`SELECT count(*) FROM ${duckdbName}`);
      const page = await connection.runAndReadAll(
        `SELECT ${columns} FROM ${duckdbName} LIMIT ${count} OFFSET ${start}`,
      );
      return { rows: page.getRows(), total: Number(counted.getRows()[0]?.[0] ?? 0) };
    });
  }

  function end(job: Job): void {
    const entry = open.get(job);
    if (entry === undefined) return;
    open.delete(job);
    job.endedAt = now().getTime();
    dropOldResults();
    entry.settle();
  }

  function dropOldResults(): void {
    const all = [...jobs.values()].toReversed();
    let values = 0;
    for (const [index, job] of all.entries()) {
      values += (job.rows?.length ?? 0) * (job.translated?.schema.length ?? 0);
      // The newest result stays whatever its size: somebody is about to read it.
      if (index > 0 && values > MAX_RESULT_VALUES && job.endedAt !== undefined) job.rows = undefined;
      if (index >= MAX_JOBS && job.endedAt !== undefined) jobs.delete(keyOf(job.projectId, job.jobId));
    }
  }

  function stop(job: Job, why: string): void {
    const entry = open.get(job);
    // Too late for one that has run and is being committed.
    if (entry === undefined || (entry.begun && entry.connection === undefined)) return;
    job.error ??= new GoogleError(400, 'stopped', 'CANCELLED', `Job execution was cancelled: ${why}`);
    if (entry.connection === undefined) end(job);
    else interrupt(job);
  }

  /** Again and again, since DuckDB forgets an interrupt that comes before the statement has begun. */
  function interrupt(job: Job): void {
    const connection = open.get(job)?.connection;
    if (connection === undefined) return;
    connection.interrupt();
    setTimeout(() => interrupt(job), INTERRUPT_AGAIN_MS);
  }

  const cancel = (job: Job) => stop(job, 'User requested cancellation');

  return {
    start(request) {
      const jobId = request.jobId ?? `job_${randomBytes(20).toString('base64url')}`;
      const key = keyOf(request.projectId, jobId);
      if (jobs.has(key)) throw duplicate(`Already Exists: Job ${request.projectId}:US.${jobId}`);
      const job: Job = {
        projectId: request.projectId,
        jobId,
        request,
        translated: undefined,
        createdAt: now().getTime(),
        endedAt: undefined,
        bytesProcessed: 0,
        rows: undefined,
        changed: undefined,
        error: undefined,
        done: Promise.resolve(),
      };
      jobs.set(key, job);
      try {
        job.translated = translateRequest(request);
      } catch (error) {
        job.error = toGoogleError(error);
        job.endedAt = now().getTime();
        dropOldResults();
        throw error;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      job.done = promise;
      open.set(job, { begun: false, settle: resolve });
      void run(job, job.translated);
      return job;
    },
    async dryRun(request) {
      const translated = translateRequest(request);
      const bytesProcessed = await database.read(async (connection) => {
        // Binding finds what the translation missed, without running anything.
        await connection.prepare(translated.sql).then((statement) => statement.destroySync());
        return estimatesBytes ? estimateBytes(connection, translated, context) : 0;
      });
      return { translated, bytesProcessed };
    },
    get(projectId, jobId) {
      const job = jobs.get(keyOf(projectId, jobId));
      if (job === undefined) throw notFound(`Not found: Job ${projectId}:US.${jobId}`);
      return job;
    },
    async readRows(job, start, count) {
      if (job.request.destination !== undefined)
        return readTable(job.request.destination.table, start, count);
      if (job.rows === undefined) {
        throw notFound(`Not found: the result of job ${job.projectId}:US.${job.jobId} is no longer kept`);
      }
      return { rows: job.rows.slice(start, start + (count ?? job.rows.length)), total: job.rows.length };
    },
    fieldsOf: ({ request: { destination }, translated }) =>
      destination === undefined ? (translated?.schema ?? []) : catalog.table(destination.table).fields,
    list: (projectId) => [...jobs.values()].filter((job) => job.projectId === projectId).toReversed(),
    cancel,
    close() {
      for (const job of open.keys()) cancel(job);
    },
    remove(job) {
      jobs.delete(keyOf(job.projectId, job.jobId));
    },
  };
}

function keyOf(projectId: string, jobId: string): string {
  return `${projectId}/${jobId}`;
}
