import { hash } from 'node:crypto';
import type { Settings } from '../../shared/settings/settings.ts';
import { catchUp } from './catch-up.ts';
import { LeaseLost, takeLease } from './lease.ts';
import { type ProjectPolicy, policiesOf } from './policies.ts';
import { rebuild } from './rebuild.ts';
import { emptyState, type FoldState, openState, rebuildFor, type StateStore } from './state.ts';
import { createSteps, OutOfTime, type StepName, type Steps } from './steps.ts';
import type { TickOptions } from './tick-context.ts';

export interface TickCall {
  /** All of it anew. */
  readonly full: boolean;
  readonly settings: Settings;
}

export interface Tick {
  /**
   * `unchanged`: nothing came in; `folded`: the tables hold what was there when the tick began; `unfinished`: its time
   * was over, the next one goes on; `busy`: another one is at work; `overtaken`: another one took over.
   */
  readonly kind: 'unchanged' | 'folded' | 'unfinished' | 'busy' | 'overtaken';
  readonly mode: 'incremental' | 'full';
  /** Why everything is folded anew. */
  readonly reason?: string;
  /** The step that comes next, where it is unfinished. */
  readonly next?: StepName;
  /** Spans of received_at in which something came in. */
  readonly slices: number;
  /** Devices whose user changed. */
  readonly bindings: number;
  /** Persons that were folded. */
  readonly persons: number;
  /** Of those persons, the ones to whose rows was added what came in; the others were folded anew. */
  readonly carried: number;
  readonly queries: number;
  readonly bytes: number;
  readonly milliseconds: number;
  /** The greatest received_at that is folded, as an ISO time; null while there is none. */
  readonly watermark: string | null;
}

/**
 * Brings identity_bindings and persons up to date with state_log, or as far as the time goes. `full`: all of it anew.
 *
 * It may be cut off anywhere: every step may be repeated, what is left to do is written down before what could make it
 * be forgotten, and the state is written last. Rejects where BigQuery or Cloud Storage cannot be used.
 */
export async function runTick(call: TickCall, options: TickOptions): Promise<Tick> {
  const beganAt = options.now();
  const lease = await takeLease({ ...options, lastsMs: options.leaseMs });
  const steps = createSteps(options, beganAt, async () => lease?.check());
  const tell = (kind: Tick['kind'], rest: Partial<Tick> = {}): Tick => ({
    kind,
    mode: 'incremental',
    ...steps.done,
    milliseconds: options.now() - beganAt,
    watermark: null,
    ...rest,
  });
  if (lease === undefined) return tell('busy');
  const store = openState({ ...options, holder: lease.holder });
  try {
    return await fold(call, options, steps, store, tell);
  } catch (error) {
    const isLost =
      error instanceof LeaseLost ||
      (await lease.check().then(
        () => false,
        () => true,
      ));
    // What it wrote late, or still writes, may stand over what the other one wrote.
    if (isLost && steps.hasWritten()) await askForRebuild(options, lease.holder);
    if (!(error instanceof LeaseLost)) throw error;
    return tell('overtaken');
  } finally {
    await lease.release();
  }
}

async function fold(
  call: TickCall,
  options: TickOptions,
  steps: Steps,
  store: StateStore,
  tell: (kind: Tick['kind'], rest: Partial<Tick>) => Tick,
): Promise<Tick> {
  const policies = policiesOf(call.settings);
  const settingsHash = hashPolicies(policies);
  const context = { options, steps, store, policies, settingsHash };
  const found = await store.read();
  let state = found ?? emptyState;
  let reason = reasonToRebuild(found, call.full, settingsHash);
  const told = () => ({
    watermark: isoTime(state.watermark),
    ...(reason === undefined ? {} : { mode: 'full' as const, reason }),
  });
  try {
    if (reason === undefined) {
      const caughtUp = await catchUp(state, context);
      state = caughtUp.state;
      if (caughtUp.kind !== 'too_much') return tell(caughtUp.kind, told());
      reason = caughtUp.reason;
    }
    state = await rebuild(state, reason, context);
    return tell('folded', told());
  } catch (error) {
    if (!(error instanceof OutOfTime)) throw error;
    return tell('unfinished', { ...told(), next: error.next });
  }
}

/** Undefined where it is enough to fold what came in. */
function reasonToRebuild(
  state: FoldState | undefined,
  isAsked: boolean,
  settingsHash: string,
): string | undefined {
  if (state === undefined) return 'there is no state';
  if (state.rebuild !== null) return state.rebuild.reason;
  if (isAsked) return 'it was asked for';
  return state.settingsHash === settingsHash ? undefined : 'the settings of identity changed';
}

/** The same for the same policies, in whatever order the settings have them. */
const hashPolicies = (policies: readonly ProjectPolicy[]): string =>
  hash(
    'sha256',
    JSON.stringify(policies.toSorted((left, right) => (left.project < right.project ? -1 : 1))),
    'hex',
  );

/** Has the next tick fold everything anew. Rejects where the state cannot be written. */
async function askForRebuild(options: TickOptions, holder: string): Promise<void> {
  for (let tries = 0; tries < 10; tries++) {
    const store = openState({ ...options, holder: `${holder}-late-${tries}` });
    try {
      const state = (await store.read()) ?? emptyState;
      await store.write({ ...state, rebuild: rebuildFor('two ticks ran at once') });
      return;
    } catch (error) {
      // The other one has just written it, and will again.
      if (!(error instanceof LeaseLost)) throw error;
    }
  }
  throw new Error('The state could not be marked for a rebuild.');
}

const isoTime = (micros: number | null): string | null =>
  micros === null ? null : new Date(micros / 1_000).toISOString();
