import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PubSub } from '@google-cloud/pubsub';
import { post } from './load-generator.ts';
import { environmentOf, type Measured, startMeasured } from './processes.ts';
import { analysysBodies } from './traffic.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '3' },
    soak: { type: 'string', default: '60' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run bench:ingest [-- --requests 20000 --rounds 3 --soak 60]

CPU per event of dist/ingest doing all of it (decode, validate, encode, publish to a Pub/Sub in another process),
beside a bare node:http server and the stock functions-framework that only inflate and parse. 20 events a request.
  --requests   requests per server, body form and round
  --rounds     the servers take turns; the median is shown
  --soak       seconds of load after which the memory of dist/ingest is read`);
  process.exit(0);
}

const eventsPerRequest = 20;
const requests = Number(values.requests);
const rounds = Number(values.rounds);
const root = resolve(import.meta.dirname, '../..');
const bodies = analysysBodies(50, eventsPerRequest);
const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };

const broker = fork(resolve(import.meta.dirname, 'pubsub-process.ts'), { serialization: 'json' });
const [{ port: brokerPort }] = (await once(broker, 'message')) as [{ port: number }];
const pubsub = new PubSub({ projectId: 'local', apiEndpoint: `127.0.0.1:${brokerPort}`, emulatorMode: true });
const [topic] = await pubsub.createTopic('events');
const [counting] = await topic.createSubscription('counting');
let published = 0;

const servers: Record<string, () => Promise<Measured>> = {
  'node:http, inflate and parse': () => startMeasured([resolve(import.meta.dirname, 'bare-server.ts')], {}),
  'functions-framework, inflate and parse': () =>
    startMeasured(
      [
        resolve(root, 'node_modules/.bin/functions-framework'),
        `--source=${resolve(import.meta.dirname, 'framework-handler.ts')}`,
      ],
      { FUNCTION_TARGET: 'bare', NODE_ENV: 'production' },
      root,
    ),
  'dist/ingest, all of it': () =>
    startMeasured(
      [resolve(root, 'dist/ingest/node_modules/.bin/functions-framework')],
      {
        ...environmentOf('ingest'),
        FUNCTION_TARGET: 'ingest',
        GOOGLE_CLOUD_PROJECT: 'local',
        LOCAL_PUBSUB: `127.0.0.1:${brokerPort}`,
        NODE_ENV: 'production',
      },
      resolve(root, 'dist/ingest'),
    ),
};

const figures = new Map<string, { plain: number[]; gzip: number[]; resident: number }>();
let expected = 0;
for (let round = 0; round < rounds; round++) {
  for (const [name, start] of Object.entries(servers)) {
    const server = await start();
    const figure = figures.get(name) ?? { plain: [], gzip: [], resident: 0 };
    figures.set(name, figure);
    for (const form of ['plain', 'gzip'] as const) {
      const load = { port: server.port, path: '/up', headers, bodies: bodies[form], connections: 32 };
      const warm = await post({ ...load, requests: 3000 });
      const before = server.cpuMicros();
      const { ok, failed, seconds } = await post({ ...load, requests });
      const micros = (server.cpuMicros() - before) / (ok * eventsPerRequest);
      if (failed + warm.failed > 0) throw new Error(`${name}: ${failed + warm.failed} requests failed`);
      if (name.startsWith('dist')) expected += (ok + warm.ok) * eventsPerRequest;
      figure[form].push(micros);
      process.stderr.write(
        `round ${round + 1}: ${name}, ${form}: ${micros.toFixed(2)} µs/event, ${Math.round(ok / seconds)} requests/s\n`,
      );
    }
    if (name.startsWith('dist') && round === rounds - 1) {
      const until = Date.now() + Number(values.soak) * 1000;
      while (Date.now() < until) {
        const { ok } = await post({
          port: server.port,
          path: '/up',
          headers,
          bodies: bodies.gzip,
          connections: 32,
          requests: 5000,
        });
        expected += ok * eventsPerRequest;
      }
    }
    figure.resident = server.residentBytes();
    await server.stop();
  }
}

const base = figures.get('node:http, inflate and parse')!;
console.log(
  `\n${eventsPerRequest} events a request; CPU per event in µs, median of ${rounds}; ratio to node:http\n`,
);
console.log(
  `${'server'.padEnd(40)} ${'plain'.padStart(8)} ${'ratio'.padStart(7)} ${'gzip'.padStart(8)} ${'ratio'.padStart(7)} ${'RSS MB'.padStart(8)}`,
);
for (const [name, { plain, gzip, resident }] of figures) {
  const cells = [
    median(plain),
    median(plain) / median(base.plain),
    median(gzip),
    median(gzip) / median(base.gzip),
  ];
  console.log(
    `${name.padEnd(40)} ${cells.map((cell, index) => cell.toFixed(2).padStart(index % 2 ? 7 : 8)).join(' ')} ${(resident / 1e6).toFixed(0).padStart(8)}`,
  );
}
// Counted only now, so that the counting takes no CPU from what is measured.
counting.on('message', (message) => {
  published += Number(message.attributes.count);
  message.ack();
});
const deadline = Date.now() + 300_000;
while (published < expected && Date.now() < deadline) await new Promise((wait) => setTimeout(wait, 200));
console.log(`\nposted to dist/ingest ${expected} events, counted in the topic ${published}`);
await pubsub.close();
broker.kill();
process.exit(published === expected ? 0 : 1);

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
