import { BigQuery } from '@google-cloud/bigquery';
import { PassThroughClient } from 'google-auth-library';

// The local BigQuery asks for no credentials; in Google Cloud leave out apiEndpoint and authClient.
const bigquery = new BigQuery({
  projectId: 'local',
  apiEndpoint: `http://127.0.0.1:${process.env.BIGQUERY_PORT ?? 9050}`,
  authClient: new PassThroughClient(),
});

const [rows] = await bigquery.query({
  query: `
    SELECT name, COUNT(*) AS times, MAX(occurred_at) AS latest
    FROM events_between(@from, CURRENT_TIMESTAMP())
    WHERE project = @project
    GROUP BY name
    ORDER BY times DESC, name`,
  params: { from: new Date(Date.now() - 24 * 3_600_000), project: 'shop' },
  defaultDataset: { datasetId: 'tributary' },
});
for (const { name, times, latest } of rows) console.log(`${name}: ${times}, last at ${latest.value}`);
