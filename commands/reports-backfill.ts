import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { CallFunction } from './endpoints.ts';
import { addDays, callFlags, callFlagsHelp, callReports, readDay, readKeys } from './reports-call.ts';
import {
  CommandFailed,
  createProgress,
  exitInterrupted,
  formatNumber,
  type Progress,
  readFlags,
  readFormat,
  watchInterrupt,
} from './terminal.ts';

const help = `Reads days that are past: those that were never read, of every report, as far as they are complete.

Usage: npm run reports -- backfill --from DAY --to DAY [FLAGS]

  --from DAY          the first day, as 2026-03-01
  --to DAY            the last day
  --only KEYS         sites and channels, with commas between               all
  --dry-run           tell what it would take, and order nothing
  --no-wait           end when all is ordered, before it is read
${callFlagsHelp}

It tells first what it will take. Ctrl-C stops it; the same command goes on from there, as what was read is left out.
`;

const backfill = z.object({
  slices: z.number(),
  pulled: z.number(),
  waiting: z.number(),
  held: z.number(),
  ordered: z.number(),
  estimate: z.object({ calls: z.number(), requests: z.number(), tokens: z.number(), units: z.number() }),
});
type Backfill = z.output<typeof backfill>;

/** Each is judged and ordered in one call of the function. */
const daysPerCall = 14;
const lookEveryMs = 1_000;
/** The deadline of one order, and Pub/Sub's backoff after it. */
const stuckAfterMs = 900_000;

/** The command: the estimate, the orders part by part, and a bar until all of it is read or must wait. */
export async function backfillCommand(args: string[]): Promise<number> {
  const flags = readFlags(
    args,
    {
      from: { type: 'string' },
      to: { type: 'string' },
      only: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      'no-wait': { type: 'boolean', default: false },
      ...callFlags,
    },
    help,
  );
  if (flags.help) {
    process.stdout.write(help);
    return 0;
  }
  const format = readFormat(flags.format);
  const [from, to] = [readDay(flags.from, '--from', help), readDay(flags.to, '--to', help)];
  if (from > to) throw new CommandFailed('--from must not be after --to.');
  const keys = readKeys(flags.only);
  const call = callReports(flags.url);
  const count = () => ask(call, { from, to, keys, dryRun: true });
  const isInterrupted = watchInterrupt();
  const progress = createProgress();

  const before = await count();
  process.stderr.write(describeEstimate(before));
  let done = before;
  if (!flags['dry-run'] && before.pulled < before.slices) {
    const parts = partsOf(from, to);
    for (const [index, part] of parts.entries()) {
      if (isInterrupted()) break;
      progress.show(`ordering ${part.from} to ${part.to}, ${index + 1} of ${parts.length}`);
      await ask(call, { ...part, keys, dryRun: false });
    }
    done = flags['no-wait'] ? await count() : await untilRead(count, isInterrupted, progress);
    progress.end();
  }
  process.stdout.write(format === 'json' ? `${JSON.stringify(done)}\n` : describeDone(done));
  return isInterrupted() && done.pulled < done.slices ? exitInterrupted : 0;
}

const ask = async (call: CallFunction, body: object): Promise<Backfill> =>
  backfill.parse(await call('/backfill', body));

function partsOf(from: string, to: string): { from: string; to: string }[] {
  const parts: { from: string; to: string }[] = [];
  for (let first = from; first <= to; first = addDays(first, daysPerCall)) {
    const last = addDays(first, daysPerCall - 1);
    parts.push({ from: first, to: last < to ? last : to });
  }
  return parts;
}

/** Until every slice is read or must wait, or nothing came for long. */
async function untilRead(
  count: () => Promise<Backfill>,
  isInterrupted: () => boolean,
  progress: Progress,
): Promise<Backfill> {
  let last = await count();
  let changedAt = Date.now();
  for (;;) {
    progress.show(describeBar(last));
    const isOver = last.pulled + last.waiting + last.held >= last.slices;
    if (isOver || isInterrupted() || Date.now() - changedAt > stuckAfterMs) return last;
    await wait(lookEveryMs);
    const next = await count();
    if (next.pulled > last.pulled) changedAt = Date.now();
    last = next;
  }
}

function describeBar({ slices, pulled }: Backfill): string {
  const share = slices === 0 ? 1 : pulled / slices;
  const full = Math.floor(share * barWidth);
  const bar = `${'#'.repeat(full)}${'.'.repeat(barWidth - full)}`;
  return `[${bar}] ${Math.floor(share * 100)}%  ${formatNumber(pulled)} of ${formatNumber(slices)} slices`;
}

const barWidth = 30;

function describeEstimate({ slices, pulled, estimate }: Backfill): string {
  const open = slices - pulled;
  if (open === 0) return `All ${formatNumber(slices)} slices are read already.\n`;
  const { calls, requests, tokens, units } = estimate;
  const parts = [
    `about ${formatNumber(Math.ceil(calls))} calls`,
    `${formatNumber(Math.ceil(requests))} report requests`,
    ...(tokens > 0 ? [`${formatNumber(Math.ceil(tokens))} tokens of Google Analytics`] : []),
    ...(units > 0 ? [`${formatNumber(Math.ceil(units))} units of YouTube`] : []),
  ];
  return `${formatNumber(open)} of ${formatNumber(slices)} slices are to be read: ${parts.join(', ')}.\n`;
}

function describeDone({ slices, pulled, waiting, held }: Backfill): string {
  const rest = [
    ...(waiting > 0 ? [`${formatNumber(waiting)} wait for their day to be complete`] : []),
    ...(held > 0 ? [`${formatNumber(held)} are held back (npm run reports -- status tells why)`] : []),
  ];
  const open = slices - pulled - waiting - held;
  if (open > 0) rest.push(`${formatNumber(open)} are not read yet`);
  return `${formatNumber(pulled)} of ${formatNumber(slices)} slices are read${rest.length === 0 ? '' : `; ${rest.join(', ')}`}.\n`;
}
