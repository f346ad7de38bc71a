import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { createCallFunction, readLocalPorts } from './endpoints.ts';
import {
  CommandFailed,
  createProgress,
  exitInterrupted,
  formatNumber,
  readFlags,
  readFormat,
  runCommand,
  watchInterrupt,
} from './terminal.ts';

const help = `Brings identity and profiles up to date now, which Cloud Scheduler does every five minutes.

Usage: npm run fold [-- FLAGS]

  --full              everything anew, not only what came in
  --format FORMAT     text or json                                          text
  --url URL           the function fold, FOLD_URL                           the local cloud's
  --help              this text

It may be run at any time and stopped anywhere: one fold is at work at a time, and the next one goes on from there.
`;

const tick = z.object({
  kind: z.enum(['unchanged', 'folded', 'unfinished', 'busy', 'overtaken']),
  mode: z.enum(['incremental', 'full']),
  reason: z.string().optional(),
  next: z.string().optional(),
  slices: z.number(),
  bindings: z.number(),
  persons: z.number(),
  queries: z.number(),
  bytes: z.number(),
  milliseconds: z.number(),
  watermark: z.string().nullable(),
});
type Tick = z.output<typeof tick>;

/** Above the timeout of the function, so that its own answer comes first. */
const answerWithinMs = 960_000;
/** Another fold mostly ends within seconds, and the lease of one that died within minutes. */
const busyWaitMs = 2_000;

async function main(): Promise<number> {
  const flags = readFlags(
    process.argv.slice(2),
    {
      full: { type: 'boolean', default: false },
      format: { type: 'string', default: 'text' },
      url: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
    help,
  );
  if (flags.help) {
    process.stdout.write(help);
    return 0;
  }
  const format = readFormat(flags.format);
  const call = createCallFunction(readUrl(flags.url), process.env, answerWithinMs);
  const isInterrupted = watchInterrupt();
  const progress = createProgress();
  let path = flags.full ? '/?full=1' : '/';
  let done: Tick | undefined;
  while (!isInterrupted()) {
    progress.show(describeUnderWay(done));
    done = tick.parse(await call(path, {}));
    if (done.kind === 'folded' || done.kind === 'unchanged') break;
    // What has begun is gone on with, and not begun again.
    if (done.kind === 'unfinished') path = '/';
    else await wait(busyWaitMs);
  }
  progress.end();
  if (done === undefined) return exitInterrupted;
  process.stdout.write(format === 'json' ? `${JSON.stringify(done)}\n` : describeTick(done));
  return isInterrupted() && done.kind !== 'folded' && done.kind !== 'unchanged' ? exitInterrupted : 0;
}

function readUrl(flag: string | undefined): string {
  const url = flag ?? (process.env.FOLD_URL || `http://127.0.0.1:${readLocalPorts(process.env).fold}`);
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url;
  throw new CommandFailed(`--url (FOLD_URL) must be a URL, not ${JSON.stringify(url)}.`);
}

function describeUnderWay(last: Tick | undefined): string {
  if (last?.kind === 'unfinished') return `folding, next: ${last.next}`;
  return last === undefined ? 'folding' : 'waiting for another fold';
}

function describeTick(done: Tick): string {
  const upTo = done.watermark === null ? '' : ` Folded is what was received up to ${done.watermark}.`;
  if (done.kind === 'unchanged') return `Nothing came in since the last fold.${upTo}\n`;
  if (done.kind !== 'folded') return 'Stopped before the end; the next fold goes on.\n';
  const whole = done.mode === 'full' ? `Everything was folded anew, as ${done.reason}: ` : '';
  const megabytes = (done.bytes / 1e6).toFixed(1);
  return `${whole}${formatNumber(done.persons)} persons, ${formatNumber(done.bindings)} devices with another user, in ${
    done.queries
  } queries over ${megabytes} MB and ${(done.milliseconds / 1000).toFixed(1)} s.${upTo}\n`;
}

await runCommand(main);
