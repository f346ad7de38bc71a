import { nullable, required, type Table } from '../table.ts';

/** Subscribers are rounded by YouTube and may be hidden: gains are taken from reports, never from these. */
export const channelSnapshots: Table = {
  name: 'channel_snapshots',
  description: 'The live counters of channels, which no API gives for a day that is past: taken once a day',
  columns: [
    required('source', 'STRING', 'youtube'),
    required('entity_id', 'STRING', 'The channel'),
    required('date', 'DATE', 'The day on which they were taken, in the zone of reports'),
    required('taken_at', 'TIMESTAMP', 'When they were taken'),
    nullable('title', 'STRING', 'Title of the channel'),
    required('counters', 'JSON', 'By name, such as subscriberCount; null where the owner hides it'),
  ],
  partitionBy: 'date',
  clusterBy: ['source', 'entity_id'],
  key: ['source', 'entity_id', 'date', 'taken_at'],
};
