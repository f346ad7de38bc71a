import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Deployable, readDeployables } from '../shared/deployables.ts';
import type { CloudOptions } from './cloud.ts';
import { BUCKETS, describeUses, laptopEnvironment } from './environment.ts';
import type { Faults } from './faults.ts';
import { createMetricsForwarder } from './forward-metrics.ts';
import { findFreePorts, untilListening } from './processes/ports.ts';
import { type ProcessEvent, type Supervised, supervise } from './processes/supervise.ts';
import type { PubSubServer } from './pubsub/index.ts';
import type { Job, JobRun } from './scheduler/index.ts';
import type { StorageServer } from './storage/index.ts';
import { jobsOf, OPERATOR_ACCOUNT, portOf, queueOf, triggerEnvironment } from './triggers.ts';

export type { Faults } from './faults.ts';
export type { ProcessEvent } from './processes/supervise.ts';

export const PROJECT = 'local';
export const DATASET = 'tributary';

/** A port of every server: those of the cloud, and one of every function by its name. */
export interface Ports {
  pubsub: number;
  bigquery: number;
  bigqueryGrpc: number;
  storage: number;
  googleApis: number;
  monitoring: number;
  adminApi: number;
  functions: Readonly<Record<string, number>>;
}

export interface LocalOptions {
  /** Holds everything that outlives a stop; created when absent. */
  dataDir: string;
  /** 'free' takes any; they stay the same when a process is restarted. */
  ports: Ports | 'free';
  /** The address that public functions listen on. Default 127.0.0.1. */
  host?: string;
  /** The settings file. Default: settings.json in the data folder, whenever there is one. */
  settings?: string;
  /** The functions to start, by their names. Default: all; a topic is made with the function that it is pushed to. */
  functions?: readonly string[];
  /** Where the built functions are. Default: dist of the repository. */
  built?: string;
  /** 60 lets an hour of Pub/Sub's backoff, leases and retention pass in a minute. Default 1. */
  timeScale?: number;
  faults?: Faults;
  /** Further variables of single functions, by name. */
  environment?: Readonly<Record<string, NodeJS.ProcessEnv>>;
  /** Every line that a process writes, and every end and start of one. */
  report?: (event: ProcessEvent) => void;
}

export type Drained = { undelivered: number | undefined };

export type Counts = ReturnType<PubSubServer['counts']> & ReturnType<StorageServer['counts']>;

/** A running local cloud: one process of Google's services, `cloud`, and one of each function, by its name. */
export interface LocalCloud {
  ports: Ports;
  urls: {
    ingest: string;
    replay: string;
    fold: string;
    permissions: string;
    reports: string;
    bigquery: string;
    storage: string;
    googleApis: string;
  };
  /** The variables of each function by its name: those that Terraform gives it too. Beside them it has what is so on a laptop only. */
  variables: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The LOCAL_ variables that point this project's clients at it, and GOOGLE_CLOUD_PROJECT. */
  environment: Readonly<Record<string, string>>;
  /** Resolves once the named process, or all of them, serve. */
  serving(name?: string): Promise<void>;
  pid(name: string): number | undefined;
  /** Sends a signal, SIGKILL unless told, and resolves once the process has ended. It starts again by itself. */
  kill(name: string, signal?: NodeJS.Signals): Promise<void>;
  /** Ends the process as a deployment does, by SIGTERM, and resolves once the next one serves. */
  restart(name: string): Promise<void>;
  /** Runs a job of the scheduler now, as "Force run" does: its name is in infra/functions.json. */
  runJob(name: string): Promise<JobRun>;
  /** The jobs of the scheduler. */
  jobs(): Promise<readonly Job[]>;
  /** A token of an account, for a private function; by default of the operator, who may call them all. */
  token(audience: string, email?: string): Promise<string>;
  /** Changes faults of Pub/Sub, BigQuery and Cloud Storage; they outlive restarts of the cloud process. */
  setFaults(faults: Faults): Promise<void>;
  /** What Pub/Sub has counted since its process started, and what each bucket holds. */
  counts(): Promise<Counts>;
  /** Messages that are not yet acknowledged by the functions they are pushed to. */
  backlog(): Promise<number>;
  /**
   * Stops in the order of the data: functions that are called, then, once the backlog is delivered or `drainMs` (default 5,000)
   * have passed, the others, then the cloud. Resolves to the messages left in the data folder, undefined where the
   * cloud process could not be asked.
   */
  close(options?: { drainMs?: number }): Promise<Drained>;
  /** Kills everything at once. */
  abandon(): void;
}

/** In the cloud the schedule is enough; on a laptop nobody waits five minutes for what he has just sent. */
const FOLD = 'fold';
const FOLD_JOB = 'fold';
const FOLD_EVERY_MS = 5_000;
/** The host of a function gives its requests and hooks ten seconds, as Cloud Run does. */
const GRACE_MS = 12_000;

/** Starts the local cloud and the functions of infra/functions.json. Rejects with what the first process to fail said. */
export async function startLocal(options: LocalOptions): Promise<LocalCloud> {
  const deployables = chooseDeployables(options.functions);
  const built = options.built ?? fileURLToPath(new URL('../dist', import.meta.url));
  for (const { name } of deployables) {
    if (existsSync(join(built, name))) continue;
    throw new Error(`${name} is not built (there is no ${join(built, name)}): run npm run build.`);
  }
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true });
  const ports = options.ports === 'free' ? await choosePorts(readDeployables()) : options.ports;
  const report = options.report ?? (() => {});
  const metrics = createMetricsForwarder((line) => control('log-entry', line));
  const common = {
    ...process.env,
    METADATA_SERVER_DETECTION: 'none',
    // Half of a start is compiling Google's clients; Node keeps the result here.
    NODE_COMPILE_CACHE: fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url)),
  };
  const environment = {
    GOOGLE_CLOUD_PROJECT: PROJECT,
    LOCAL_PUBSUB: `127.0.0.1:${ports.pubsub}`,
    LOCAL_BIGQUERY: `127.0.0.1:${ports.bigquery}`,
    LOCAL_BIGQUERY_STORAGE: `127.0.0.1:${ports.bigqueryGrpc}`,
    LOCAL_STORAGE: `127.0.0.1:${ports.storage}`,
    LOCAL_TOKEN_ISSUER: `http://127.0.0.1:${ports.googleApis}`,
    LOCAL_MONITORING: `127.0.0.1:${ports.monitoring}`,
    LOCAL_GOOGLE_APIS: `127.0.0.1:${ports.googleApis}`,
    LOCAL_ANALYTICS_ADMIN: `127.0.0.1:${ports.adminApi}`,
  };
  const files = {
    dataDir,
    dataset: DATASET,
    settings: options.settings === undefined ? undefined : resolve(options.settings),
  };
  const variablesOf = (deployable: Deployable): Readonly<Record<string, string>> => ({
    GOOGLE_CLOUD_PROJECT: PROJECT,
    ...deployable.environment,
    ...describeUses(deployable, files),
    ...triggerEnvironment(deployable, ports),
  });
  let faults = options.faults ?? {};

  const cloudOptions = (): CloudOptions => ({
    project: PROJECT,
    dataset: DATASET,
    dataDir,
    ports,
    queues: deployables.flatMap((it) => queueOf(it, ports)),
    jobs: deployables.flatMap((it) => jobsOf(it, ports)),
    buckets: Object.values(BUCKETS),
    runWhenRowsCome: deployables.some(({ name }) => name === FOLD)
      ? [{ job: FOLD_JOB, table: 'state_log', everyMs: FOLD_EVERY_MS }]
      : [],
    faults,
    timeScale: options.timeScale ?? 1,
  });
  const cloud = supervise(
    {
      name: 'cloud',
      script: fileURLToPath(new URL('cloud.ts', import.meta.url)),
      args: () => [JSON.stringify(cloudOptions())],
      environment: common,
      async untilServing(child, ended) {
        await once(child, 'message', { signal: ended });
      },
    },
    report,
  );
  const functions = deployables.map((deployable) => {
    const folder = join(built, deployable.name);
    const port = portOf(deployable, ports);
    return supervise(
      {
        name: deployable.name,
        script: join(folder, 'node_modules/.bin/functions-framework'),
        cwd: folder,
        environment: {
          ...common,
          ...environment,
          ...laptopEnvironment,
          FUNCTION_TARGET: deployable.name,
          PORT: String(port),
          HOST:
            deployable.trigger === 'http' && deployable.public ? (options.host ?? '127.0.0.1') : '127.0.0.1',
          ...variablesOf(deployable),
          ...options.environment?.[deployable.name],
        },
        untilServing: (_child, ended) => untilListening(port, ended),
      },
      (event) => {
        metrics.observe(event);
        report(event);
      },
    );
  });
  const all = new Map([cloud, ...functions].map((it) => [it.name, it]));
  const find = (name: string): Supervised => {
    const found = all.get(name);
    if (found === undefined)
      throw new Error(`There is no ${name}; the processes are ${[...all.keys()].join(', ')}.`);
    return found;
  };
  const abandon = () => {
    metrics.stop();
    for (const it of all.values()) it.abandon();
  };
  const control = async (path: string, body?: object, withinMs = 30_000): Promise<unknown> => {
    const response = await fetch(`${environment.LOCAL_TOKEN_ISSUER}/_local/${path}`, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(withinMs),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(JSON.stringify(answer));
    return answer;
  };
  // The shape is that of the same repository's Pub/Sub.
  const counts = async () => (await control('counts')) as Counts;
  const backlog = async () => {
    const { subscriptions } = await counts();
    return deployables.reduce((sum, it) => {
      if (it.trigger !== 'push') return sum;
      return sum + (subscriptions[`projects/${PROJECT}/subscriptions/${it.subscription}`]?.backlog ?? 0);
    }, 0);
  };
  const stopAll = (names: readonly Deployable[]) =>
    Promise.all(names.map(({ name }) => find(name).stop(GRACE_MS)));

  let closing: Promise<Drained> | undefined;
  const close = async (drainMs: number) => {
    const isFirst = ({ trigger }: Deployable) => trigger === 'http';
    await stopAll(deployables.filter(isFirst));
    const undelivered = await untilEmpty(backlog, drainMs);
    await stopAll(deployables.filter((it) => !isFirst(it)));
    metrics.stop();
    await cloud.stop(GRACE_MS);
    return { undelivered };
  };

  try {
    await Promise.all([...all.values()].map((it) => it.serving()));
  } catch (error) {
    abandon();
    throw error;
  }
  return {
    ports,
    urls: {
      ingest: `http://127.0.0.1:${ports.functions.ingest}`,
      replay: `http://127.0.0.1:${ports.functions.replay}`,
      fold: `http://127.0.0.1:${ports.functions.fold}`,
      permissions: `http://127.0.0.1:${ports.functions.permissions}`,
      reports: `http://127.0.0.1:${ports.functions['reports-poll']}`,
      bigquery: `http://127.0.0.1:${ports.bigquery}`,
      storage: `http://127.0.0.1:${ports.storage}`,
      googleApis: environment.LOCAL_TOKEN_ISSUER,
    },
    environment,
    variables: Object.fromEntries(deployables.map((it) => [it.name, variablesOf(it)])),
    async serving(name) {
      await Promise.all((name === undefined ? [...all.values()] : [find(name)]).map((it) => it.serving()));
    },
    pid: (name) => find(name).pid(),
    kill: (name, signal = 'SIGKILL') => find(name).kill(signal),
    async restart(name) {
      await find(name).kill('SIGTERM');
      await find(name).serving();
    },
    // The job's own deadline ends it before this does.
    runJob: async (name) => (await control('run-job', { name }, 600_000)) as JobRun,
    jobs: async () => (await control('jobs')) as Job[],
    async token(audience, email = OPERATOR_ACCOUNT) {
      const { token } = (await control('token', { audience, email })) as { token: string };
      return token;
    },
    async setFaults(given) {
      faults = {
        pubsub: { ...faults.pubsub, ...given.pubsub },
        bigquery: { ...faults.bigquery, ...given.bigquery },
        storage: { ...faults.storage, ...given.storage },
      };
      await cloud.serving();
      await control('faults', given);
    },
    counts,
    backlog,
    close({ drainMs = 5_000 } = {}) {
      closing ??= close(drainMs);
      return closing;
    },
    abandon,
  };
}

function chooseDeployables(names: readonly string[] | undefined): readonly Deployable[] {
  const all = readDeployables();
  if (names === undefined) return all;
  const unknown = names.find((wanted) => !all.some(({ name }) => name === wanted));
  if (unknown !== undefined) throw new Error(`infra/functions.json has no function ${unknown}.`);
  return all.filter(({ name }) => names.includes(name));
}

async function choosePorts(deployables: readonly Deployable[]): Promise<Ports> {
  const [pubsub, bigquery, bigqueryGrpc, storage, googleApis, monitoring, adminApi, ...others] =
    await findFreePorts(7 + deployables.length);
  return {
    pubsub: pubsub!,
    bigquery: bigquery!,
    bigqueryGrpc: bigqueryGrpc!,
    storage: storage!,
    googleApis: googleApis!,
    monitoring: monitoring!,
    adminApi: adminApi!,
    functions: Object.fromEntries(deployables.map(({ name }, index) => [name, others[index]!])),
  };
}

async function untilEmpty(backlog: () => Promise<number>, withinMs: number): Promise<number | undefined> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    // A cloud process that is just being restarted answers nothing: what it holds is then unknown, not none.
    const left = await backlog().catch(() => undefined);
    if (left === 0 || Date.now() >= deadline) return left;
    await wait(50);
  }
}
