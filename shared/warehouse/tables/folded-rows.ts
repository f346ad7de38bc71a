import { nullable, type Table } from '../table.ts';

export const foldedRows: Table = {
  name: 'folded_rows',
  description:
    'Which aliases and profile operations of state_log are folded into persons, by when they were received, so that fold reads a minute again for what is new there only. A row that is missing here is folded again, which changes nothing',
  columns: [
    nullable('received_at', 'TIMESTAMP', 'As in state_log; never NULL'),
    nullable(
      'row_hash',
      'BYTES',
      'MD5 of the last full fold, event_id, batch_id, batch_index, time_source and who did it, as JSON; never NULL',
    ),
  ],
  partitionBy: 'received_at',
  clusterBy: ['received_at'],
  key: ['received_at', 'row_hash'],
};
