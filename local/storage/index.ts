import { bucketRoutes } from './buckets.ts';
import { composeRoute } from './compose.ts';
import { copyRoutes } from './copy.ts';
import { downloadRoutes } from './download.ts';
import { noFaults, type StorageFaults } from './faults.ts';
import { insertRoute } from './insert.ts';
import { listRoute } from './list.ts';
import { objectRoutes } from './objects.ts';
import { uploadRoutes } from './resumable.ts';
import { startServer } from './server.ts';
import { openStore } from './store.ts';

export type { StorageFaults } from './faults.ts';

export interface StorageOptions {
  host?: string;
  /** 0 takes any free port. */
  port: number;
  /** The SQLite file that holds everything, or ':memory:'. */
  file: string;
  /** Read at each request: change its fields to change what goes wrong. */
  faults?: StorageFaults;
  log?: (line: string) => void;
}

export interface StorageServer {
  port: number;
  counts(): { buckets: Record<string, { objects: number; bytes: number }> };
  close(): Promise<void>;
}

/**
 * Starts a local Cloud Storage: the JSON API's buckets and objects, and the XML API's download, over one SQLite file.
 * What was answered survives the death of the process; README.md lists what is supported and what is refused.
 */
export async function startStorage(options: StorageOptions): Promise<StorageServer> {
  const { host = '127.0.0.1', faults = noFaults(), log = () => undefined } = options;
  const now = Date.now;
  const store = openStore(options.file, now);
  const server = await startServer({
    host,
    port: options.port,
    routes: [
      ...bucketRoutes,
      listRoute,
      insertRoute,
      ...uploadRoutes,
      ...objectRoutes,
      ...copyRoutes,
      composeRoute,
      // Last, since it takes any path.
      ...downloadRoutes,
    ],
    context: { store, now },
    faults,
    log,
  }).catch((error: unknown) => {
    store.close();
    throw error;
  });
  log(`Cloud Storage on ${host}:${server.port}, ${options.file}`);
  async function close(): Promise<void> {
    await server.close();
    store.close();
  }
  let closed: Promise<void> | undefined;
  return {
    port: server.port,
    counts: () => ({ buckets: store.counts() }),
    close() {
      closed ??= close();
      return closed;
    },
  };
}
