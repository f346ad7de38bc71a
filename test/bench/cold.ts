import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { loadavg } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readDeployables } from '../../shared/deployables.ts';
import { post } from '../http-post.ts';
import { cpuMicros, environmentOf, freePort, residentBytes } from './processes.ts';
import { analysysBodies } from './traffic.ts';

const HELP = `Usage: npm run bench:cold [-- --runs 7] [--only NAME]

What a cold start costs: milliseconds from spawning each function of dist, through the host that it is deployed on, to its
first 200, with the CPU that it took and its memory then. Of ingest that is the answer for 20 events that Pub/Sub (in
another process) has acknowledged, of the others that of GET /healthz. Beside them node:http alone, and the server of
the other benches, which inflates and parses and is started from TypeScript. The median is what counts; on a machine that
has other things to do the CPU is. Builds nothing: npm run build before.
`;

/** What functions ask for before they start. Nothing of it is called before the first answer. */
const configuration = {
  GOOGLE_CLOUD_PROJECT: 'local',
  LOCAL_BIGQUERY_STORAGE: '127.0.0.1:1',
  PUSH_AUDIENCE: 'http://127.0.0.1',
  PUSH_SERVICE_ACCOUNT: 'push@local.test',
  SPILL_BUCKET: 'tributary-spill',
  FOLD_BUCKET: 'tributary-fold',
  REPORTS_BUCKET: 'tributary-reports',
  ACCESS_BUCKET: 'tributary-access',
  POLICY: resolve(import.meta.dirname, '../../local/access-policy.json'),
  GOOGLE_ACCOUNT: 'permissions@local.test',
  AUDIENCE: 'http://127.0.0.1',
  CALLERS: 'scheduler@local.test,operator@local.test',
  METADATA_SERVER_DETECTION: 'none',
  NODE_ENV: 'production',
};

/** What nothing on Node can be faster than. */
const BARE = `require('node:http').createServer((_, answer) => answer.end()).listen(process.env.PORT, '127.0.0.1')`;

interface Subject {
  name: string;
  args: readonly string[];
  cwd: string;
  environment: NodeJS.ProcessEnv;
  /** Asks once; throws ECONNREFUSED while nothing listens. */
  ask(origin: string): Promise<{ status: number; body: string }>;
}

interface Start {
  milliseconds: number;
  cpuMilliseconds: number;
  megabytes: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '7' },
      only: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const broker = fork(resolve(import.meta.dirname, 'pubsub-process.ts'));
  const [{ port }] = (await once(broker, 'message')) as [{ port: number }];
  broker.send({ createTopic: 'events' });
  await once(broker, 'message');
  const subjects = listSubjects(port).filter(
    ({ name }) => values.only === undefined || name.includes(values.only),
  );
  const load = loadavg()[0] ?? 0;
  const taken = new Map<string, Start[]>();
  for (let run = 0; run < Number(values.runs); run++) {
    for (const subject of subjects)
      taken.set(subject.name, [...(taken.get(subject.name) ?? []), await startCold(subject)]);
  }
  broker.kill();
  print(taken);
  console.log(`load average at the beginning: ${load.toFixed(1)}`);
}

function listSubjects(pubsubPort: number): Subject[] {
  const root = resolve(import.meta.dirname, '../..');
  const [body] = analysysBodies(1, 20).gzip;
  const publish = (origin: string) => post(`${origin}/up`, body!, 10_000);
  return [
    {
      name: 'node:http alone',
      args: ['-e', BARE],
      cwd: root,
      environment: {},
      ask: (origin) => get(origin),
    },
    {
      name: 'node:http, inflate and parse',
      args: [resolve(import.meta.dirname, 'bare-server.ts')],
      cwd: root,
      environment: {},
      ask: publish,
    },
    ...readDeployables().map(({ name, host }) => {
      const cwd = resolve(root, 'dist', name);
      return {
        name: `${name}, ${name === 'ingest' ? 'published' : 'healthz'}, ${host === 'own' ? 'shared/host' : 'framework'}`,
        args: [resolve(cwd, 'node_modules/.bin/functions-framework'), `--source=${cwd}`],
        cwd,
        environment: {
          ...configuration,
          ...environmentOf(name),
          FUNCTION_TARGET: name,
          LOCAL_PUBSUB: `127.0.0.1:${pubsubPort}`,
        },
        ask: name === 'ingest' ? publish : (origin: string) => get(`${origin}/healthz`),
      };
    }),
  ];
}

async function startCold({ args, cwd, environment, ask }: Subject): Promise<Start> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...environment, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await untilAccepted(() => ask(`http://127.0.0.1:${port}`), child);
  const milliseconds = performance.now() - began;
  const pid = child.pid ?? 0;
  const start = {
    milliseconds,
    cpuMilliseconds: cpuMicros(pid) / 1000,
    megabytes: residentBytes(pid) / 1e6,
  };
  child.kill('SIGKILL');
  await once(child, 'exit');
  return start;
}

/** Tries every few milliseconds, as a load balancer with a request in hand does. */
async function untilAccepted(
  ask: () => Promise<{ status: number; body: string }>,
  child: ChildProcess,
): Promise<void> {
  for (;;) {
    try {
      const answer = await ask();
      if (answer.status === 200) return;
      throw new Error(`answered ${answer.status} ${answer.body}`);
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'ECONNREFUSED') throw error;
      if (child.exitCode !== null) throw new Error(`exited with ${child.exitCode}`, { cause: error });
      await new Promise((wait) => setTimeout(wait, 3));
    }
  }
}

function get(url: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

function print(taken: ReadonlyMap<string, readonly Start[]>): void {
  const heads = ['least', 'median', 'most', 'CPU ms', 'MB'];
  console.log('ms to the first 200'.padEnd(40) + heads.map((it) => it.padStart(8)).join(''));
  for (const [name, starts] of taken) {
    const sorted = (of: keyof Start) => starts.map((it) => it[of]).sort((one, other) => one - other);
    const median = (of: keyof Start) => sorted(of)[Math.floor(starts.length / 2)] ?? 0;
    const times = sorted('milliseconds');
    const cells = [
      times[0] ?? 0,
      median('milliseconds'),
      times.at(-1) ?? 0,
      median('cpuMilliseconds'),
      median('megabytes'),
    ];
    console.log(name.padEnd(40) + cells.map((it) => Math.round(it).toString().padStart(8)).join(''));
  }
}

await main();
