import { nullable, repeated, type Table } from '../table.ts';
import { bucketColumn, personBuckets } from './profile-operations.ts';

export const persons: Table = {
  name: 'persons',
  description:
    'What the view profiles shows, kept ready by fold: one row per person, some minutes behind. A person is a user or, until it is bound to one, a device',
  columns: [
    bucketColumn,
    nullable('project', 'STRING', 'Project; never NULL'),
    nullable('user_key', 'STRING', 'Kind of login id; NULL where the sender gives none'),
    nullable('user_id', 'STRING', 'Login id; NULL where only a device is known'),
    nullable('anonymous_id', 'STRING', 'Device id where only a device is known; else NULL'),
    nullable('properties', 'JSON', 'An object of the properties that have a value; {} where none has'),
    nullable(
      'first_seen_at',
      'TIMESTAMP',
      'When the first alias or profile operation of the person occurred',
    ),
    nullable('updated_at', 'TIMESTAMP', 'When the last alias or profile operation of the person occurred'),
    repeated('keys', 'STRING', 'Top-level keys of properties'),
    nullable(
      'dialect',
      'STRING',
      'The dialect of all operations of the person, where fold may add further ones of it to this row; else NULL',
    ),
  ],
  partitionBy: null,
  rangePartition: personBuckets,
  clusterBy: ['project', 'user_id', 'anonymous_id'],
  key: ['project', 'user_key', 'user_id', 'anonymous_id'],
};
