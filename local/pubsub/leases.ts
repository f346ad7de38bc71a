import { createDeadlines } from './deadlines.ts';
import { invalidArgument } from './refuse.ts';
import type { Subscription, Taken } from './subscription.ts';

/** A delivered message until it is acknowledged, given back, or its deadline passes. */
export interface Lease {
  taken: Taken;
  ackId: string;
  /** Milliseconds since the epoch. */
  deadline: number;
  ended: boolean;
  /** Called once when the lease ends in whatever way; frees flow control. */
  onEnd?: (() => void) | undefined;
}

export interface Leases {
  /** Leases a message for `seconds`. */
  grant(taken: Taken, seconds: number): Lease;
  /** Unknown and expired ids are ignored, as Google does for subscriptions without exactly-once delivery. */
  acknowledge(ackIds: readonly string[]): void;
  /** Moves the deadline to `seconds` from now; 0 gives the message back at once. */
  extend(ackId: string, seconds: number): void;
  /** Throws INVALID_ARGUMENT when an id is none of this server's. */
  check(ackIds: readonly string[]): void;
  close(): void;
}

const wellFormed = /^[0-9a-z]+-[0-9a-f]{12}-[0-9a-z]+$/;

/** The leases of one subscription. `timeScale` shortens every deadline. */
export function createLeases(subscription: Subscription, timeScale: number): Leases {
  const leases = new Map<string, Lease>();
  let granted = 0;

  const end = (lease: Lease) => {
    lease.ended = true;
    leases.delete(lease.ackId);
    lease.onEnd?.();
  };

  const deadlines = createDeadlines<Lease>(
    (lease) => lease.deadline,
    (lease) => !lease.ended,
    (lease) => {
      end(lease);
      subscription.fail(lease.taken);
    },
  );

  return {
    grant(taken, seconds) {
      const lease: Lease = {
        taken,
        ackId: subscription.ackPrefix + (granted++).toString(36),
        deadline: Date.now() + (seconds * 1000) / timeScale,
        ended: false,
      };
      leases.set(lease.ackId, lease);
      deadlines.add(lease);
      return lease;
    },
    acknowledge(ackIds) {
      for (const ackId of ackIds) {
        const lease = leases.get(ackId);
        if (lease === undefined) continue;
        end(lease);
        deadlines.settled();
        subscription.acknowledge(lease.taken.entry);
      }
    },
    extend(ackId, seconds) {
      const lease = leases.get(ackId);
      if (lease === undefined) return;
      if (seconds === 0) {
        end(lease);
        deadlines.settled();
        subscription.fail(lease.taken);
        return;
      }
      const deadline = Date.now() + (seconds * 1000) / timeScale;
      const sooner = deadline < lease.deadline;
      lease.deadline = deadline;
      if (sooner) deadlines.add(lease);
    },
    check(ackIds) {
      for (const ackId of ackIds) {
        if (!wellFormed.test(ackId)) {
          throw invalidArgument(`You have passed an invalid ack ID to the service (ack_id=${ackId}).`);
        }
      }
    },
    close: () => deadlines.close(),
  };
}
