import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { StubProvider } from './provider/start-provider.ts';

/** The version that these tests were written with; infra/ asks for 1.9 or later. */
export const NOT_VERIFIED =
  'TERRAFORM NOT VERIFIED: there is no terraform in PATH, so nothing of infra/*.tf was initialised, validated or ' +
  'planned, and no policy was asked of a plan. Install Terraform 1.9 or later to verify it.';

export const hasTerraform = (): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'terraform')));

export interface Ran {
  code: number;
  output: string;
  errors: string;
}

/** Runs Terraform in a folder, without a network, against the stub provider. */
export async function runTerraform(
  folder: string,
  args: readonly string[],
  provider?: StubProvider,
): Promise<Ran> {
  const child = spawn('terraform', [`-chdir=${folder}`, ...args], {
    env: {
      PATH: process.env.PATH,
      CHECKPOINT_DISABLE: '1',
      // A third of its CPU is collecting the garbage of some megabytes; it ends before that matters.
      GOGC: '400',
      TF_CLI_CONFIG_FILE: '/dev/null',
      TF_IN_AUTOMATION: '1',
      ...provider?.environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // It asks for a state that nobody serves without end.
    timeout: 300_000,
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
  const [code, output, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, output, errors };
}
