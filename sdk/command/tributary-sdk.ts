#!/usr/bin/env node
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createDeliverer } from '../delivery/deliver.ts';
import { readCount, readDeliveryOptions } from '../delivery/delivery-options.ts';
import { isDataFile } from '../spool/data-file-name.ts';
import { version } from '../version.ts';
import { dialects } from './choose-route.ts';
import { SendFailed } from './cursor.ts';
import { type Sent, sendFile } from './send-file.ts';

const help = `Sends files of events, one JSON a line: those of the file collector, of a spool, and of the vendors' Log collectors.

Usage: tributary-sdk send --url URL [FLAGS] FILES...

FILES may be folders: the files datas_*.log in them and below. What was sent is not sent again: FILE.cursor tells how far
it is, so run the same again after a failure, or as a file grows. Lines that are no events go to FILE.rejected.

  --url URL           the server, as https://collect.example.com
  --dialect NAME      analysys, growingio or tributary                     by each line's keys
  --project ID        of GrowingIO's events                                the line's projectKey
  --key KEY           of events in Tributary's own dialect                 the name of the file's folder
  --state DIR         where the cursors are kept                           beside the files
  --restart           send from the start, whatever the cursor says
  --skip-refused      go on where the server refuses events, which go to FILE.rejected; stop otherwise
  --connections N     requests at once, 1 to 6                             4
  --retries N         attempts after the first of each request             20
  --timeout SECONDS   for an answer                                        10
  --insecure          accept any certificate
  --quiet             tell of failures only
  --version, --help

Ctrl-C finishes the requests under way; a second one does not wait. Exit codes: 0 all is sent, 1 something is not (run it
again), 2 wrong usage, 3 all is sent but what FILE.rejected has, 130 interrupted.
`;

class WrongUsage extends Error {}

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  try {
    return await run(args);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${message}\n`);
    if (!(error instanceof WrongUsage)) return 1;
    process.stderr.write('tributary-sdk --help tells of the flags.\n');
    return 2;
  }
}

async function run(args: string[]): Promise<number> {
  const { values: flags, positionals } = readFlags(args);
  if (flags.help) return print(help);
  if (flags.version) return print(`${version}\n`);
  const [command, ...paths] = positionals;
  if (command !== 'send')
    throw new WrongUsage(command === undefined ? help : `there is no command ${command}`);
  if (flags.url === undefined) throw new WrongUsage('--url is missing');
  if (paths.length === 0) throw new WrongUsage('no FILES are given');
  const dialect = dialects.find((name) => name === flags.dialect);
  if (flags.dialect !== undefined && dialect === undefined)
    throw new WrongUsage(`--dialect must be one of ${dialects.join(', ')}`);
  const settings = readSettings(flags.url, flags);
  const { show, tell, end } = createProgressLine(flags.quiet);
  const deliverer = createDeliverer(settings);
  const isInterrupted = watchInterrupt(() => deliverer.stop(), settings.requestTimeoutMs);
  const totals = { failed: 0, rejected: 0 };

  for (const path of paths.flatMap(listFiles)) {
    if (isInterrupted()) break;
    const started = performance.now();
    try {
      const sent = await sendFile(path, {
        dialect,
        project: flags.project,
        key: flags.key,
        deliverer,
        connections: settings.connections,
        state: flags.state,
        restart: flags.restart,
        skipRefused: flags['skip-refused'],
        isInterrupted,
        onProgress: (progress) => show(describe(path, progress, performance.now() - started)),
        onRetry: show,
        onRejected: tell,
      });
      totals.rejected += sent.rejected;
      end(describe(path, sent, performance.now() - started));
    } catch (error) {
      if (!(error instanceof SendFailed) && !(error instanceof Error && 'code' in error)) throw error;
      totals.failed++;
      end('');
      process.stderr.write(`${error.message}\n`);
    }
  }
  deliverer.stop();
  if (isInterrupted()) return 130;
  if (totals.failed > 0) return 1;
  return totals.rejected > 0 ? 3 : 0;
}

function readFlags(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        url: { type: 'string' },
        dialect: { type: 'string' },
        project: { type: 'string' },
        key: { type: 'string' },
        state: { type: 'string' },
        restart: { type: 'boolean', default: false },
        'skip-refused': { type: 'boolean', default: false },
        connections: { type: 'string', default: '4' },
        retries: { type: 'string', default: '20' },
        timeout: { type: 'string', default: '10' },
        insecure: { type: 'boolean', default: false },
        quiet: { type: 'boolean', default: false },
        version: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new WrongUsage(error instanceof Error ? error.message : String(error));
  }
}

type Flags = ReturnType<typeof readFlags>['values'];

function readSettings(url: string, flags: Flags) {
  try {
    const options = {
      url,
      connections: Number(flags.connections),
      retryLimit: Number(flags.retries),
      requestTimeoutMs: readCount({ '--timeout': Number(flags.timeout) }, '--timeout', 10, 0.001) * 1000,
      verifyCertificate: !flags.insecure,
    };
    return readDeliveryOptions(options, { retryLimit: 20, keepsAlive: true });
  } catch (error) {
    throw new WrongUsage(error instanceof Error ? error.message : String(error));
  }
}

/** In the order of their names, which is that of their hours. */
function listFiles(path: string): string[] {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (!isFolder) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => isDataFile(name.split(/[\\/]/).at(-1) ?? ''))
    .sort()
    .map((name) => join(path, name));
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

/** npx passes Ctrl-C on to a process that the terminal has told already: what comes so soon is the same press. */
const samePressMs = 500;

/** Whether somebody asked to stop; `stop` is called when what is under way takes longer than `graceMs`. */
function watchInterrupt(stop: () => void, graceMs: number): () => boolean {
  let asked: number | undefined;
  const ask = () => {
    if (asked !== undefined && performance.now() - asked > samePressMs) process.exit(130);
    if (asked === undefined) setTimeout(stop, graceMs).unref();
    asked ??= performance.now();
  };
  process.on('SIGINT', ask);
  process.on('SIGTERM', ask);
  return () => asked !== undefined;
}

/** On a terminal a line that is written over; elsewhere one every ten seconds, and one for each file. */
function createProgressLine(quiet: boolean) {
  const { stderr } = process;
  let shownAt = Number.NEGATIVE_INFINITY;
  return {
    show: (text: string) => {
      if (quiet || performance.now() - shownAt < (stderr.isTTY ? 100 : 10_000)) return;
      shownAt = performance.now();
      stderr.write(stderr.isTTY ? `\r\u001b[K${text.slice(0, (stderr.columns ?? 80) - 1)}` : `${text}\n`);
    },
    tell: (text: string) => {
      stderr.write(stderr.isTTY ? `\r\u001b[K${text}\n` : `${text}\n`);
    },
    end: (text: string) => {
      if (stderr.isTTY && !quiet) stderr.write('\r\u001b[K');
      if (!quiet && text !== '') process.stdout.write(`${text}\n`);
    },
  };
}

function describe(path: string, sent: Sent, ms: number): string {
  const count = (number: number) => number.toLocaleString('en-US');
  const share = sent.size === 0 ? 100 : Math.floor((100 * sent.offset) / sent.size);
  const parts = [
    `${path}: ${count(sent.events)} events sent`,
    ...(sent.quarantined > 0 ? [`${count(sent.quarantined)} of them in quarantine`] : []),
    ...(sent.rejected > 0 ? [`${count(sent.rejected)} lines rejected`] : []),
    ...(sent.rest > 0 ? [`${count(sent.rest)} bytes of a line that is not whole yet`] : []),
    sent.isComplete ? 'complete' : `${share}%`,
    `${count(Math.round((1000 * sent.events) / Math.max(1, ms)))}/s`,
  ];
  return parts.join(', ');
}
