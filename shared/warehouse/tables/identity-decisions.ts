import { nullable, required, type Table } from '../table.ts';

export const identityDecisions: Table = {
  name: 'identity_decisions',
  description:
    'Bindings that one run of fold decided one by one, as their devices or users are claimed more than once; kept for seven days. Read identity_bindings for what holds',
  columns: [
    required('run_id', 'STRING', 'The run of fold'),
    required('decided_at', 'TIMESTAMP', 'When the run decided'),
    required('project', 'STRING', 'Project'),
    required('anonymous_id', 'STRING', 'The device'),
    nullable('user_key', 'STRING', 'Kind of login id; NULL where the sender gives none'),
    required('user_id', 'STRING', 'The user that the device is bound to'),
    required('bound_at', 'TIMESTAMP', 'When the alias that binds them occurred'),
    required('event_id', 'STRING', 'The alias in state_log that binds them'),
  ],
  partitionBy: 'decided_at',
  expireAfterDays: 7,
  clusterBy: ['run_id'],
  key: ['run_id', 'project', 'anonymous_id'],
};
