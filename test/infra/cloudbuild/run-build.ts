import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Build, Step } from './read-build.ts';

/** What Cloud Build would give a build. */
export interface Surroundings {
  /** Where the repository is checked out. */
  workspace: string;
  /** By name, with those of Cloud Build itself. */
  substitutions: Readonly<Record<string, string>>;
  /** Absolute paths of images and volumes, and what they are here. */
  paths: Readonly<Record<string, string>>;
  /** The environment of every step, beside its own. */
  environment: Readonly<Record<string, string | undefined>>;
}

export interface RanStep {
  id: string;
  code: number;
  /** What it wrote, to both streams. */
  log: string;
}

/** Runs the steps of a build one after the other, as Cloud Build does, until one fails. */
export async function runSteps(
  steps: readonly Step[],
  build: Build,
  around: Surroundings,
): Promise<RanStep[]> {
  const ran: RanStep[] = [];
  for (const step of steps) {
    const done = await runStep(step, build, around);
    ran.push(done);
    if (done.code !== 0) break;
  }
  return ran;
}

/** The text with its substitutions; those that are declared may refer to others. */
export function substitute(text: string, build: Build, given: Readonly<Record<string, string>>): string {
  const declared = build.substitutions ?? {};
  return text.replace(/\$\$|\$\{?(\w+)\}?/g, (written, name: string | undefined) => {
    if (name === undefined) return '$';
    const value = given[name] ?? declared[name];
    if (value === undefined) throw new Error(`${written} is not given.`);
    return given[name] ?? substitute(value, build, given);
  });
}

async function runStep(step: Step, build: Build, around: Surroundings): Promise<RanStep> {
  const filled = (it: string) => substitute(it, build, around.substitutions);
  const here = (it: string) =>
    Object.entries(around.paths).reduce((all, [path, place]) => all.replaceAll(path, place), it);
  const folder = mkdtempSync(join(tmpdir(), 'tributary-step-'));
  try {
    const script = join(folder, 'script');
    if (step.script !== undefined) writeFileSync(script, here(step.script), { mode: 0o755 });
    const command =
      step.script === undefined
        ? [step.entrypoint ?? '', ...(step.args ?? [])].map((it) => here(filled(it)))
        : [script];
    const child = spawn(command[0] ?? '', command.slice(1), {
      cwd: join(around.workspace, step.dir ?? ''),
      env: {
        ...around.environment,
        ...Object.fromEntries(
          step.env.map((it) => filled(it).split('=')).map(([name, ...value]) => [name, value.join('=')]),
        ),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? 1));
    });
    const [code, output, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    return { id: step.id ?? step.name, code, log: output + errors };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
