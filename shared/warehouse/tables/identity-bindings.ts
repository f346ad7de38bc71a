import { nullable, type Table } from '../table.ts';
import { deviceBucketColumn, personBuckets } from './profile-operations.ts';

/**
 * Its content is replaced by queries, as is that of the other tables of identity and profiles but identity_decisions. The
 * columns of a query's result are all NULLABLE, and BigQuery refuses them where the table's are REQUIRED.
 */
export const identityBindings: Table = {
  name: 'identity_bindings',
  description:
    'Which user each bound device belongs to today; one row per project and device. Events of a device without a user id belong to that user, also those from before',
  columns: [
    nullable('project', 'STRING', 'Project; never NULL'),
    nullable('anonymous_id', 'STRING', 'The device; never NULL'),
    nullable('user_key', 'STRING', 'Kind of login id; NULL where the sender gives none'),
    nullable('user_id', 'STRING', 'The user that the device belongs to; never NULL'),
    nullable('bound_at', 'TIMESTAMP', 'When the alias that bound them occurred; never NULL'),
    nullable('event_id', 'STRING', 'The alias in state_log that bound them; never NULL'),
    nullable('policy', 'STRING', 'The rule that decided: one_to_one or devices_to_one_user'),
    nullable('claim_order', 'STRING', 'What made one alias the first: occurred_at or received_at'),
    deviceBucketColumn,
  ],
  partitionBy: null,
  rangePartition: personBuckets,
  clusterBy: ['project', 'anonymous_id'],
  key: ['project', 'anonymous_id'],
};
