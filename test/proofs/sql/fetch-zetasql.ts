import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** Holds Google's own GoogleSQL analyser and evaluator, built from github.com/google/zetasql (now googlesql). */
const packageName = '@fivetrandevelopers/zetasql';
const version = '1.13.0';

const folder = resolve(import.meta.dirname, `../.state/zetasql-${version}`);

/** The evaluator could not be had, so that nothing was compared: neither proved nor disproved. */
export class NotVerified extends Error {}

export interface ZetaSql {
  /** The executable of the local service. */
  readonly server: string;
  /** The folder of its .proto files. */
  readonly protos: string;
}

/**
 * The service of GoogleSQL, fetched from npm when it is not there yet (200 MB unpacked, which is why it is no
 * dependency). Throws NotVerified when it cannot be fetched or does not run here.
 */
export async function fetchZetaSql(progress: (line: string) => void): Promise<ZetaSql> {
  const executable = executables[`${process.platform}-${process.arch}`];
  if (executable === undefined) {
    throw new NotVerified(`${packageName} has no executable for ${process.platform} on ${process.arch}`);
  }
  const library = join(folder, 'node_modules', packageName, 'lib/zetasql');
  const found = { server: join(library, executable), protos: join(library, 'protos') };
  if (existsSync(found.server)) return found;
  progress(`fetching ${packageName}@${version} into test/proofs/.state`);
  mkdirSync(folder, { recursive: true });
  const install = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
  try {
    await promisify(execFile)('npm', [...install, `${packageName}@${version}`], { cwd: folder });
  } catch (error) {
    throw new NotVerified(`${packageName}@${version} could not be fetched: ${reasonOf(error)}`);
  }
  if (!existsSync(found.server)) throw new NotVerified(`${packageName}@${version} has no ${executable}`);
  return found;
}

const executables: Readonly<Record<string, string>> = {
  'linux-x64': 'remote_server.so',
  'linux-arm64': 'remote_server_arm.so',
  'darwin-x64': 'remote_server',
  'darwin-arm64': 'remote_server_arm',
};

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n').find((line) => line.startsWith('npm error')) ?? text.split('\n')[0] ?? '';
}
