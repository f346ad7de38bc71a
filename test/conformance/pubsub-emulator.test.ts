import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { findEmulator } from './pubsub/find-emulator.ts';
import { startGoogle } from './pubsub/start-google.ts';

const folder = mkdtempSync(join(tmpdir(), 'find-emulator-'));
let home: string;

/** An environment in which Java runs; nothing else is on its PATH. */
function environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  writeScript(join(home, 'java/bin/java'), 'exit 0');
  return { JAVA_HOME: join(home, 'java'), PATH: '', ...more };
}

function writeScript(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return path;
}

beforeEach(() => {
  home = mkdtempSync(join(folder, 'home-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("Google's Pub/Sub emulator is found", () => {
  test('in the folder that PUBSUB_EMULATOR_HOME names', () => {
    const command = writeScript(join(home, 'bin/cloud-pubsub-emulator'), '');
    expect(findEmulator(environment({ PUBSUB_EMULATOR_HOME: home }))).toEqual({ kind: 'found', command });
  });

  test('on the PATH', () => {
    const command = writeScript(join(home, 'cloud-pubsub-emulator'), '');
    expect(findEmulator(environment({ PATH: `/nowhere:${home}` }))).toEqual({ kind: 'found', command });
  });

  test('beside the gcloud to which the PATH leads', () => {
    const cli = join(home, 'google-cloud-sdk');
    writeScript(join(cli, 'bin/gcloud'), '');
    const command = writeScript(join(cli, 'platform/pubsub-emulator/bin/cloud-pubsub-emulator'), '');
    mkdirSync(join(home, 'links'));
    symlinkSync(join(cli, 'bin/gcloud'), join(home, 'links/gcloud'));
    expect(findEmulator(environment({ PATH: join(home, 'links') }))).toEqual({ kind: 'found', command });
  });

  test('nowhere else when PUBSUB_EMULATOR_HOME is wrong, and is said to be absent from there', () => {
    const absent = findEmulator(environment({ PUBSUB_EMULATOR_HOME: '/nowhere' }));
    expect(absent).toEqual({
      kind: 'absent',
      why: 'none of these exists: /nowhere/bin/cloud-pubsub-emulator',
    });
  });

  test('but of no use without Java', () => {
    writeScript(join(home, 'bin/cloud-pubsub-emulator'), '');
    const absent = findEmulator({ PUBSUB_EMULATOR_HOME: home, JAVA_HOME: '/no-java', PATH: '' });
    expect(absent).toMatchObject({ kind: 'absent', why: expect.stringContaining('/no-java/bin/java') });
  });
});

describe('the emulator', () => {
  const node = JSON.stringify(process.execPath);
  const listen = `require("net").createServer().listen(Number(process.argv.at(-1).split("=")[1]), "127.0.0.1")`;
  /** Stands for the emulator: writes its process id and listens on the port. */
  const writeEmulator = () =>
    writeScript(join(home, 'emulator'), `echo $$ > ${home}/pid\nexec ${node} -e '${listen}' -- "$@"`);
  const pid = () => Number(readFileSync(join(home, 'pid'), 'utf8'));
  const isAlive = () => {
    try {
      return process.kill(pid(), 0);
    } catch {
      return false;
    }
  };

  test('is killed when it is stopped', async () => {
    const target = await startGoogle(writeEmulator());
    expect(isAlive()).toBe(true);
    await target.close();
    expect(isAlive()).toBe(false);
  });

  test('is killed when the process that started it is', async () => {
    const module = fileURLToPath(new URL('pubsub/start-google.ts', import.meta.url));
    const script = `import { startGoogle } from ${JSON.stringify(module)};
      await startGoogle(${JSON.stringify(writeEmulator())}); console.log('started');`;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      // What it leaves behind is removed with the rest.
      env: { ...process.env, TMPDIR: home },
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    expect(isAlive()).toBe(true);
    child.kill('SIGKILL');
    while (isAlive()) await wait(10);
  });

  test('that ends before it serves is reported with what it wrote', async () => {
    const command = writeScript(join(home, 'emulator'), 'echo no room >&2; exit 3');
    await expect(startGoogle(command)).rejects.toThrow(/did not start[\s\S]*no room/);
  });
});
