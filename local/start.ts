import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { readDeployables } from '../shared/deployables.ts';
import { createBigQuery } from '../shared/google/bigquery.ts';
import { type LocalCloud, type Ports, PROJECT, startLocal } from './index.ts';
import { findFreePorts, isPortFree } from './processes/ports.ts';
import { changeSampleAccess } from './sample/change-access.ts';
import { runSample } from './sample/index.ts';
import { pullSampleReports } from './sample/pull-reports.ts';
import { describeTaken, type NamedPort, parseStart, type StartOptions } from './start-options.ts';
import { styleOf } from './terminal/format-table.ts';
import { createLiveLines } from './terminal/live-lines.ts';
import { exitOnClosedOutput, writeOut } from './terminal/write-out.ts';

/** `npm start`: the local cloud in the foreground, until Ctrl-C. */
async function main(): Promise<void> {
  const parsed = parseStart(process.argv.slice(2), process.env);
  if (parsed.kind === 'help') return writeOut(parsed.text);
  if (parsed.kind === 'invalid') return refuse(parsed.message);
  const { options } = parsed;
  for (const [name, port] of Object.entries(options.ports) as [NamedPort, number][]) {
    const host = name === 'ingest' ? options.ingestHost : '127.0.0.1';
    if (!(await isPortFree(port, host))) return refuse(describeTaken(name, port));
  }
  const began = performance.now();
  const isNew = !existsSync(options.dataDir);
  const style = styleOf(process.stdout);
  const say = (text: string) => {
    if (!options.quiet) process.stdout.write(text);
  };
  const live = createLiveLines({
    write: (line) => process.stdout.write(`${line}\n`),
    color: style.color,
    quiet: options.quiet,
  });

  let isUp = false;
  const stopping = stopOnSignals();
  const starting = startLocal({
    dataDir: options.dataDir,
    ports: await allPorts(options),
    host: options.ingestHost,
    ...(options.settings === undefined ? {} : { settings: options.settings }),
    report: (event) => {
      // What a process says before it serves is in the error that it ends with.
      const isWorthIt = stopping.isStopping() ? event.kind === 'line' && event.stream === 'stderr' : isUp;
      if (isWorthIt) live(event);
    },
  });
  const cloud = await starting.catch((error: unknown) => {
    refuse(describeFailure(error, options));
    return undefined;
  });
  if (cloud === undefined) return;
  isUp = true;
  stopping.whenAsked(() => stop(cloud, say));

  say(describeUrls(cloud, options));
  say(`\nReady in ${((performance.now() - began) / 1000).toFixed(1)} s. Ctrl-C stops.\n\n`);
  if (options.sample) await sample(cloud, options, stopping);
  else if (isNew) say(describeFirstSteps(cloud));
}

async function sample(cloud: LocalCloud, options: StartOptions, stopping: Stopping): Promise<void> {
  const isTerminal = process.stdout.isTTY;
  let shown = '';
  const shared = {
    bigquery: createBigQuery(PROJECT, { ...cloud.environment }),
    style: styleOf(process.stdout),
    write: (text: string) => process.stdout.write(text),
  };
  try {
    await runSample({
      ...shared,
      ingestUrl: cloud.urls.ingest,
      progress(text) {
        if (isTerminal) process.stdout.write(`\r\u001b[K${text}`);
        else if (text !== '' && shown === '') process.stdout.write(`${text}\n`);
        shown = text;
      },
    });
    await changeSampleAccess({ ...shared, cloud });
    process.stdout.write('\n');
  } catch (error) {
    if (stopping.isStopping()) return;
    process.stderr.write(`\n${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
  if (options.exit) stopping.ask();
  else await sampleReports(cloud, options, stopping);
}

/** A month of them, beside whatever is done meanwhile. */
async function sampleReports(cloud: LocalCloud, options: StartOptions, stopping: Stopping): Promise<void> {
  const { dataDir } = options;
  process.stdout.write('Reports of two sites and two channels are pulled for the last 30 days.\n');
  try {
    const done = await pullSampleReports({ cloud, dataDir, days: 30, isOver: stopping.isStopping });
    if (stopping.isStopping()) return;
    process.stdout.write(
      `${done.pulled} of ${done.slices} slices of reports are read; ${done.waiting} wait for their day to be complete.\n` +
        'See them with npm run query -- "SELECT * FROM media_daily ORDER BY date DESC", and npm run reports -- status.\n',
    );
  } catch (error) {
    if (!stopping.isStopping()) process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  }
}

async function stop(cloud: LocalCloud, say: (text: string) => void): Promise<void> {
  say('\nStopping: finishing what is under way (Ctrl-C again stops at once).\n');
  const { undelivered } = await cloud.close();
  if (undelivered !== 0) {
    say(
      `${undelivered ?? 'Some'} messages are not loaded yet; they stay in the data folder for the next start.\n`,
    );
  }
  await writeOut('');
  process.exit();
}

/** Functions that are called and the cloud have the ports of the options; the others any that are free, by preference the same. */
async function allPorts({ ports }: StartOptions): Promise<Ports> {
  const { ingest, permissions, replay, fold, reports, ...cloudPorts } = ports;
  const functions: Record<string, number> = {
    ingest,
    permissions,
    replay,
    fold,
    'reports-poll': reports,
  };
  const taken = new Set<number>(Object.values(ports));
  let preferred = 8090;
  for (const { name } of readDeployables()) {
    if (functions[name] !== undefined) continue;
    while (taken.has(preferred)) preferred++;
    const [other] = (await isPortFree(preferred)) ? [preferred] : await findFreePorts(1);
    functions[name] = other!;
    taken.add(other!);
    preferred++;
  }
  return { ...cloudPorts, functions };
}

interface Stopping {
  isStopping(): boolean;
  /** Runs once, at the first signal, or at once where it came already. */
  whenAsked(work: () => Promise<void>): void;
  /** The same as a signal. */
  ask(): void;
}

/** npm passes Ctrl-C on to a script that the terminal has told already: what comes so soon is the same press. */
const SAME_PRESS_MS = 500;

function stopOnSignals(): Stopping {
  let asked: number | undefined;
  let work: (() => Promise<void>) | undefined;
  const run = () => {
    work?.().catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
      process.exit(1);
    });
  };
  const ask = () => {
    if (asked === undefined) {
      asked = Date.now();
      // Before everything is up there is nothing to drain; the children end with this process.
      if (work === undefined) process.exit(0);
      run();
    } else if (Date.now() - asked > SAME_PRESS_MS) process.exit();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ask);
  exitOnClosedOutput(ask);
  return {
    isStopping: () => asked !== undefined,
    whenAsked(given) {
      work = given;
    },
    ask,
  };
}

function describeUrls({ ports, urls }: LocalCloud, { dataDir, settings }: StartOptions): string {
  const rows = [
    ['Ingest', urls.ingest, 'SDKs send here; README.md has the line to change of each'],
    ['BigQuery', urls.bigquery, `REST; project ${PROJECT}, dataset tributary`],
    ['', `127.0.0.1:${ports.bigqueryGrpc}`, 'Storage Write, gRPC'],
    ['Pub/Sub', `127.0.0.1:${ports.pubsub}`, 'gRPC; PUBSUB_EMULATOR_HOST of other clients'],
    ['Storage', `http://127.0.0.1:${ports.storage}`, 'Cloud Storage; STORAGE_EMULATOR_HOST of other clients'],
    ['Google APIs', urls.googleApis, 'REST: Analytics Data and Admin API, YouTube; issuer of tokens'],
    ['', `127.0.0.1:${ports.adminApi}`, 'Analytics Admin API, gRPC'],
    ['Monitoring', `127.0.0.1:${ports.monitoring}`, 'gRPC; npm run status'],
    ['Data', resolve(dataDir), settings === undefined ? '' : `settings: ${settings}`],
  ];
  const widest = Math.max(...rows.slice(0, -1).map(([, where = '']) => where.length));
  return rows
    .map(([what = '', where = '', note = '']) =>
      `  ${what.padEnd(13)}${where.padEnd(widest + 2)}${note}`.trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

function describeFirstSteps({ urls }: LocalCloud): string {
  const event = `[{"appid":"shop","xwho":"visitor-1","xwhat":"view_item","xwhen":'$(date +%s)'000,"xcontext":{"item":"shoes-42","price":129.95}}]`;
  return `Try:
  curl ${urls.ingest}/up -d '${event}'
  npm run query -- "SELECT occurred_at, project, name, properties FROM events"
  npm start -- --sample     (instead of this one: sends a shop's traffic and shows what became of it)
README.md shows how to point your own BigQuery client here.

`;
}

function describeFailure(error: unknown, { dataDir }: StartOptions): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!/could not set lock|database is locked/i.test(message)) return message;
  return `The data folder ${dataDir} is in use: is npm start running already? Another one is chosen with --data (TRIBUTARY_DATA).`;
}

function refuse(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}

await main();
