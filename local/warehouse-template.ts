import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createBigQuery } from '../shared/google/bigquery.ts';
import { type BigQueryOptions, type BigQueryServer, startBigQuery } from './bigquery/index.ts';
import { createWarehouse, readFilesOfWarehouse } from './warehouse.ts';

const CACHE = fileURLToPath(new URL('../node_modules/.cache/warehouse', import.meta.url));
const NAME = /^[0-9a-f]{32}\.duckdb$/;
/** Of other branches and earlier versions; what is older goes. */
const KEPT = 8;

/**
 * The file of a local BigQuery that holds the warehouse and no rows, for new ones to begin as copies of it: making the
 * tables and views one by one takes more than a second of CPU. It is made when there is none yet of these very files of
 * infra and of this local BigQuery; undefined where it cannot be kept.
 */
export async function findWarehouseTemplate(project: string, datasetId: string): Promise<string | undefined> {
  const path = join(CACHE, `${digest(project, datasetId)}.duckdb`);
  if (existsSync(path)) return path;
  try {
    await mkdir(CACHE, { recursive: true });
    // Whoever makes the same at the same time replaces one by its equal.
    const making = join(CACHE, `${randomUUID()}.making`);
    await make(making, project, datasetId);
    await rename(making, path);
    await removeOld();
    return path;
  } catch {
    // The warehouse is then made in its own file, which also says what is wrong with it.
    return undefined;
  }
}

/** Starts a local BigQuery in memory with the warehouse and no rows: the dataset `tributary` of the project `local`. */
export async function startWarehouse(
  options: Pick<BigQueryOptions, 'threads' | 'estimatesBytes' | 'faults' | 'now'> = {},
): Promise<BigQueryServer> {
  const template = await findWarehouseTemplate('local', 'tributary');
  const server = await startBigQuery({ ...options, restPort: 0, grpcPort: 0, file: ':memory:', template });
  if (template === undefined) await makeWarehouse(server, 'local', 'tributary');
  return server;
}

async function make(file: string, project: string, datasetId: string): Promise<void> {
  const server = await startBigQuery({ restPort: 0, grpcPort: 0, file, threads: 1 });
  try {
    await makeWarehouse(server, project, datasetId);
  } finally {
    await server.close();
  }
}

function makeWarehouse({ restPort }: BigQueryServer, project: string, datasetId: string): Promise<void> {
  return createWarehouse(createBigQuery(project, { LOCAL_BIGQUERY: `127.0.0.1:${restPort}` }), datasetId);
}

async function removeOld(): Promise<void> {
  const files = readdirSync(CACHE).filter((name) => NAME.test(name));
  const byAge = files
    .map((name) => ({ path: join(CACHE, name), changedAt: statSync(join(CACHE, name)).mtimeMs }))
    .sort((a, b) => b.changedAt - a.changedAt);
  for (const { path } of byAge.slice(KEPT)) await rm(path, { force: true });
}

/** Of all that decides what is in the file: the warehouse, and who stores it. */
function digest(project: string, datasetId: string): string {
  const hash = createHash('sha256').update(`${project} ${datasetId} ${readDuckDbVersion()}`);
  for (const { name, content } of readFilesOfWarehouse()) hash.update(name).update(content);
  const store = fileURLToPath(new URL('bigquery', import.meta.url));
  for (const name of readdirSync(store, { recursive: true, encoding: 'utf8' }).sort()) {
    if (name.endsWith('.ts') && !name.endsWith('.test.ts'))
      hash.update(name).update(readFileSync(join(store, name)));
  }
  return hash.digest('hex').slice(0, 32);
}

function readDuckDbVersion(): string {
  return readFileSync(new URL('../node_modules/@duckdb/node-api/package.json', import.meta.url), 'utf8');
}
