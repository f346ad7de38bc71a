import { nullable, repeated, required, type Table } from '../table.ts';

export const eventColumns = [
  required('event_id', 'STRING', '32 hexadecimal digits; equal for every copy of one event'),
  required('request_hash', 'STRING', 'SHA-256 of method, path, query without stm, and body'),
  required('project', 'STRING', 'Analysys appid, GrowingIO project, Segment write key'),
  required('dialect', 'STRING', 'analysys, growingio, segment or tributary'),
  required(
    'kind',
    'STRING',
    'track, alias, profile_set, profile_set_once, profile_increment, profile_append, profile_unset, profile_delete or item_set',
  ),
  nullable('name', 'STRING', 'Event name of a track; key of an item_set'),
  nullable('item_id', 'STRING', 'Id of the item of an item_set'),
  nullable('anonymous_id', 'STRING', 'Device id'),
  nullable('user_id', 'STRING', 'Login id'),
  nullable('user_key', 'STRING', 'Kind of login id'),
  required('occurred_at', 'TIMESTAMP', 'When the sender says that it happened, never corrected'),
  required('time_source', 'STRING', 'sender, or received where the sender gave no time'),
  nullable('sent_at', 'TIMESTAMP', "The sender's clock at sending"),
  required('received_at', 'TIMESTAMP', 'Our clock at receiving'),
  nullable('platform', 'STRING', 'Platform as the SDK names it'),
  nullable('sdk', 'STRING', 'Name of the SDK'),
  nullable('sdk_version', 'STRING', 'Version of the SDK'),
  nullable('session_id', 'STRING', 'Session id as the SDK gives it'),
  required('debug', 'INT64', '0 counted, 1 shown but not counted, 2 shown and counted'),
  nullable('properties', 'JSON', 'What the caller gave'),
  nullable('context', 'JSON', "The SDK's own fields"),
  repeated('warnings', 'STRING', 'Rules of the dialect that the event bends'),
  required('batch_id', 'STRING', 'The accepted request'),
  required('batch_index', 'INT64', 'Place of the event in the request'),
  repeated(
    'keys',
    'STRING',
    'Top-level keys of properties, each once, in the order in which they stand there; empty for a track and where ingest did not write it yet',
  ),
] as const;

export const eventLog: Table = {
  name: 'event_log',
  description:
    'Every accepted event at least once; read it through the views events, events_between and event_deliveries',
  columns: eventColumns,
  partitionBy: 'occurred_at',
  clusterBy: ['project', 'kind', 'name'],
  key: ['event_id'],
};
