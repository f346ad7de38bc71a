import { z } from 'zod';
import type { Claim } from './match-claims.ts';
import type { ProjectPolicy } from './policies.ts';

/** A pair of a device and a user, with the first of its claims that is known. Times in microseconds since 1970. */
export interface ClaimedPair extends Claim {
  /** `analysys` where any claim of the pair is of Analysys. */
  readonly dialect: string;
  readonly eventId: string;
  readonly occurredMicros: number;
  readonly receivedMicros: number;
  readonly batchId: string;
  readonly batchIndex: number;
}

/** A row of arrived-pairs.sql and pairs-of-devices.sql. */
export const claimedPairRow = z
  .object({
    project: z.string(),
    anonymous_id: z.string(),
    user_key: z.string().nullable(),
    user_id: z.string(),
    dialect: z.string(),
    event_id: z.string(),
    occurred_micros: z.int(),
    received_micros: z.int(),
    batch_id: z.string(),
    batch_index: z.int(),
  })
  .transform(
    (row): ClaimedPair => ({
      project: row.project,
      anonymousId: row.anonymous_id,
      userKey: row.user_key,
      userId: row.user_id,
      dialect: row.dialect,
      eventId: row.event_id,
      occurredMicros: row.occurred_micros,
      receivedMicros: row.received_micros,
      batchId: row.batch_id,
      batchIndex: row.batch_index,
    }),
  );

export type ClaimOrder = ProjectPolicy['order'];

/** When a claim was made, by the order of its project. */
export const claimedAt = (
  { occurredMicros, receivedMicros }: Pick<ClaimedPair, 'occurredMicros' | 'receivedMicros'>,
  order: ClaimOrder,
): number => (order === 'received_at' ? receivedMicros : occurredMicros);

/** Negative where the left claim comes first: the order of ruled-pairs.sql. */
export const compareClaims = (left: ClaimedPair, right: ClaimedPair, order: ClaimOrder): number =>
  claimedAt(left, order) - claimedAt(right, order) ||
  left.receivedMicros - right.receivedMicros ||
  compareBytes(left.batchId, right.batchId) ||
  left.batchIndex - right.batchIndex ||
  compareBytes(left.eventId, right.eventId);

// BigQuery compares texts by their bytes.
const compareBytes = (left: string, right: string): number =>
  Buffer.compare(Buffer.from(left), Buffer.from(right));

/** One text for each device, user and pair of a project. */
export const deviceOf = ({ project, anonymousId }: Pick<Claim, 'project' | 'anonymousId'>): string =>
  JSON.stringify([project, anonymousId]);
export const userOf = ({ project, userKey, userId }: Pick<Claim, 'project' | 'userKey' | 'userId'>): string =>
  JSON.stringify([project, userKey, userId]);
export const pairOf = ({ project, anonymousId, userKey, userId }: Claim): string =>
  JSON.stringify([project, anonymousId, userKey, userId]);
