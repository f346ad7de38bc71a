import { keepTableMeasures } from './bytes/measure.ts';
import { openPlanner } from './bytes/planner.ts';
import { openCatalog } from './catalog.ts';
import { openDatabase } from './duckdb.ts';
import { type BigQueryFaults, noFaults } from './faults.ts';
import { openGroupCommit } from './group-commit.ts';
import { datasetRoutes } from './rest/datasets.ts';
import { openJobStore } from './rest/job-store.ts';
import { jobRoutes } from './rest/jobs.ts';
import { routineRoutes } from './rest/routines.ts';
import { startRest } from './rest/server.ts';
import { tableDataRoutes } from './rest/table-data.ts';
import { tableRoutes } from './rest/tables.ts';
import { startStorageWrite } from './storage-write/server.ts';

export type { BigQueryFaults } from './faults.ts';

export interface BigQueryOptions {
  host?: string;
  /** 0 takes any free port. */
  restPort: number;
  grpcPort: number;
  /** The DuckDB file that holds everything, or ':memory:'. */
  file: string;
  /** A database file that nobody has open; one that is new, in a file or in memory, begins as a copy of it. */
  template?: string | undefined;
  /**
   * How many threads share a query. Default: as many as there are cores, and one in memory, where tables are small: handing
   * out their parts costs a fifth of the CPU of a query.
   */
  threads?: number;
  /**
   * Whether a job tells the bytes that it processes, which takes two fifths of the CPU of small queries. Where not, it tells
   * 0 and keeps to no `maximumBytesBilled`. Default true.
   */
  estimatesBytes?: boolean;
  /** A project is whatever a request names; this one is only for the log. */
  project?: string;
  now?: () => Date;
  /** Which days a partitioned table takes rows for, relative to today; BigQuery documents 10 years back and 1 ahead. */
  partitionBounds?: { pastDays: number; futureDays: number };
  faults?: BigQueryFaults;
  log?: (line: string) => void;
}

export interface BigQueryServer {
  restPort: number;
  grpcPort: number;
  /** Finishes what is being appended, checkpoints, and closes the file. */
  close(): Promise<void>;
}

/** Starts a local BigQuery: the REST API v2 and the Storage Write API's default stream, over one DuckDB file. */
export async function startBigQuery(options: BigQueryOptions): Promise<BigQueryServer> {
  const host = options.host ?? '127.0.0.1';
  const now = options.now ?? (() => new Date());
  const log = options.log ?? (() => undefined);
  const threads = options.threads ?? (options.file === ':memory:' ? 1 : undefined);
  const database = await openDatabase(options.file, threads, options.template);
  const catalog = await openCatalog(database, now);
  const measures = keepTableMeasures();
  const planner = openPlanner();
  const groupCommit = openGroupCommit(database, measures.forget);
  const jobs = openJobStore({
    catalog,
    database,
    planner,
    measures,
    estimatesBytes: options.estimatesBytes ?? true,
    now,
  });
  const rest = await startRest({
    host,
    port: options.restPort,
    log,
    routes: [
      ...datasetRoutes(catalog),
      ...tableRoutes({ catalog, database, now }),
      ...tableDataRoutes({ catalog, database }),
      ...routineRoutes({ catalog, now }),
      ...jobRoutes(jobs),
    ],
  });
  const storageWrite = await startStorageWrite({
    host,
    port: options.grpcPort,
    catalog,
    groupCommit,
    partitionBounds: options.partitionBounds ?? { pastDays: 3650, futureDays: 366 },
    now,
    faults: options.faults ?? noFaults(),
    log,
  });
  log(
    `BigQuery: REST on ${host}:${rest.port}, Storage Write on ${host}:${storageWrite.port}, ${options.file}`,
  );
  async function close(): Promise<void> {
    jobs.close();
    await Promise.all([rest.close(), storageWrite.close()]);
    await groupCommit.finish();
    await planner.close();
    await database.close();
  }

  let closed: Promise<void> | undefined;
  return {
    restPort: rest.port,
    grpcPort: storageWrite.port,
    close() {
      closed ??= close();
      return closed;
    },
  };
}
