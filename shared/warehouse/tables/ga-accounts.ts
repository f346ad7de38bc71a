import { nullable, required, type Table } from '../table.ts';

export const gaAccounts: Table = {
  name: 'ga_accounts',
  description:
    'The Google Analytics accounts at each snapshot. Written last: an account that has a row here is whole in the snapshot',
  columns: [
    required('snapshot_id', 'STRING', 'The snapshot'),
    required('taken_at', 'TIMESTAMP', 'When the snapshot was begun; equal in all its rows'),
    required('account', 'STRING', 'accounts/N'),
    nullable('display_name', 'STRING', 'Name that people see'),
    nullable('region_code', 'STRING', 'Country of business, as CLDR has it'),
    nullable('create_time', 'TIMESTAMP', 'When it was made'),
    nullable('update_time', 'TIMESTAMP', 'When it was changed last'),
    required('deleted', 'BOOL', 'Whether it is in the trash'),
    nullable('gmp_organization', 'STRING', 'Organization of the Google Marketing Platform'),
    required('properties', 'INT64', 'Properties of it in this snapshot'),
    required('bindings', 'INT64', 'Rows of it in access_bindings in this snapshot'),
  ],
  partitionBy: 'taken_at',
  clusterBy: ['account'],
  key: ['snapshot_id', 'account'],
};
