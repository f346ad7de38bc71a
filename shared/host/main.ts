import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeError, log } from './log.ts';
import { type Options, parseOptions } from './options.ts';
import { findHandler, type Handler, registeredDrainHooks, registeredNames } from './registry.ts';
import { createHost, type Host } from './server.ts';

/** The bin `functions-framework`: loads the function, serves it, and on SIGTERM or SIGINT drains and exits 0. */
export function main(): void {
  const parsed = parseOptions(process.argv.slice(2), process.env, process.cwd());
  if (parsed.kind === 'help') {
    process.stdout.write(parsed.text);
    return;
  }
  if (parsed.kind === 'invalid') refuseToStart(parsed.message);
  const { options } = parsed;
  const loaded = load(options);
  if (loaded.kind === 'invalid') refuseToStart(loaded.message);

  const host = createHost(loaded.handler);
  exitOnSignalOrCrash(host);
  host.server.once('error', (error) => {
    refuseToStart(`PORT ${options.port} on HOST ${options.host} cannot be listened on: ${error.message}.`);
  });
  host.server.listen(options.port, options.host, () => {
    const { port } = host.server.address() as AddressInfo;
    log('INFO', `Serving ${options.target} on port ${port}.`, { target: options.target, port });
  });
}

/** Cloud Run kills ten seconds after SIGTERM: requests get most of it, the hooks a second at least. */
const REQUESTS_MS = 8_000;
const HOOKS_MS = 1_500;

type Loaded = { kind: 'handler'; handler: Handler } | { kind: 'invalid'; message: string };

function load({ source, target }: Options): Loaded {
  try {
    createRequire(join(source, 'index.js'))(findModule(source));
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { kind: 'invalid', message: `The function in ${source} could not be loaded.\n${reason}` };
  }
  const handler = findHandler(target);
  if (handler !== undefined) return { kind: 'handler', handler };
  const names = registeredNames().join(', ') || 'none';
  const given = target === '' ? 'is not set' : `is ${JSON.stringify(target)}`;
  const message = `FUNCTION_TARGET ${given}; it must be one of the functions registered with http(): ${names}.`;
  return { kind: 'invalid', message };
}

function findModule(source: string): string {
  if (!statSync(source).isDirectory()) return source;
  const description: unknown = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
  const isNamed = typeof description === 'object' && description !== null && 'main' in description;
  return join(source, isNamed && typeof description.main === 'string' ? description.main : 'index.js');
}

function exitOnSignalOrCrash(host: Host): void {
  let exitCode: number | undefined;
  // Where nobody reads the log any more, to log that as an error would fail the same way, without end.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

  async function drainAndExit(code: number): Promise<void> {
    exitCode = code;
    const unanswered = await host.drain(REQUESTS_MS);
    if (unanswered > 0) log('WARNING', `${unanswered} requests were still unanswered at exit.`);
    await Promise.race([
      runDrainHooks(),
      sleep(HOOKS_MS).then(() => log('WARNING', 'Drain hooks ran out of time.')),
    ]);
    process.exit(exitCode);
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (exitCode !== undefined) process.exit(exitCode);
      drainAndExit(0);
    });
  }
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      log('CRITICAL', `The process ends on an ${event}.`, describeError(error));
      if (exitCode === undefined) drainAndExit(1);
      else exitCode = 1;
    });
  }
}

async function runDrainHooks(): Promise<void> {
  const outcomes = await Promise.allSettled(registeredDrainHooks().map(async (hook) => hook()));
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') log('ERROR', 'A drain hook failed.', describeError(outcome.reason));
  }
}

function refuseToStart(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
