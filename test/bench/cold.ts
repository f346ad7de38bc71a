import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { post } from '../http-post.ts';
import { environmentOf, freePort } from './processes.ts';
import { analysysBodies } from './traffic.ts';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '7' }, help: { type: 'boolean', default: false } },
});
if (values.help) {
  console.log(`Usage: npm run bench:cold [-- --runs 7]

Milliseconds from spawning dist/ingest to its first 200 for 20 events that Pub/Sub (in another process) has
acknowledged, beside a bare node:http server that only inflates and parses. The median is what counts.`);
  process.exit(0);
}

const root = resolve(import.meta.dirname, '../..');
const [body] = analysysBodies(1, 20).gzip;
const broker = fork(resolve(import.meta.dirname, 'pubsub-process.ts'));
const [{ port: brokerPort }] = (await once(broker, 'message')) as [{ port: number }];
broker.send({ createTopic: 'events' });
await once(broker, 'message');

const servers: Record<string, { args: string[]; cwd: string; env: NodeJS.ProcessEnv }> = {
  'node:http, inflate and parse': {
    args: [resolve(import.meta.dirname, 'bare-server.ts')],
    cwd: root,
    env: {},
  },
  'dist/ingest, published': {
    args: [resolve(root, 'dist/ingest/node_modules/.bin/functions-framework')],
    cwd: resolve(root, 'dist/ingest'),
    env: {
      ...environmentOf('ingest'),
      FUNCTION_TARGET: 'ingest',
      GOOGLE_CLOUD_PROJECT: 'local',
      LOCAL_PUBSUB: `127.0.0.1:${brokerPort}`,
      NODE_ENV: 'production',
    },
  },
};
const taken = new Map<string, number[]>();
for (let run = 0; run < Number(values.runs); run++) {
  for (const [name, { args, cwd, env }] of Object.entries(servers)) {
    const port = await freePort();
    const began = performance.now();
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...process.env, ...env, PORT: String(port) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await untilAccepted(`http://127.0.0.1:${port}/up`);
    taken.set(name, [...(taken.get(name) ?? []), performance.now() - began]);
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
console.log(
  `${'ms to the first 200'.padEnd(32)} ${'least'.padStart(6)} ${'median'.padStart(7)} ${'most'.padStart(6)}`,
);
for (const [name, times] of taken) {
  const sorted = times.sort((a, b) => a - b);
  const cells = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  console.log(
    `${name.padEnd(32)} ${cells
      .map((cell, index) =>
        Math.round(cell ?? 0)
          .toString()
          .padStart(index === 1 ? 7 : 6),
      )
      .join(' ')}`,
  );
}
broker.kill();
process.exit(0);

/** Tries every few milliseconds, as a load balancer with a request in hand does. */
async function untilAccepted(url: string): Promise<void> {
  for (;;) {
    try {
      const answer = await post(url, body!, 10_000);
      if (answer.status === 200) return;
      throw new Error(`answered ${answer.status} ${answer.body}`);
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'ECONNREFUSED') throw error;
      await new Promise((wait) => setTimeout(wait, 3));
    }
  }
}
