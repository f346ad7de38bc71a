import { BigQuery, type BigQueryOptions } from '@google-cloud/bigquery';
import { PassThroughClient } from 'google-auth-library';
import { readLocalEndpoint } from './endpoints.ts';

/** The REST client of BigQuery: queries and jobs. Rows are appended through storage-write.ts. */
export function createBigQuery(projectId: string, environment: NodeJS.ProcessEnv): BigQuery {
  const local = readLocalEndpoint('LOCAL_BIGQUERY', environment);
  if (local === undefined) return new BigQuery({ projectId });
  const apiEndpoint = `http://${local.host}:${local.port}`;
  // Google's packages carry several copies of google-auth-library whose classes differ in type and not in what they do.
  const authClient = new PassThroughClient() as unknown as NonNullable<BigQueryOptions['authClient']>;
  return new BigQuery({ projectId, apiEndpoint, authClient });
}
