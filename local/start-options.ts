import { existsSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readDeployables } from '../shared/deployables.ts';

export interface StartOptions {
  dataDir: string;
  ports: Record<NamedPort, number>;
  ingestHost: string;
  settings: string | undefined;
  sample: boolean;
  exit: boolean;
  quiet: boolean;
}

export type ParsedStart =
  | { kind: 'options'; options: StartOptions }
  | { kind: 'help'; text: string }
  | { kind: 'invalid'; message: string };

/** Every port that can be chosen. */
export const namedPorts = {
  ingest: { flag: 'ingest-port', variable: 'INGEST_PORT', default: functionPort('ingest') },
  permissions: {
    flag: 'permissions-port',
    variable: 'PERMISSIONS_PORT',
    default: functionPort('permissions'),
  },
  replay: { flag: 'replay-port', variable: 'REPLAY_PORT', default: functionPort('replay') },
  fold: { flag: 'fold-port', variable: 'FOLD_PORT', default: functionPort('fold') },
  reports: { flag: 'reports-port', variable: 'REPORTS_PORT', default: functionPort('reports-poll') },
  pubsub: { flag: 'pubsub-port', variable: 'PUBSUB_PORT', default: 8085 },
  bigquery: { flag: 'bigquery-port', variable: 'BIGQUERY_PORT', default: 9050 },
  bigqueryGrpc: { flag: 'bigquery-grpc-port', variable: 'BIGQUERY_GRPC_PORT', default: 9060 },
  storage: { flag: 'storage-port', variable: 'STORAGE_PORT', default: 9065 },
  googleApis: { flag: 'google-apis-port', variable: 'GOOGLE_APIS_PORT', default: 9070 },
  monitoring: { flag: 'monitoring-port', variable: 'MONITORING_PORT', default: 9075 },
  adminApi: { flag: 'admin-api-port', variable: 'ADMIN_API_PORT', default: 9080 },
} as const;

export type NamedPort = keyof typeof namedPorts;

export const HELP = `Runs Tributary on this machine, without Google Cloud: a local Pub/Sub, BigQuery and Cloud Storage, and every function.

Usage: npm start [-- FLAGS]

  --data DIR                  where everything is kept            TRIBUTARY_DATA      .tributary
  --settings FILE             the settings of projects            SETTINGS            settings.json in --data, if there
  --sample                    send sample traffic and show what became of it
  --exit                      with --sample: stop after showing it
  --quiet                     print warnings and errors only
  --ingest-port NUMBER        where SDKs send to                  INGEST_PORT         8080
  --ingest-host ADDRESS       0.0.0.0 to be reached from phones   INGEST_HOST         127.0.0.1
  --permissions-port NUMBER   the private function permissions    PERMISSIONS_PORT    8081
  --replay-port NUMBER        the private function replay         REPLAY_PORT         8082
  --fold-port NUMBER          the private function fold           FOLD_PORT           8083
  --reports-port NUMBER       the private function reports-poll   REPORTS_PORT        8084
  --pubsub-port NUMBER        Pub/Sub, gRPC                       PUBSUB_PORT         8085
  --bigquery-port NUMBER      BigQuery, REST                      BIGQUERY_PORT       9050
  --bigquery-grpc-port NUMBER BigQuery Storage Write, gRPC        BIGQUERY_GRPC_PORT  9060
  --storage-port NUMBER       Cloud Storage, REST                 STORAGE_PORT        9065
  --google-apis-port NUMBER   Google's REST APIs, tokens          GOOGLE_APIS_PORT    9070
  --monitoring-port NUMBER    Cloud Monitoring, gRPC              MONITORING_PORT     9075
  --admin-api-port NUMBER     Analytics Admin API, gRPC           ADMIN_API_PORT      9080
  --help                      this text

A flag wins over its variable. Ctrl-C drains and stops; what is not yet loaded then is loaded at the next start.
`;

/** Reads flags, then environment variables, then defaults; a message names the flag and the variable it is about. */
export function parseStart(args: string[], environment: NodeJS.ProcessEnv): ParsedStart {
  const parsed = readFlags(args);
  if (parsed.kind === 'invalid') return parsed;
  const { values } = parsed;
  if (values.help) return { kind: 'help', text: HELP };
  const problems: string[] = [];

  const given = (flag: keyof typeof values & string, variable: string): string | undefined => {
    const value = values[flag];
    return typeof value === 'string' ? value : environment[variable] || undefined;
  };
  const port = (name: NamedPort): number => {
    const { flag, variable, default: standard } = namedPorts[name];
    const value = given(flag, variable);
    if (value === undefined) return standard;
    if (/^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535) return Number(value);
    problems.push(
      `--${flag} (${variable}) must be a whole number from 1 to 65535, not ${JSON.stringify(value)}.`,
    );
    return standard;
  };
  const names = Object.keys(namedPorts) as NamedPort[];
  const ports = Object.fromEntries(names.map((name) => [name, port(name)])) as Record<NamedPort, number>;
  const owners = new Map<number, string>();
  for (const name of names) {
    const number = ports[name];
    const other = owners.get(number);
    if (other !== undefined) {
      problems.push(`--${namedPorts[name].flag} must differ from --${other}; both are ${number}.`);
    }
    owners.set(number, namedPorts[name].flag);
  }

  const dataDir = given('data', 'TRIBUTARY_DATA') ?? '.tributary';
  if (existsSync(dataDir) && !statSync(dataDir).isDirectory()) {
    problems.push(`--data (TRIBUTARY_DATA) must be a folder; ${dataDir} is a file.`);
  }
  const settings = given('settings', 'SETTINGS');
  if (settings !== undefined && !existsSync(settings)) {
    problems.push(`--settings (SETTINGS) must be an existing file; there is no ${settings}.`);
  }
  if (values.exit && !values.sample) problems.push('--exit needs --sample.');
  if (problems.length > 0) return { kind: 'invalid', message: problems.join('\n') };
  return {
    kind: 'options',
    options: {
      dataDir,
      ports,
      ingestHost: given('ingest-host', 'INGEST_HOST') ?? '127.0.0.1',
      settings,
      sample: values.sample ?? false,
      exit: values.exit ?? false,
      quiet: values.quiet ?? false,
    },
  };
}

/** What is said when a port is taken. */
export function describeTaken(name: NamedPort, port: number): string {
  const { flag, variable } = namedPorts[name];
  return `Port ${port} is taken: is npm start running already? Another one is chosen with --${flag} (${variable}).`;
}

const text = { type: 'string' } as const;
const portFlags = Object.fromEntries(Object.values(namedPorts).map(({ flag }) => [flag, text])) as Record<
  (typeof namedPorts)[NamedPort]['flag'],
  typeof text
>;

function flagsOf(args: string[]) {
  const yes = { type: 'boolean' } as const;
  return parseArgs({
    args,
    options: {
      data: text,
      settings: text,
      sample: yes,
      exit: yes,
      quiet: yes,
      help: { type: 'boolean', short: 'h' },
      'ingest-host': text,
      ...portFlags,
    },
  }).values;
}

function readFlags(
  args: string[],
): { kind: 'flags'; values: ReturnType<typeof flagsOf> } | { kind: 'invalid'; message: string } {
  try {
    return { kind: 'flags', values: flagsOf(args) };
  } catch (error) {
    return { kind: 'invalid', message: `${error instanceof Error ? error.message : error}\n\n${HELP}` };
  }
}

function functionPort(wanted: string): number {
  const found = readDeployables().find(({ name }) => name === wanted);
  if (found?.trigger !== 'http')
    throw new Error(`infra/functions.json has no function ${wanted} with a port.`);
  return found.port;
}
