import { nullable, type RangePartition, repeated, type Table } from '../table.ts';

/** One partition per bucket of persons, so that a few persons are read without the others. */
export const personBuckets: RangePartition = { field: 'bucket', start: 0, end: 4000, interval: 1 };

export const bucketColumn = nullable(
  'bucket',
  'INT64',
  '0 to 3,999, from a hash of the project and of user_id or, where that is NULL, anonymous_id; never NULL',
);

/** The same of a device, whoever it belongs to. */
export const deviceBucketColumn = nullable(
  'bucket',
  'INT64',
  '0 to 3,999, from a hash of the project and of anonymous_id; never NULL',
);

export const profileOperations: Table = {
  name: 'profile_operations',
  description:
    'Aliases and profile operations of state_log again, laid out by person, every one at least once and without debug 1: what persons is folded from',
  columns: [
    bucketColumn,
    nullable('project', 'STRING', 'Project; never NULL'),
    nullable('dialect', 'STRING', 'Dialect; never NULL'),
    nullable('kind', 'STRING', 'alias, or one of the profile operations; never NULL'),
    nullable('anonymous_id', 'STRING', 'Device id'),
    nullable('user_key', 'STRING', 'Kind of login id'),
    nullable('user_id', 'STRING', 'Login id'),
    nullable('occurred_at', 'TIMESTAMP', 'When the sender says that it happened; never NULL'),
    nullable('time_source', 'STRING', 'sender, or received where the sender gave no time; never NULL'),
    nullable('received_at', 'TIMESTAMP', 'Our clock at receiving; never NULL'),
    nullable('batch_id', 'STRING', 'The accepted request; never NULL'),
    nullable('batch_index', 'INT64', 'Place of the operation in the request; never NULL'),
    nullable('event_id', 'STRING', 'Equal for every copy of one operation; never NULL'),
    repeated('keys', 'STRING', 'Top-level keys of properties'),
    nullable('properties', 'JSON', 'What the caller gave'),
    nullable(
      'event_hash',
      'INT64',
      'The first 60 bits of the MD5 of event_id, which cost less to read than event_id; never NULL',
    ),
  ],
  partitionBy: null,
  rangePartition: personBuckets,
  clusterBy: ['project', 'user_id', 'anonymous_id'],
  key: ['event_id'],
};
