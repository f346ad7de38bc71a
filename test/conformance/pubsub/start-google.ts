import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePorts, untilListening } from '../../../local/processes/ports.ts';
import type { Target } from './target.ts';

const startWithinMs = 60_000;

/**
 * Runs the emulator and kills it when its standard input ends: that is when we say so, and also when this process is
 * gone in whatever way, so that no Java is left behind.
 */
const whileInputIsOpen = `
exec 3<&0
"$@" 3<&- </dev/null &
emulator=$!
{ cat <&3 >/dev/null; kill -9 $emulator 2>/dev/null; } &
wait $emulator
`;

/** Starts Google's emulator on a free port, in an empty folder; rejects with what it wrote when it does not come up. */
export async function startGoogle(command: string): Promise<Target> {
  const [port = 0] = await findFreePorts(1);
  const folder = await mkdtemp(join(tmpdir(), 'pubsub-emulator-'));
  const child = spawn('sh', ['-c', whileInputIsOpen, 'sh', command, '--host=127.0.0.1', `--port=${port}`], {
    cwd: folder,
    stdio: ['pipe', 'pipe', 'pipe'],
    // It serves for seconds: compiling thoroughly would cost more than it gives.
    env: { ...process.env, JAVA_OPTS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx1g' },
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      lines.push(chunk.toString());
      if (lines.length > 50) lines.shift();
    });
  }
  const exited = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  child.stdin.on('error', () => {});
  const close = async () => {
    child.stdin.end();
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  const giveUp = AbortSignal.timeout(startWithinMs);
  const died = exited.then(() => {
    throw new Error('it ended');
  });
  died.catch(() => {});
  try {
    await Promise.race([untilListening(port, giveUp), died]);
  } catch (error) {
    await close();
    throw new Error(`${command} did not start (${error}).\n${lines.join('')}`);
  }
  return { port, close };
}
