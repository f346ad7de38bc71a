import { nullable, required, type Table } from '../table.ts';

/**
 * What reports answered, attempt by attempt: a row is nothing until report_pulls names its attempt, which is written
 * last. Readers use the view `report_current`.
 */
export const reportRows: Table = {
  name: 'report_rows',
  description:
    'Rows of reports of Google Analytics and YouTube, also those of attempts that were never published',
  columns: [
    required('attempt_id', 'STRING', 'The attempt that read it: 32 hexadecimal digits, drawn at random'),
    required('row_index', 'INT64', 'Its place in the attempt, from 0'),
    required('source', 'STRING', 'google_analytics or youtube'),
    required('report', 'STRING', 'Key of the report in the configuration'),
    required('entity_id', 'STRING', 'The property or channel'),
    required('date', 'DATE', "The day in the entity's own zone; a week's Sunday, a month's last day"),
    required('dimensions', 'JSON', 'Values of the dimensions by name'),
    required('metrics', 'JSON', 'Values of the metrics by name; integers exact'),
    nullable('is_other', 'BOOL', 'Whether it holds what did not fit into the other rows'),
    required('pulled_at', 'TIMESTAMP', 'When the attempt began'),
  ],
  partitionBy: 'date',
  clusterBy: ['source', 'report', 'entity_id'],
  key: ['attempt_id', 'row_index'],
};
