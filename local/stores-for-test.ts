import { createBigQuery } from '../shared/google/bigquery.ts';
import { openBucket } from '../shared/google/cloud-storage.ts';
import { createStorageWriteClient } from '../shared/google/storage-write.ts';
import { createWriter, type WriterOptions } from '../shared/warehouse/writer.ts';
import { noFaults as noBigQueryFaults } from './bigquery/faults.ts';
import type { BigQueryOptions } from './bigquery/index.ts';
import { createBuckets } from './buckets.ts';
import { noFaults as noStorageFaults } from './storage/faults.ts';
import { startStorage } from './storage/index.ts';
import { startWarehouse } from './warehouse-template.ts';

interface StoresOptions {
  /** The bucket that is made. */
  readonly bucket: string;
  readonly server?: Pick<BigQueryOptions, 'threads' | 'estimatesBytes'>;
  readonly limits?: WriterOptions['limits'];
}

/**
 * Starts a local BigQuery with the warehouse and a Cloud Storage with a bucket, in this very process, and opens them as
 * functions do. Jobs tell their bytes only where that is asked for.
 */
export async function startStores({ bucket: name, server, limits }: StoresOptions) {
  process.env.METADATA_SERVER_DETECTION = 'none';
  const bigqueryFaults = noBigQueryFaults();
  const storageFaults = noStorageFaults();
  const [bigqueryServer, storageServer] = await Promise.all([
    startWarehouse({ estimatesBytes: false, ...server, faults: bigqueryFaults }),
    startStorage({ port: 0, file: ':memory:', faults: storageFaults }),
  ]);
  await createBuckets('local', storageServer.port, [name]);
  const environment: NodeJS.ProcessEnv = {
    LOCAL_BIGQUERY: `127.0.0.1:${bigqueryServer.restPort}`,
    LOCAL_BIGQUERY_STORAGE: `127.0.0.1:${bigqueryServer.grpcPort}`,
    LOCAL_STORAGE: `127.0.0.1:${storageServer.port}`,
  };
  const bigquery = createBigQuery('local', environment);
  const bucket = openBucket(name, environment);
  const storageWrite = createStorageWriteClient(environment);
  const writer = createWriter({
    client: storageWrite,
    project: 'local',
    dataset: 'tributary',
    ...(limits && { limits }),
  });
  return {
    environment,
    bigquery,
    bucket,
    writer,
    bigqueryFaults,
    storageFaults,
    async query(sql: string): Promise<Record<string, unknown>[]> {
      const [rows] = await bigquery.query({ query: sql, defaultDataset: { datasetId: 'tributary' } });
      return rows;
    },
    async close(): Promise<void> {
      await writer.close();
      await storageWrite.close();
      bucket.close();
      await Promise.all([bigqueryServer.close(), storageServer.close()]);
    },
  };
}

export type Stores = Awaited<ReturnType<typeof startStores>>;
