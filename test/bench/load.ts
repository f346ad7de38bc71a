import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { packMessages } from '../../shared/batches/pack-messages.ts';
import { createOrdinals, describeRequest, encodeEvent } from '../../shared/events/encode-event.ts';
import { defaultTimeWindow, type Event } from '../../shared/events/event.ts';
import { createBigQuery } from '../../shared/google/bigquery.ts';
import { encodeEventBatch } from '../../shared/warehouse/event-batch.ts';
import { createRowBuffer } from '../../shared/warehouse/row-buffer.ts';
import { analysys } from '../../shared/wire/analysys/decode.ts';
import type { WireDialect } from '../../shared/wire/dialect.ts';
import { segment } from '../../shared/wire/segment/decode.ts';
import { post } from './load-generator.ts';
import { environmentOf, type Measured, startMeasured } from './processes.ts';
import { analysysBodies, sizedTraffic, sizes } from './traffic.ts';
import { describeMachine, writeFigures } from './write-figures.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run bench:load [-- --rows 200000 --rounds 3 --only sized]

CPU per row and rows per second from push envelope to acknowledged append: dist/load with encoded rows, beside the
client's own JSONWriter fed from the same rows as JSON, both with the token verified, 20 and 100 rows a message.
  --rows     rows per server, message size and round
  --rounds   the servers take turns; the median is shown
  --only     sized: only what \`npm run cost\` is fitted to, dist/load with the messages that ingest makes of 1, 20 and 100
             events, which is written to test/bench/data-path.json; beside: only the comparison`);
  process.exit(0);
}

const rows = Number(values.rows);
const root = resolve(import.meta.dirname, '../..');
const account = 'push@local.test';
const storage = fork(resolve(import.meta.dirname, 'bigquery-process.ts'));
const [{ restPort, grpcPort, issuer, token }] = (await once(storage, 'message')) as [
  { restPort: number; grpcPort: number; issuer: string; token: string },
];
const bigquery = createBigQuery('local', { LOCAL_BIGQUERY: `127.0.0.1:${restPort}` });
const environment = {
  LOCAL_TOKEN_ISSUER: issuer,
  PUSH_AUDIENCE: 'http://load',
  PUSH_SERVICE_ACCOUNT: account,
  METADATA_SERVER_DETECTION: 'none',
  NODE_ENV: 'production',
};

const loadName = 'dist/load, encoded rows';
const servers: Record<
  string,
  { start: () => Promise<Measured>; data: (events: readonly Event[]) => Buffer }
> = {
  'JSONWriter, rows as JSON': {
    start: () =>
      startMeasured([resolve(import.meta.dirname, 'json-writer-server.ts')], {
        ...environment,
        STORAGE_PORT: String(grpcPort),
      }),
    data: (events) => gzipSync(JSON.stringify(events.map(jsonRow)), { level: 1 }),
  },
  [loadName]: {
    start: () =>
      startMeasured(
        [resolve(root, 'dist/load/node_modules/.bin/functions-framework')],
        {
          ...environment,
          ...environmentOf('load'),
          FUNCTION_TARGET: 'load',
          GOOGLE_CLOUD_PROJECT: 'local',
          LOCAL_BIGQUERY_STORAGE: `127.0.0.1:${grpcPort}`,
        },
        resolve(root, 'dist/load'),
      ),
    data: (events) =>
      gzipSync(encodeEventBatch({ events: encodeRows(events), quarantine: [], state: [], stateOnly: [] }), {
        level: 1,
      }),
  },
};

const figures = new Map<string, { cpu: number[]; rate: number[] }>();
let expected = 0;
for (let round = 0; round < Number(values.rounds); round++) {
  for (const perMessage of values.only === 'sized' ? [] : [20, 100]) {
    for (const [name, { start, data }] of Object.entries(servers)) {
      const bodies = messages(perMessage).map((events) => envelope(data(events), events.length));
      await measure(`${perMessage} ${name}`, start, bodies, perMessage, rows);
    }
  }
  for (const [perMessage, bytes] of values.only === 'beside' ? [] : sizes) {
    const bodies = sizedEnvelopes(perMessage, bytes);
    // Messages of one row are dear, and no more of them are needed.
    const count = perMessage === 1 ? Math.ceil(rows / 10) : rows;
    await measure(sizeKey(perMessage, bytes), servers[loadName]!.start, bodies, perMessage, count);
  }
}

const [[counted]] = await bigquery.query('SELECT COUNT(*) AS n FROM tributary.event_log');
if (Number(counted.n) === expected && values.only !== 'beside') {
  writeFigures({
    load: {
      ...describeMachine(),
      of: 'messages of ingest, 32 pushes at once',
      rounds: Number(values.rounds),
      points: sizes.map(([perMessage, eventBytes]) => ({
        rows: perMessage,
        eventBytes,
        cpuMicros:
          Math.round(median(figures.get(sizeKey(perMessage, eventBytes))!.cpu) * perMessage * 10) / 10,
      })),
    },
  });
}
console.log(`\nmedian of ${values.rounds}\n`);
console.log(
  `${'rows a message'.padEnd(15)} ${'server'.padEnd(28)} ${'CPU µs/row'.padStart(10)} ${'rows/s'.padStart(8)} ${'less CPU'.padStart(9)}`,
);
for (const perMessage of values.only === 'sized' ? [] : [20, 100]) {
  for (const name of Object.keys(servers)) {
    const { cpu, rate } = figures.get(`${perMessage} ${name}`)!;
    const base = median(figures.get(`${perMessage} ${Object.keys(servers)[0]}`)!.cpu);
    console.log(
      `${String(perMessage).padEnd(15)} ${name.padEnd(28)} ${median(cpu).toFixed(2).padStart(10)} ${Math.round(median(rate)).toString().padStart(8)} ${`${(base / median(cpu)).toFixed(1)}x`.padStart(9)}`,
    );
  }
}
console.log(`\npushed ${expected} rows, in event_log ${counted.n}`);
storage.kill();
process.exit(Number(counted.n) === expected ? 0 : 1);

async function measure(
  key: string,
  start: () => Promise<Measured>,
  bodies: readonly Buffer[],
  perMessage: number,
  count: number,
): Promise<void> {
  const server = await start();
  const load = {
    port: server.port,
    path: '/',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    bodies,
    connections: 32,
  };
  const warm = await post({ ...load, requests: Math.ceil(Math.min(20_000 / perMessage, 3_000)) });
  const before = server.cpuMicros();
  const { ok, failed, seconds } = await post({ ...load, requests: Math.ceil(count / perMessage) });
  const cpu = (server.cpuMicros() - before) / (ok * perMessage);
  if (failed + warm.failed > 0) throw new Error(`${key}: ${failed + warm.failed} pushes were refused`);
  expected += (ok + warm.ok) * perMessage;
  await server.stop();
  const figure = figures.get(key) ?? { cpu: [], rate: [] };
  figures.set(key, { cpu: [...figure.cpu, cpu], rate: [...figure.rate, (ok * perMessage) / seconds] });
  process.stderr.write(`${key}: ${cpu.toFixed(2)} µs/row\n`);
}

function sizeKey(perMessage: number, eventBytes: number): string {
  return `${perMessage} rows of ${eventBytes} bytes`;
}

/** Pushes of the messages that ingest would have made. */
function sizedEnvelopes(perMessage: number, eventBytes: number): Buffer[] {
  const { path, bodies, headers } = sizedTraffic(20, perMessage, eventBytes);
  return bodies.map((body) => {
    const events = decode(segment, path, body, headers);
    const batch = { events: encodeRows(events), quarantine: [], state: [], stateOnly: [] };
    const [message] = packMessages(batch, { batchId: 'b'.repeat(32), dialect: 'segment', project: 'shop' });
    if (message === undefined) throw new Error('a request without events');
    return pushOf(message.data, message.attributes);
  });
}

/** Twenty different messages of decoded events. */
function messages(perMessage: number): Event[][] {
  return analysysBodies(20, perMessage).plain.map((body) => decode(analysys, '/up', body, {}));
}

function decode(
  dialect: WireDialect,
  path: string,
  body: Buffer,
  headers: Readonly<Record<string, string>>,
): Event[] {
  const decoded = dialect.decode(
    {
      method: 'POST',
      path,
      query: '',
      header: (name) => headers[Object.keys(headers).find((it) => it.toLowerCase() === name) ?? ''],
      body,
      receivedAt: Date.now() * 1000,
    },
    { window: defaultTimeWindow, inflatedBytes: 10_000_000, eventsPerRequest: 1000 },
  );
  if (decoded.kind !== 'items') throw new Error(decoded.refusal.detail);
  return decoded.items.flatMap((item) => (item.kind === 'event' ? [item.event] : []));
}

function encodeRows(events: readonly Event[]): Buffer[] {
  const buffer = createRowBuffer();
  const facts = describeRequest('b'.repeat(32), 'c'.repeat(64), Date.now() * 1000);
  const ordinals = createOrdinals();
  return events.map((event, place) => {
    const start = buffer.length;
    encodeEvent(buffer, event, place, facts, ordinals);
    return Buffer.from(buffer.bytes(start, buffer.length));
  });
}

/** The same row as JSONWriter takes it: column names, JSON as text, timestamps in microseconds. */
function jsonRow(event: Event, place: number): Record<string, unknown> {
  return {
    event_id: 'e'.repeat(32),
    request_hash: 'c'.repeat(64),
    project: event.project,
    dialect: event.dialect,
    kind: event.kind,
    name: event.name,
    anonymous_id: event.anonymousId,
    user_id: event.userId,
    occurred_at: event.occurredAt,
    time_source: event.timeSource,
    received_at: Date.now() * 1000,
    platform: event.platform,
    sdk: event.sdk,
    sdk_version: event.sdkVersion,
    debug: event.debug,
    properties: Buffer.from(event.properties).toString(),
    context: Buffer.from(event.context).toString(),
    warnings: event.warnings,
    batch_id: 'b'.repeat(32),
    batch_index: place,
  };
}

function envelope(data: Buffer, count: number): Buffer {
  const attributes = {
    batch_id: 'b'.repeat(32),
    dialect: 'analysys',
    project: 'shop',
    count: String(count),
    encoding: 'gzip',
    schema_version: '1',
  };
  return pushOf(data, attributes);
}

function pushOf(data: Buffer, attributes: Readonly<Record<string, string>>): Buffer {
  const message = {
    data: data.toString('base64'),
    attributes,
    messageId: '1',
    publishTime: new Date().toISOString(),
  };
  return Buffer.from(JSON.stringify({ message, subscription: 'projects/local/subscriptions/events-load' }));
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
