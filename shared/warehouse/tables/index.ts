import type { Table } from '../table.ts';
import { eventLog } from './event-log.ts';
import { identityBindings } from './identity-bindings.ts';
import { identityDecisions } from './identity-decisions.ts';
import { identityPairs } from './identity-pairs.ts';
import { persons } from './persons.ts';
import { profileOperations } from './profile-operations.ts';
import { quarantine } from './quarantine.ts';
import { quarantineOutcomes } from './quarantine-outcomes.ts';
import { stateLog } from './state-log.ts';

export { eventLog, identityDecisions, quarantine, quarantineOutcomes, stateLog };

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
  persons,
];
