import { nullable, type Table } from '../table.ts';
import { deviceBucketColumn, personBuckets } from './profile-operations.ts';

export const identityPairs: Table = {
  name: 'identity_pairs',
  description:
    'The first alias of each pair of a device and a user, won or lost: what identity_bindings is decided from',
  columns: [
    nullable('project', 'STRING', 'Project; never NULL'),
    nullable('anonymous_id', 'STRING', 'The device; never NULL'),
    nullable('user_key', 'STRING', 'Kind of login id; NULL where the sender gives none'),
    nullable('user_id', 'STRING', 'The user; never NULL'),
    nullable(
      'dialect',
      'STRING',
      'Dialect of the alias, but analysys where any alias of the pair is of Analysys; never NULL',
    ),
    nullable('event_id', 'STRING', 'The alias in state_log; never NULL'),
    nullable('occurred_at', 'TIMESTAMP', 'When the alias occurred; never NULL'),
    nullable('received_at', 'TIMESTAMP', 'When the alias was received; never NULL'),
    nullable('batch_id', 'STRING', 'The request that brought the alias; never NULL'),
    nullable('batch_index', 'INT64', 'Place of the alias in that request; never NULL'),
    deviceBucketColumn,
  ],
  partitionBy: null,
  rangePartition: personBuckets,
  clusterBy: ['project'],
  key: ['project', 'anonymous_id', 'user_key', 'user_id'],
};
