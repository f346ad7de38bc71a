import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** Holds Google's own GoogleSQL analyser and evaluator, built from github.com/google/zetasql (now googlesql). */
const packageName = '@fivetrandevelopers/zetasql';
const version = '1.13.0';

/** The evaluator could not be had, so that nothing was compared: neither proved nor disproved. */
export class NotVerified extends Error {}

export interface ZetaSql {
  /** The executable of the local service. */
  readonly server: string;
  /** The folder of its .proto files. */
  readonly protos: string;
}

/**
 * The service of GoogleSQL, from npm's cache or fetched by `npm exec` (200 MB unpacked, which is why it is no
 * dependency). Throws NotVerified when it cannot be fetched or does not run here.
 */
export async function fetchZetaSql(progress: (line: string) => void): Promise<ZetaSql> {
  const executable = executables[`${process.platform}-${process.arch}`];
  if (executable === undefined) {
    throw new NotVerified(`${packageName} has no executable for ${process.platform} on ${process.arch}`);
  }
  const folder = findPackage(process.env.PATH) ?? findPackage(await pathInNpmExec(progress));
  if (folder === undefined) {
    throw new NotVerified(`npm exec has put no ${packageName}@${version} beside a folder of its PATH`);
  }
  const library = join(folder, 'lib/zetasql');
  const found = { server: join(library, executable), protos: join(library, 'protos') };
  if (!existsSync(found.server)) throw new NotVerified(`${packageName}@${version} has no ${executable}`);
  return found;
}

const executables: Readonly<Record<string, string>> = {
  'linux-x64': 'remote_server.so',
  'linux-arm64': 'remote_server_arm.so',
  'darwin-x64': 'remote_server',
  'darwin-arm64': 'remote_server_arm',
};

/** `npm exec --package` prepends the `node_modules/.bin` of the folder where it has installed the package to PATH. */
function findPackage(path = ''): string | undefined {
  return path
    .split(delimiter)
    .filter((entry) => basename(entry) === '.bin')
    .map((entry) => join(dirname(entry), packageName))
    .find((folder) => versionOf(folder) === version);
}

function versionOf(folder: string): unknown {
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) return undefined;
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version?: unknown }).version;
}

async function pathInNpmExec(progress: (line: string) => void): Promise<string> {
  progress(`asking npm exec for ${packageName}@${version}`);
  const call = [
    'exec',
    '--yes',
    `--package=${packageName}@${version}`,
    '--',
    'node',
    '-p',
    'process.env.PATH',
  ];
  try {
    return (await promisify(execFile)('npm', call)).stdout.trim();
  } catch (error) {
    throw new NotVerified(`${packageName}@${version} could not be fetched: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n').find((line) => line.startsWith('npm error')) ?? text.split('\n')[0] ?? '';
}
