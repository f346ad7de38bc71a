import type { CountDescription, Counts } from '../../shared/host/metrics.ts';
import type { Outcome } from './outcome.ts';

/**
 * What permissions counts. It holds that
 *   requests ended = committed + rolled back + incomplete + in part.
 */
export const permissionsCounts = {
  plans: {
    name: 'tributary.permissions.plans',
    unit: '{plan}',
    description: 'plans that were made',
  },
  refused: {
    name: 'tributary.permissions.refused',
    unit: '{request}',
    description: 'requests that were refused whole: wrong, guarded, stale or not allowed',
  },
  committed: {
    name: 'tributary.permissions.requests.committed',
    unit: '{request}',
    description: 'requests that are as planned',
  },
  rolledBack: {
    name: 'tributary.permissions.requests.rolled_back',
    unit: '{request}',
    description: 'requests of which nothing stayed, as a call was refused',
  },
  incomplete: {
    name: 'tributary.permissions.requests.incomplete',
    unit: '{request}',
    description: 'requests that could not be brought back whole: somebody must look',
  },
  inPart: {
    name: 'tributary.permissions.requests.in_part',
    unit: '{request}',
    description: 'requests of which some accounts or calls are as planned and some are not',
  },
  interrupted: {
    name: 'tributary.permissions.interrupted',
    unit: '{call}',
    description: 'calls that a deadline or a service of Google ended; the same call goes on',
  },
  writes: {
    name: 'tributary.permissions.writes',
    unit: '{call}',
    description: 'calls of the Admin API that change something',
  },
  reads: {
    name: 'tributary.permissions.reads',
    unit: '{call}',
    description: 'calls of the Admin API that list something',
  },
  snapshots: {
    name: 'tributary.permissions.snapshots',
    unit: '{account}',
    description: 'accounts whose access was written to the warehouse',
  },
} satisfies Record<string, CountDescription>;

export type PermissionsCounts = Counts<keyof typeof permissionsCounts>;

export function countOutcome(counts: PermissionsCounts, { kind }: Outcome): void {
  const key = {
    committed: 'committed',
    rolled_back: 'rolledBack',
    rollback_incomplete: 'incomplete',
    partly_committed: 'inPart',
  } as const;
  counts[key[kind]] += 1;
}
