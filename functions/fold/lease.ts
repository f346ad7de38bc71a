import {
  type LeaseOptions as AnyLease,
  type Lease,
  takeLease as takeAnyLease,
} from '../../shared/google/lease.ts';

export { type Lease, LeaseLost } from '../../shared/google/lease.ts';

export type LeaseOptions = Omit<AnyLease, 'object'>;

export const leaseObject = 'fold/lease.json';

/** Takes the right to fold; undefined where somebody has it. Rejects where the bucket cannot be reached. */
export const takeLease = (options: LeaseOptions): Promise<Lease | undefined> =>
  takeAnyLease({ ...options, object: leaseObject });
