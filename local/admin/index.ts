import { accessBindingMethods } from './access-bindings.ts';
import { accountSummaryMethods } from './account-summaries.ts';
import { accountMethods } from './accounts.ts';
import type { Call, LoggedCall } from './calls.ts';
import { dataStreamMethods } from './data-streams.ts';
import { createDispatch } from './dispatch.ts';
import { createEdits, type Edits } from './edits.ts';
import { createFaults, type Fault } from './faults.ts';
import { firebaseLinkMethods } from './firebase-links.ts';
import type { Rules } from './method.ts';
import { propertyMethods } from './properties.ts';
import { createQuotas, googleQuotas, type QuotaOptions } from './quotas.ts';
import { createRandom } from './random.ts';
import { parseSeed, type Seed } from './seed.ts';
import { serveGrpc } from './serve-grpc.ts';
import { serveHttp } from './serve-http.ts';
import { createRest, type HandleRest } from './serve-rest.ts';
import { type State, takeSnapshot } from './snapshot.ts';
import type { ThrottleShape } from './throttle.ts';
import { createWorld } from './world.ts';

export type { Call, LoggedCall } from './calls.ts';
export type { Edits } from './edits.ts';
export type { Fault } from './faults.ts';
export { googleQuotas, type QuotaOptions } from './quotas.ts';
export type { Seed } from './seed.ts';
export type { State } from './snapshot.ts';

/** How the API behaves where its documentation leaves it open, and how often it may be called. */
export interface Behavior extends Omit<Rules, 'random'> {
  readonly quotas: QuotaOptions;
  readonly throttleShape: ThrottleShape;
}

export interface AdminApiOptions {
  /** Default 127.0.0.1. */
  host?: string;
  /** Of gRPC; 0 takes any free port. */
  port: number;
  /** Of a server of its own for REST; 0 takes any free port. Without it, mount `handle` on another. */
  restPort?: number;
  seed: Seed;
  /** Milliseconds since the epoch; quotas, times of resources and the trash follow it. Default Date.now. */
  clock?: () => number;
  /** Decides the order of lists and whom faults befall. Default 1. */
  randomSeed?: number;
  behavior?: Partial<Behavior>;
  log?: (line: string) => void;
}

export interface AdminApi {
  /** Of gRPC. */
  port: number;
  restUrl: string | undefined;
  /** Answers REST, below /v1alpha/; false when the path is another's, the response then untouched. */
  handle: HandleRest;
  /** Everything the API holds, without names of bindings and times, in an order of its own. */
  state(): State;
  /** Takes the place of the faults that were set. */
  setFaults(faults: readonly Fault[]): void;
  /** How often each of the faults that are set has struck. */
  faultCounts(): number[];
  setBehavior(behavior: Partial<Behavior>): void;
  /** Every call so far, in the order of the answers. */
  calls(): readonly LoggedCall[];
  clearCalls(): void;
  /** Called before each call is looked at, so that the world can change between two. Returns how to end it. */
  onCall(listener: (call: Call) => void): () => void;
  /** Changes that others make, past every check. */
  edit: Edits;
  /** Begins anew from another seed: everything but the listeners is as it was at the start. */
  reset(seed: Seed, randomSeed?: number): void;
  close(): Promise<void>;
}

/**
 * Starts a local Google Analytics Admin API, v1alpha, on gRPC without TLS and as REST, out of a seed and in memory. Rejects when the
 * port is taken or the seed is not valid. What it serves and what it leaves out is in local/admin/README.md.
 */
export async function startAdminApi(options: AdminApiOptions): Promise<AdminApi> {
  const { host = '127.0.0.1', port, clock = Date.now, randomSeed = 1, log = () => {} } = options;
  let seed = parseSeed(options.seed);
  let random = createRandom(randomSeed);
  const world = createWorld(seed, clock());
  let behavior: Behavior = { ...standardBehavior, ...options.behavior };
  let quotas = createQuotas(behavior.quotas);
  const faults = createFaults(() => random());
  const listeners = new Set<(call: Call) => void>();
  let calls: LoggedCall[] = [];
  const dispatch = createDispatch({
    methods: {
      ...accessBindingMethods,
      ...accountSummaryMethods,
      ...accountMethods,
      ...propertyMethods,
      ...dataStreamMethods,
      ...firebaseLinkMethods,
    },
    world,
    caller: () => seed.caller,
    clock,
    rules: () => ({ ...behavior, random }),
    quotas: () => quotas,
    throttleShape: () => behavior.throttleShape,
    faults,
    onCall(call) {
      for (const listener of listeners) listener(call);
    },
    onAnswered: (call) => calls.push(call),
    log,
  });
  const rest = createRest(dispatch.call, log);
  const [grpc, http] = await Promise.all([
    serveGrpc(dispatch.call, { host, port }),
    options.restPort === undefined ? undefined : serveHttp(rest, { host, port: options.restPort }),
  ]);
  return {
    port: grpc.port,
    restUrl: http?.url,
    handle: rest,
    state: () => takeSnapshot(world),
    setFaults: faults.set,
    faultCounts: faults.counts,
    setBehavior(changed) {
      behavior = { ...behavior, ...changed };
      if (changed.quotas !== undefined) quotas = createQuotas(changed.quotas);
    },
    calls: () => calls,
    clearCalls() {
      calls = [];
    },
    onCall(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    edit: createEdits(world, clock),
    reset(next, nextRandomSeed = randomSeed) {
      seed = parseSeed(next);
      random = createRandom(nextRandomSeed);
      Object.assign(world, createWorld(seed, clock()));
      behavior = { ...standardBehavior, ...options.behavior };
      quotas = createQuotas(behavior.quotas);
      faults.set([]);
      dispatch.forget();
      calls = [];
    },
    async close() {
      await Promise.all([grpc.close(), http?.close()]);
    },
  };
}

const standardBehavior: Behavior = {
  unknownRoles: 'kept',
  partialBatches: true,
  refusalsName: 'first',
  shortPages: false,
  quotas: googleQuotas,
  throttleShape: 'RESOURCE_EXHAUSTED',
};
