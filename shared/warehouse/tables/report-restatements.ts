import { nullable, required, type Table } from '../table.ts';

/** Written before the row of report_pulls that publishes the attempt: readers use the view `report_changes`. */
export const reportRestatements: Table = {
  name: 'report_restatements',
  description: 'What another attempt of the same slice found changed, metric by metric',
  columns: [
    required('attempt_id', 'STRING', 'The later attempt'),
    required('metric', 'STRING', 'The metric that changed'),
    required('previous_attempt_id', 'STRING', 'The attempt that counted before'),
    required('source', 'STRING', 'google_analytics or youtube'),
    required('report', 'STRING', 'Key of the report in the configuration'),
    required('entity_id', 'STRING', 'The property or channel'),
    required('date', 'DATE', 'The date of the slice'),
    nullable('before', 'FLOAT64', 'Its sum over the rows before; NULL where it must not be added up'),
    nullable('after', 'FLOAT64', 'Its sum over the rows now; NULL where it must not be added up'),
    required('abs_delta', 'FLOAT64', 'Sum over the rows of how much each changed; an absent row counts 0'),
    required('rows_added', 'INT64', 'Rows that were not there before'),
    required('rows_removed', 'INT64', 'Rows that are gone'),
    required('rows_changed', 'INT64', 'Rows in which this metric is another'),
    required('is_large', 'BOOL', 'Whether it was reason enough for a step between those of the ladder'),
    required('age_days', 'INT64', 'Whole days between the end of the date and the later attempt'),
    required('detected_at', 'TIMESTAMP', 'When the attempts were compared'),
  ],
  partitionBy: 'date',
  clusterBy: ['source', 'report', 'entity_id'],
  key: ['attempt_id', 'metric'],
};
