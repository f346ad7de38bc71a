import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

export type Emulator =
  | { readonly kind: 'found'; readonly command: string }
  | { readonly kind: 'absent'; readonly why: string };

const launcher = 'cloud-pubsub-emulator';

/**
 * Google's own Pub/Sub emulator, which is a part of the Google Cloud CLI and needs Java: in the folder that
 * PUBSUB_EMULATOR_HOME names, on the PATH, beside gcloud, or in the folders where it is usually installed.
 */
export function findEmulator(environment: NodeJS.ProcessEnv): Emulator {
  const home = environment.PUBSUB_EMULATOR_HOME;
  const places = home ? [join(home, 'bin', launcher)] : usualPlaces(environment);
  const command = places.find(isExecutable);
  if (command === undefined) return { kind: 'absent', why: `none of these exists: ${places.join(', ')}` };
  const java = environment.JAVA_HOME ? join(environment.JAVA_HOME, 'bin', 'java') : 'java';
  try {
    execFileSync(java, ['-version'], { stdio: 'ignore' });
  } catch {
    return { kind: 'absent', why: `${command} exists, but ${java}, which it needs, does not run` };
  }
  return { kind: 'found', command };
}

function usualPlaces(environment: NodeJS.ProcessEnv): string[] {
  const path = (environment.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  // The gcloud on the PATH is mostly a link into the folder of the CLI.
  const ofGcloud = path
    .map((folder) => join(folder, 'gcloud'))
    .filter((file) => existsSync(file))
    .map((file) => dirname(dirname(realpathSync(file))));
  const usual = ['/usr/lib', '/usr/share', '/usr/local', '/usr/local/share', '/opt', '/opt/homebrew/share']
    .concat(homedir(), '/')
    .map((folder) => join(folder, 'google-cloud-sdk'));
  const ofCli = [...ofGcloud, ...usual].map((cli) =>
    join(cli, 'platform', 'pubsub-emulator', 'bin', launcher),
  );
  return [
    ...new Set([
      ...path.map((folder) => join(folder, launcher)).filter((file) => existsSync(file)),
      ...ofCli,
    ]),
  ];
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
