import type { Table } from '../table.ts';
import { eventColumns } from './event-log.ts';

/** The same columns as event_log, so that one encoded row serves both. */
export const stateLog: Table = {
  name: 'state_log',
  description:
    'Aliases, profile and item operations again: what identity, profiles and items are folded from',
  columns: eventColumns,
  partitionBy: 'received_at',
  clusterBy: ['project', 'kind'],
  key: ['event_id'],
};
