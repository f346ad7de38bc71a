import { status } from '@grpc/grpc-js';
import { refuse } from './refuse.ts';

/** What a test or a rehearsal makes go wrong; read at each use, so it may change while the server runs. */
export interface PubSubFaults {
  /** 0 to 1: how often an acknowledged message is delivered again anyway. */
  redeliverRate: number;
  /** 0 to 1: how often a publish, whatever it asks, is answered UNAVAILABLE at once, with nothing stored. */
  publishUnavailableRate: number;
  /**
   * 0 to 1: how often a publish is stored but its answer is lost, so that who tries again makes a copy. One half breaks
   * the call, the other is never answered, so that only the client's own time-out ends it.
   */
  publishStoredThenLostRate: number;
  /** Milliseconds every publish waits before it is stored. */
  publishDelayMs: number;
  /** Uniform in [0, 1): decides for the rates above. */
  random: () => number;
}

export function noFaults(): PubSubFaults {
  return {
    redeliverRate: 0,
    publishUnavailableRate: 0,
    publishStoredThenLostRate: 0,
    publishDelayMs: 0,
    random: Math.random,
  };
}

/** Throws UNAVAILABLE as often as asked for. */
export function rollUnavailable(faults: PubSubFaults): void {
  if (!happens(faults, faults.publishUnavailableRate)) return;
  throw refuse(status.UNAVAILABLE, 'The service was unable to fulfill your request. Please try again.');
}

/** Resolves when the answer to a publish that is stored may be sent: mostly at once, else never or by throwing. */
export async function rollLost(faults: PubSubFaults): Promise<void> {
  if (!happens(faults, faults.publishStoredThenLostRate)) return;
  // What a client reports whose connection goes down under a call.
  if (faults.random() < 0.5) throw refuse(status.UNAVAILABLE, 'Connection dropped');
  await new Promise(() => {});
}

function happens({ random }: PubSubFaults, rate: number): boolean {
  return rate > 0 && random() < rate;
}
