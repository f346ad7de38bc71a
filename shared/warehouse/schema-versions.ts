/**
 * The versions of the row encoding, each a count of leading columns per table.
 *
 * A message in flight names the version it was encoded with, and `load` appends it with that
 * version's descriptor, so a deploy never strands what is in flight. After adding a column,
 * append a version; never change one.
 */
export const schemaVersions = [
  { version: 1, columns: { event_log: 24, quarantine: 21, quarantine_outcomes: 9 } },
  // keys in event_log. Tables whose rows never travel on Pub/Sub need no version of their own.
  {
    version: 2,
    columns: {
      event_log: 25,
      quarantine: 21,
      quarantine_outcomes: 9,
      identity_decisions: 8,
      report_rows: 10,
      report_pulls: 28,
      report_availability: 10,
      report_restatements: 16,
      api_calls: 16,
      channel_snapshots: 6,
      video_metadata: 7,
      access_audit: 22,
      access_bindings: 11,
      ga_accounts: 11,
      ga_properties: 17,
    },
  },
] as const;

/** The version that ingest encodes with. */
export const currentSchemaVersion = 2;

/** The tables whose rows are encoded; those of the first two travel on Pub/Sub. state_log takes the rows of event_log. */
export type EncodedTable =
  | 'event_log'
  | 'quarantine'
  | 'quarantine_outcomes'
  | 'identity_decisions'
  | ReportTable
  | AccessTable;

/** The tables that functions/reports appends to. */
export type ReportTable =
  | 'report_rows'
  | 'report_pulls'
  | 'report_availability'
  | 'report_restatements'
  | 'api_calls'
  | 'channel_snapshots'
  | 'video_metadata';

/** The tables that functions/permissions appends to. */
export type AccessTable = 'access_audit' | 'access_bindings' | 'ga_accounts' | 'ga_properties';
