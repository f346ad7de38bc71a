import { nullable, required, type Table } from '../table.ts';

export const quarantineOutcomes: Table = {
  name: 'quarantine_outcomes',
  description: 'What became of quarantined rows at each replay',
  columns: [
    required('quarantine_id', 'STRING', 'The row of quarantine'),
    required('replay_id', 'STRING', 'The replay that judged it'),
    required('received_at', 'TIMESTAMP', 'When the quarantined row was received'),
    required('decided_at', 'TIMESTAMP', 'When the replay judged it'),
    required('outcome', 'STRING', 'accepted, or refused again'),
    nullable('reason', 'STRING', 'Why it was refused again'),
    nullable('detail', 'STRING', 'The same in words'),
    nullable('project', 'STRING', 'Project, where it could be told'),
    nullable('events', 'INT64', 'How many events were accepted'),
  ],
  partitionBy: 'received_at',
  clusterBy: ['project', 'reason'],
  key: ['quarantine_id', 'replay_id'],
};
