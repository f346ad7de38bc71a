import { nullable, required, type Table } from '../table.ts';

/**
 * YouTube allows to keep them for 30 days: developers.google.com/youtube/terms/developer-policies. They are fetched anew
 * before, and a partition that is not goes by itself.
 */
export const videoMetadata: Table = {
  name: 'video_metadata',
  description: 'Titles of the videos that reports name by id; the last row of a video counts',
  columns: [
    required('source', 'STRING', 'youtube'),
    required('item_id', 'STRING', 'The video'),
    required('found', 'BOOL', 'Whether it was there: not where it was deleted or made private'),
    nullable('title', 'STRING', 'Its title'),
    nullable('channel_id', 'STRING', 'Its channel'),
    nullable('item_published_at', 'TIMESTAMP', 'When it was published'),
    required('fetched_at', 'TIMESTAMP', 'When this was asked for'),
  ],
  partitionBy: 'fetched_at',
  expireAfterDays: 30,
  clusterBy: ['source', 'item_id'],
  key: ['source', 'item_id', 'fetched_at'],
};
