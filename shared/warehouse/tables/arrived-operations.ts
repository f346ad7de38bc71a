import { nullable, type Table } from '../table.ts';
import { profileOperations } from './profile-operations.ts';

export const arrivedOperations: Table = {
  name: 'arrived_operations',
  description:
    'The aliases and profile operations that the last tick of fold found new in state_log: what it adds to profile_operations, and reads nothing else for. Replaced by each tick that finds something',
  columns: [
    ...profileOperations.columns,
    nullable('row_hash', 'BYTES', 'As folded_rows will have it; never NULL'),
    nullable('run', 'INT64', 'The tick, by a random number of its own; never NULL'),
  ],
  partitionBy: null,
  clusterBy: ['project'],
  key: ['received_at', 'row_hash'],
};
