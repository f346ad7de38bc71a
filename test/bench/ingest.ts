import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PubSub } from '@google-cloud/pubsub';
import { type Figures, median, printFigures } from './ingest-figures.ts';
import { post } from './load-generator.ts';
import { environmentOf, type Measured, startMeasured } from './processes.ts';
import { countSizedMessages } from './sized-messages.ts';
import { allTraffic, type SizedTraffic, sizedTraffic, sizes, type Traffic } from './traffic.ts';
import { describeMachine, writeFigures } from './write-figures.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '20000' },
    warm: { type: 'string', default: '3000' },
    rounds: { type: 'string', default: '3' },
    soak: { type: 'string', default: '60' },
    only: { type: 'string' },
    dist: { type: 'string', default: 'dist/ingest' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run bench:ingest [-- --requests 20000 --warm 3000 --rounds 3 --soak 60 --only NAME --dist dist/ingest]

CPU per event of dist/ingest doing all of it (decode, validate, encode, publish to a Pub/Sub in another process), for each
form in which each dialect is sent, beside a bare node:http server that only opens and parses the same bytes. What is sent
as Analysys also goes to the stock functions-framework, which parses as little. 20 events a request, but for the forms
\`sized\`, which only ingest gets: they are what \`npm run cost\` is fitted to, and written to test/bench/data-path.json.
  --requests   requests per server, form and round
  --warm       requests before those that are measured
  --rounds     the servers take turns; the median is shown
  --soak       seconds of load after which the memory of dist/ingest is read
  --only       only forms whose name begins so: ${allTraffic(1, 1)
    .map(({ name }) => name)
    .join(', ')}, sized
  --dist       where ingest was built to`);
  process.exit(0);
}

const eventsPerRequest = 20;
const requests = Number(values.requests);
const rounds = Number(values.rounds);
const root = resolve(import.meta.dirname, '../..');
const dist = resolve(root, values.dist);
const sizedForms = sizes.map(([events, bytes]) => sizedTraffic(Math.ceil(1000 / events), events, bytes));
const forms = [...allTraffic(50, eventsPerRequest), ...sizedForms].filter(({ name }) =>
  name.startsWith(values.only ?? ''),
);
const [soaked] = forms;
if (soaked === undefined) throw new Error(`no form's name begins with ${values.only}; see --help`);

const broker = fork(resolve(import.meta.dirname, 'pubsub-process.ts'), { serialization: 'json' });
const [{ port: brokerPort }] = (await once(broker, 'message')) as [{ port: number }];
const pubsub = new PubSub({ projectId: 'local', apiEndpoint: `127.0.0.1:${brokerPort}`, emulatorMode: true });
const [topic] = await pubsub.createTopic('events');
const [counting] = await topic.createSubscription('counting');
let published = 0;

interface Server {
  readonly name: string;
  takes(form: Traffic): boolean;
  start(): Promise<Measured>;
}

const bare: Server = {
  name: 'node:http, open and parse',
  takes: ({ name }) => !name.startsWith('sized'),
  start: () => startMeasured([resolve(import.meta.dirname, 'bare-server.ts')], {}),
};
const framework: Server = {
  name: 'functions-framework, open and parse',
  takes: ({ name }) => name.startsWith('analysys'),
  start: () =>
    startMeasured(
      [
        resolve(root, 'node_modules/.bin/functions-framework'),
        `--source=${resolve(import.meta.dirname, 'framework-handler.ts')}`,
      ],
      { FUNCTION_TARGET: 'bare', NODE_ENV: 'production' },
      root,
    ),
};
const ingest: Server = {
  name: 'dist/ingest, all of it',
  takes: () => true,
  start: () =>
    startMeasured(
      [resolve(dist, 'node_modules/.bin/functions-framework')],
      {
        ...environmentOf('ingest'),
        FUNCTION_TARGET: 'ingest',
        GOOGLE_CLOUD_PROJECT: 'local',
        LOCAL_PUBSUB: `127.0.0.1:${brokerPort}`,
        // A machine that is busy otherwise must not end the measurement.
        PUBLISH_TIMEOUT_MS: '60000',
        NODE_ENV: 'production',
      },
      dist,
    ),
};

const answerBytes = new Map<string, number>();
const figures: Figures = { rows: new Map(), residentBytes: new Map() };
let expected = 0;
for (let round = 0; round < rounds; round++) {
  // A process for each form, so that none is served by what another made hot; the servers of one right after each other.
  for (const form of forms) {
    for (const server of [bare, framework, ingest]) {
      if (server.takes(form)) await measure(server, form, round);
    }
  }
}

printFigures(figures, bare.name, eventsPerRequest, rounds);
// Counted only now, so that the counting takes no CPU from what is measured.
const sizedMessages = countSizedMessages();
counting.on('message', (message) => {
  published += Number(message.attributes.count);
  sizedMessages.add(message);
  message.ack();
});
const deadline = Date.now() + 300_000;
while (published < expected && Date.now() < deadline) await new Promise((wait) => setTimeout(wait, 200));
console.log(`\nposted to dist/ingest ${expected} events, counted in the topic ${published}`);
const measuredSizes = sizedForms.filter(({ name }) => figures.rows.has(name));
if (published === expected && measuredSizes.length > 0) {
  writeFigures({
    ingest: {
      ...describeMachine(),
      of: 'events of Segment as analytics-node writes them, 32 connections',
      rounds,
      points: measuredSizes.map(describeSize),
    },
  });
}
await pubsub.close();
broker.kill();
process.exit(published === expected ? 0 : 1);

async function measure(server: Server, form: Traffic, round: number): Promise<void> {
  const running = await server.start();
  const load = { port: running.port, ...form, connections: 32 };
  // As many events for each size, but enough requests for the kernel's tick.
  const share = form.name.startsWith('sized')
    ? Math.max(0.2, eventsPerRequest / form.eventsPerRequest / 4)
    : 1;
  const warm = await post({ ...load, requests: Math.ceil(Number(values.warm) * share) });
  const before = running.cpuMicros();
  const { ok, failed, seconds, ...answers } = await post({ ...load, requests: Math.ceil(requests * share) });
  const micros = (running.cpuMicros() - before) / (ok * form.eventsPerRequest);
  answerBytes.set(form.name, answers.answerBytes / ok);
  if (failed + warm.failed > 0) {
    throw new Error(`${server.name}, ${form.name}: ${failed + warm.failed} requests failed`);
  }
  if (server === ingest) expected += (ok + warm.ok) * form.eventsPerRequest;
  const row = figures.rows.get(form.name) ?? new Map<string, number[]>();
  figures.rows.set(form.name, row);
  row.set(server.name, [...(row.get(server.name) ?? []), micros]);
  process.stderr.write(
    `round ${round + 1}: ${server.name}, ${form.name}: ${micros.toFixed(2)} µs/event, ${Math.round(ok / seconds)} requests/s\n`,
  );
  const until = Date.now() + Number(values.soak) * 1000;
  const isSoaked = server === ingest && form === soaked && round === rounds - 1;
  while (isSoaked && Date.now() < until) {
    const more = await post({ ...load, requests: 5000 });
    if (more.failed > 0) throw new Error(`${more.failed} requests failed in the soak`);
    expected += more.ok * form.eventsPerRequest;
  }
  if (form === soaked) figures.residentBytes.set(server.name, running.residentBytes());
  await running.stop();
}

function describeSize({ name, eventsPerRequest: events, eventBytes }: SizedTraffic) {
  const cpu = figures.rows.get(name)?.get(ingest.name) ?? [];
  return {
    events,
    eventBytes,
    cpuMicros: Math.round(median(cpu) * events * 10) / 10,
    answerBytes: Math.round(answerBytes.get(name) ?? 0),
    ...sizedMessages.read(name),
  };
}
