import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { LocalCloud } from '../local/index.ts';
import { ROOT } from './repository-files.ts';

/** Starts a command of commands/ against a local cloud, as its npm script does. */
export function startCommand(cloud: LocalCloud, name: string, ...args: string[]): ChildProcess {
  const { ports } = cloud;
  return spawn(process.execPath, [`commands/${name}.ts`, ...args], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      REPLAY_PORT: String(ports.functions.replay),
      FOLD_PORT: String(ports.functions.fold),
      REPORTS_PORT: String(ports.functions['reports-poll']),
      PUBSUB_PORT: String(ports.pubsub),
      BIGQUERY_PORT: String(ports.bigquery),
      GOOGLE_APIS_PORT: String(ports.googleApis),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs it to its end. */
export async function runCommand(cloud: LocalCloud, name: string, ...args: string[]) {
  const child = startCommand(cloud, name, ...args);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { stdout, stderr, code };
}
