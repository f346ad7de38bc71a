import { nullable, repeated, required, type Table } from '../table.ts';

export const accessBindings: Table = {
  name: 'access_bindings',
  description:
    'Who had access to what at each snapshot, as Google lists it: without what is inherited. Read access_effective for what holds now',
  columns: [
    required('snapshot_id', 'STRING', 'The snapshot; ga_accounts says which accounts of it are whole'),
    required('taken_at', 'TIMESTAMP', 'When the snapshot was begun; equal in all its rows'),
    required('account', 'STRING', 'accounts/N'),
    required('resource', 'STRING', 'What the binding is on: accounts/N or properties/N'),
    required('binding', 'STRING', 'Name of the binding'),
    required('user_email', 'STRING', 'The user, in lower case'),
    repeated('roles', 'STRING', 'Roles as Google names them'),
    nullable(
      'role',
      'STRING',
      'The strongest of viewer, analyst, editor and admin; NULL where it has none of them',
    ),
    required('role_rank', 'INT64', '1 for viewer to 4 for admin, 0 where it has none of them'),
    required('no_cost_data', 'BOOL', 'Whether metrics of cost are hidden'),
    required('no_revenue_data', 'BOOL', 'Whether metrics of revenue are hidden'),
  ],
  partitionBy: 'taken_at',
  clusterBy: ['account', 'user_email'],
  key: ['snapshot_id', 'resource', 'binding'],
};
