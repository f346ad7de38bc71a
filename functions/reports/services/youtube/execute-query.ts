import type { Authorizer } from '../../../../shared/google/authorizer.ts';
import { createOwnerAuthorizer, type YouTube } from '../../../../shared/google/youtube.ts';
import { nextPacificDay } from '../calendar.ts';
import type { CallOptions, Send } from '../exchange.ts';
import type { Failure, ServiceContext } from '../service.ts';
import { type Answered, tryCall } from '../try-call.ts';
import { classifyError } from './classify-error.ts';
import type { Owner, Settings } from './configuration.ts';

export interface Query {
  readonly owner: Owner;
  readonly probeGroup: string;
  /** The one channel that is asked for; null for several. */
  readonly entityId: string | null;
  readonly reports: readonly string[];
  readonly api: 'youtubeAnalytics.v2' | 'youtube.v3' | 'youtubePartner.v1';
  readonly method: string;
  /** Units of the Data API; null for the others. */
  readonly units: number | null;
  readonly send: (youtube: YouTube, options: CallOptions) => ReturnType<Send>;
}

/** Asks as one content owner. Never rejects for what the API answers. */
export type ExecuteQuery = (query: Query, context: ServiceContext) => Promise<Answered>;

/**
 * Makes what asks. An owner whose token is refused is stopped: the first failure alerts, later ones say the same and call
 * nobody, for as long as this process lives with that credential. The units of a day are kept to.
 */
export function createExecuteQuery(
  youtube: YouTube,
  settings: Settings,
  environment: NodeJS.ProcessEnv,
): ExecuteQuery {
  const owners = new Map<string, OwnerState>();
  const units = createUnitsOfDay(settings.unitsPerDay);
  return async (query, context) => {
    const { owner } = query;
    let state = owners.get(owner.key);
    if (state === undefined) {
      state = { authorizer: createOwnerAuthorizer(owner.credential, environment), stopped: undefined };
      owners.set(owner.key, state);
    }
    const known = state;
    units.learn(context.unitsSpent ?? 0, context.now());
    const stopped = readStopped(known, context) ?? units.refuse(query.units ?? 0, context.now());
    if (stopped !== undefined) return { kind: 'failed', failure: stopped, status: null };
    const answered = await tryCall(
      {
        send: (options) => query.send(youtube, options),
        authorizer: known.authorizer,
        timeoutMs: settings.timeoutSeconds * 1_000,
        about: {
          api: query.api,
          method: query.method,
          entityId: query.entityId,
          probeGroup: query.probeGroup,
          reports: query.reports,
        },
        classify: (came) =>
          classifyError(came, { owner: owner.key, entityId: query.entityId, now: context.now() }),
        readCost(_, status) {
          // What fails costs too (youtube/determine_quota_cost).
          const taken = status === null ? 0 : (query.units ?? 0);
          if (query.units === null) return { tokens: null, units: null, quotaRemaining: null };
          const unitsPerDay = units.take(taken, context.now());
          return { tokens: null, units: taken, quotaRemaining: { unitsPerDay } };
        },
      },
      context,
    );
    // Which of several channels is forbidden is still to be found out, and the owner goes on.
    if (answered.kind === 'answered' || answered.failure.kind !== 'stopped_owner') return answered;
    if (answered.failure.reason === 'forbidden') return answered;
    const isFirst = known.stopped === undefined;
    known.stopped ??= { failure: { ...answered.failure, alert: false }, at: context.now() };
    return isFirst ? answered : { ...answered, failure: known.stopped.failure };
  };
}

interface OwnerState {
  readonly authorizer: Authorizer;
  stopped: { readonly failure: Failure; readonly at: number } | undefined;
}

/** A secret that is mounted may have been replaced: once an hour it is read again. */
const stoppedMs = 3_600_000;

function readStopped(state: OwnerState, context: ServiceContext): Failure | undefined {
  if (state.stopped === undefined) return undefined;
  if (context.now() - state.stopped.at < stoppedMs) return state.stopped.failure;
  state.stopped = undefined;
  state.authorizer.renew();
  return undefined;
}

function createUnitsOfDay(most: number) {
  let ends = 0;
  let used = 0;
  const turn = (now: number) => {
    if (now < ends) return;
    [ends, used] = [nextPacificDay(now), 0];
  };
  return {
    /** What all instances have spent: more than this one knows of, or what this one has not told yet. */
    learn(units: number, now: number) {
      turn(now);
      used = Math.max(used, units);
    },
    /** Tells what is left. */
    take(units: number, now: number) {
      turn(now);
      used += units;
      return Math.max(0, most - used);
    },
    refuse(units: number, now: number): Failure | undefined {
      turn(now);
      if (units === 0 || used + units <= most) return undefined;
      return {
        kind: 'deferred',
        entityId: null,
        reason: 'units_per_day',
        message: `The ${most} units that youtube.unitsPerDay allows are used up until midnight Pacific.`,
        notBefore: new Date(ends),
        alert: false,
      };
    },
  };
}
