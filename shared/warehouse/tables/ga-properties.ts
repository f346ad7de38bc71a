import { nullable, required, type Table } from '../table.ts';

export const gaProperties: Table = {
  name: 'ga_properties',
  description: 'The Google Analytics properties at each snapshot, each with its data streams',
  columns: [
    required('snapshot_id', 'STRING', 'The snapshot'),
    required('taken_at', 'TIMESTAMP', 'When the snapshot was begun; equal in all its rows'),
    required('account', 'STRING', 'accounts/N'),
    required('property', 'STRING', 'properties/N'),
    nullable('parent', 'STRING', 'The account, or the property that it is a part of'),
    nullable('display_name', 'STRING', 'Name that people see'),
    nullable(
      'property_type',
      'STRING',
      'PROPERTY_TYPE_ORDINARY, PROPERTY_TYPE_SUBPROPERTY or PROPERTY_TYPE_ROLLUP',
    ),
    nullable('time_zone', 'STRING', 'Zone of its days'),
    nullable('currency_code', 'STRING', 'Currency of its amounts'),
    nullable('industry_category', 'STRING', 'Category of industry'),
    nullable('service_level', 'STRING', 'GOOGLE_ANALYTICS_STANDARD or GOOGLE_ANALYTICS_360'),
    nullable('create_time', 'TIMESTAMP', 'When it was made'),
    nullable('update_time', 'TIMESTAMP', 'When it was changed last'),
    nullable('delete_time', 'TIMESTAMP', 'When it was put into the trash'),
    nullable('expire_time', 'TIMESTAMP', 'When it goes from the trash for good'),
    required('streams', 'INT64', 'Data streams'),
    nullable(
      'data_streams',
      'JSON',
      'An array of its data streams: name, type, display_name, and of a web stream default_uri and measurement_id',
    ),
  ],
  partitionBy: 'taken_at',
  clusterBy: ['account', 'property'],
  key: ['snapshot_id', 'property'],
};
