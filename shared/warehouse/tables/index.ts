import type { Table } from '../table.ts';
import { eventLog } from './event-log.ts';
import { quarantine } from './quarantine.ts';
import { quarantineOutcomes } from './quarantine-outcomes.ts';
import { stateLog } from './state-log.ts';

export { eventLog, quarantine, quarantineOutcomes, stateLog };

/** Every table of the warehouse; what else is in it is a view over these. */
export const tables: readonly Table[] = [eventLog, stateLog, quarantine, quarantineOutcomes];
