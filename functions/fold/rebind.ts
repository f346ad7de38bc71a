import type { BigQuery } from '@google-cloud/bigquery';
import { z } from 'zod';
import { type QueryAnswer, runQuery } from '../../shared/google/run-query.ts';
import type { AppendDecisions } from './append-decisions.ts';
import { type Claim, startMatching } from './match-claims.ts';
import { type ProjectPolicy, policyParameters } from './policies.ts';
import { fillSql, readSql } from './read-sql.ts';

export interface RebindOptions {
  readonly bigquery: BigQuery;
  readonly dataset: string;
  readonly policies: readonly ProjectPolicy[];
  readonly appendDecisions: AppendDecisions;
  /** Of its own for each run: what is decided under it is decided from identity_pairs as this run reads them. */
  readonly runId: string;
  readonly now: () => number;
  /** Of each query, in milliseconds. */
  readonly timeoutMs: number;
  /** How many changes are told at most. */
  readonly mostChanges?: number;
}

interface User {
  readonly userKey: string | null;
  readonly userId: string;
}

/** A device that belongs to another user than before, to its first, or to none. */
export interface BindingChange {
  readonly project: string;
  readonly anonymousId: string;
  readonly before?: User;
  readonly after?: User;
}

export interface RebindPlan {
  readonly changes: readonly BindingChange[];
  /** Whether these are all of them; false where there are more than `mostChanges`. */
  readonly isComplete: boolean;
  /** Of contested pairs, how many there were and how many of them bind. */
  readonly contested: number;
  readonly matched: number;
  /** What applyRebind needs to know. */
  readonly decision: { readonly runId: string; readonly decidedAt: number };
  readonly queries: number;
  readonly bytes: number;
}

/**
 * Decides whose each device is from all of identity_pairs, and tells what applyRebind will change. Changes nothing but
 * identity_decisions, where it leaves what it decided one by one; planning again, or never applying, does no harm.
 *
 * Two queries, however many pairs there are: one reads the contested pairs in their order, page by page, of which only
 * ids stay in memory (match-claims.ts), the other compares. applyRebind is one more.
 */
export async function planRebind(options: RebindOptions): Promise<RebindPlan> {
  const { bigquery, mostChanges = 20_000, runId } = options;
  const decision = { runId, decidedAt: options.now() };
  const matching = await matchContested(options, decision);

  const call = sharedCall(options, decision);
  const compared = await runQuery(bigquery, {
    ...call,
    query: readSql('binding-changes.sql', options.dataset),
    params: { ...call.params, most: mostChanges + 1 },
  });
  const changes = z.array(changeRow).parse(compared.rows);
  return {
    changes: changes.slice(0, mostChanges),
    isComplete: changes.length <= mostChanges,
    contested: matching.contested,
    matched: matching.matched,
    decision,
    queries: 2,
    bytes: matching.bytes + compared.bytes,
  };
}

/**
 * Makes identity_bindings exactly what was planned, in one MERGE: a query sees all of it or nothing. It may run again.
 * The pairs must be those of the plan, as they are while its run holds the lease.
 */
export async function applyRebind(
  options: Omit<RebindOptions, 'appendDecisions' | 'runId' | 'now' | 'mostChanges'>,
  { decision }: Pick<RebindPlan, 'decision'>,
): Promise<{ readonly changed: number; readonly queries: number; readonly bytes: number }> {
  const { affectedRows, bytes } = await runQuery(options.bigquery, {
    ...sharedCall(options, decision),
    query: readSql('merge-bindings.sql', options.dataset),
  });
  return { changed: affectedRows, queries: 1, bytes };
}

/**
 * The MERGE that brings the claims of what a tick found new into identity_pairs: parameters @run and those of
 * policyParameters. It may run again.
 */
export const mergePairs = (dataset: string): string => fillSql('merge-pairs.sql', dataset, arrived(dataset));

/** The query for these claims, the first of each pair; besides, @most. */
export const arrivedPairs = (dataset: string): string =>
  fillSql('arrived-pairs.sql', dataset, arrived(dataset));

/** The query for all of identity_pairs, from the whole of state_log: the parameters of policyParameters. */
export const rebuildPairs = (dataset: string): string =>
  fillSql('rebuild-pairs.sql', dataset, {
    claims: 'claims',
    operations: `\`${dataset}.state_log\``,
    counted: 'log.debug != 1',
  });

const arrived = (dataset: string) => ({
  claims: 'claims',
  operations: `\`${dataset}.arrived_operations\``,
  counted: 'log.run = @run',
});

type Decision = RebindPlan['decision'];

function sharedCall(
  { policies, timeoutMs }: Pick<RebindOptions, 'policies' | 'timeoutMs'>,
  { runId, decidedAt }: Decision,
) {
  const { params, types } = policyParameters(policies);
  return {
    params: { policies: params.policies, run_id: runId, decided_at: new Date(decidedAt) },
    types: { policies: types.policies },
    timeoutMs,
  };
}

/** As many as one append to BigQuery holds with ids of the greatest length. */
const rowsPerAppend = 5_000;

async function matchContested(
  { bigquery, dataset, policies, appendDecisions, timeoutMs }: RebindOptions,
  { runId, decidedAt }: Decision,
) {
  const binds = startMatching<ContestedPair>();
  const { params, types } = policyParameters(policies);
  let [contested, matched] = [0, 0];

  const takePage = async (rows: QueryAnswer['rows']): Promise<void> => {
    const winners = z.array(contestedPair).parse(rows).filter(binds);
    contested += rows.length;
    matched += winners.length;
    for (let start = 0; start < winners.length; start += rowsPerAppend) {
      await appendDecisions(
        winners.slice(start, start + rowsPerAppend).map((pair) => ({
          run_id: runId,
          decided_at: decidedAt * 1_000,
          project: pair.project,
          anonymous_id: pair.anonymousId,
          user_key: pair.userKey ?? undefined,
          user_id: pair.userId,
          bound_at: pair.occurredMicros,
          event_id: pair.eventId,
        })),
      );
    }
  };
  const { bytes } = await runQuery(bigquery, {
    query: readSql('contested-pairs.sql', dataset),
    params: { policies: params.policies },
    types: { policies: types.policies },
    timeoutMs,
    onRows: takePage,
  });
  return { contested, matched, bytes };
}

interface ContestedPair extends Claim {
  readonly eventId: string;
  readonly occurredMicros: number;
}

const contestedPair = z
  .object({
    project: z.string(),
    anonymous_id: z.string(),
    user_key: z.string().nullable(),
    user_id: z.string(),
    event_id: z.string(),
    occurred_micros: z.int(),
  })
  .transform(
    (row): ContestedPair => ({
      project: row.project,
      anonymousId: row.anonymous_id,
      userKey: row.user_key,
      userId: row.user_id,
      eventId: row.event_id,
      occurredMicros: row.occurred_micros,
    }),
  );

const userOf = (userKey: string | null, userId: string | null): User | undefined =>
  userId === null ? undefined : { userKey, userId };

const changeRow = z
  .object({
    project: z.string(),
    anonymous_id: z.string(),
    user_key_before: z.string().nullable(),
    user_id_before: z.string().nullable(),
    user_key_after: z.string().nullable(),
    user_id_after: z.string().nullable(),
  })
  .transform((row): BindingChange => {
    const before = userOf(row.user_key_before, row.user_id_before);
    const after = userOf(row.user_key_after, row.user_id_after);
    return {
      project: row.project,
      anonymousId: row.anonymous_id,
      ...(before && { before }),
      ...(after && { after }),
    };
  });
