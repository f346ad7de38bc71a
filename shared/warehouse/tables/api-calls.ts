import { nullable, repeated, required, type Table } from '../table.ts';

export const apiCalls: Table = {
  name: 'api_calls',
  description: 'Every HTTP call to the APIs that reports come from, the failed ones too',
  columns: [
    required('call_id', 'STRING', '32 hexadecimal digits, drawn at random'),
    required('source', 'STRING', 'google_analytics or youtube'),
    required('api', 'STRING', 'The API, such as analyticsdata'),
    required('method', 'STRING', 'The method, such as properties.batchRunReports'),
    nullable('entity_id', 'STRING', 'The property or channel; NULL where it is about many'),
    required('probe_group', 'STRING', 'The property or content owner'),
    repeated('reports', 'STRING', 'Keys of the reports that were asked for; none for a probe'),
    nullable('status', 'INT64', 'HTTP status; NULL where there was no answer'),
    nullable('reason', 'STRING', 'Why it failed'),
    required('attempt', 'INT64', '1 for the first try'),
    required('milliseconds', 'INT64', 'How long it took'),
    required('bytes', 'INT64', 'Of the answer'),
    nullable('tokens', 'INT64', 'Tokens of Google Analytics that it took'),
    nullable('units', 'INT64', 'Units of the YouTube Data API that it took'),
    nullable('quota_remaining', 'JSON', 'What was left in each bucket, by the name that the API gives it'),
    required('started_at', 'TIMESTAMP', 'When it was made'),
  ],
  partitionBy: 'started_at',
  clusterBy: ['source', 'probe_group', 'method'],
  key: ['call_id'],
};
