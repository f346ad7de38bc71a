// A local BigQuery and a token issuer in a process of their own, so that their CPU is not counted with load's.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBigQuery } from '../../local/bigquery/index.ts';
import { startIssuer } from '../../local/issuer/index.ts';
import { createWarehouse } from '../../local/warehouse.ts';
import { createBigQuery } from '../../shared/google/bigquery.ts';

const server = await startBigQuery({ restPort: 0, grpcPort: 0, file: ':memory:' });
const issuer = await startIssuer({
  port: 0,
  keyFile: join(mkdtempSync(join(tmpdir(), 'tributary-bench-')), 'key.pem'),
});
await createWarehouse(
  createBigQuery('local', { LOCAL_BIGQUERY: `127.0.0.1:${server.restPort}` }),
  'tributary',
);
const token = await issuer.sign({ audience: 'http://load', email: 'push@local.test' });
process.send?.({ restPort: server.restPort, grpcPort: server.grpcPort, issuer: issuer.url, token });
