import type { Table } from '../table.ts';
import { accessAudit } from './access-audit.ts';
import { accessBindings } from './access-bindings.ts';
import { apiCalls } from './api-calls.ts';
import { arrivedOperations } from './arrived-operations.ts';
import { channelSnapshots } from './channel-snapshots.ts';
import { eventLog } from './event-log.ts';
import { foldedRows } from './folded-rows.ts';
import { gaAccounts } from './ga-accounts.ts';
import { gaProperties } from './ga-properties.ts';
import { identityBindings } from './identity-bindings.ts';
import { identityDecisions } from './identity-decisions.ts';
import { identityPairs } from './identity-pairs.ts';
import { persons } from './persons.ts';
import { profileOperations } from './profile-operations.ts';
import { quarantine } from './quarantine.ts';
import { quarantineOutcomes } from './quarantine-outcomes.ts';
import { reportAvailability } from './report-availability.ts';
import { reportPulls } from './report-pulls.ts';
import { reportRestatements } from './report-restatements.ts';
import { reportRows } from './report-rows.ts';
import { stateLog } from './state-log.ts';
import { videoMetadata } from './video-metadata.ts';

export { eventLog, identityDecisions, quarantine, quarantineOutcomes, stateLog };

/** What functions/reports appends to. */
export const reportTables = {
  report_rows: reportRows,
  report_pulls: reportPulls,
  report_availability: reportAvailability,
  report_restatements: reportRestatements,
  api_calls: apiCalls,
  channel_snapshots: channelSnapshots,
  video_metadata: videoMetadata,
} as const;

/** What functions/permissions appends to. */
export const accessTables = {
  access_audit: accessAudit,
  access_bindings: accessBindings,
  ga_accounts: gaAccounts,
  ga_properties: gaProperties,
} as const;

/** Every table of the warehouse; what else is in it is a view over these. */
export const tables: readonly Table[] = [
  eventLog,
  stateLog,
  quarantine,
  quarantineOutcomes,
  identityBindings,
  identityPairs,
  identityDecisions,
  profileOperations,
  arrivedOperations,
  foldedRows,
  persons,
  ...Object.values(reportTables),
  ...Object.values(accessTables),
];
