import { z } from 'zod';
import { type CallFunction, createCallFunction, readLocalPorts } from './endpoints.ts';
import {
  CommandFailed,
  createProgress,
  exitInterrupted,
  formatColumns,
  formatNumber,
  readFlags,
  readFormat,
  readLimit,
  runCommand,
  watchInterrupt,
} from './terminal.ts';

const help = `Decodes what is in quarantine again, with today's code and settings, and brings what passes onto the path.

Usage: npm run replay -- --where "reason = 'dialect_not_allowed'" [FLAGS]

  --where CONDITION   GoogleSQL over the columns of quarantine_open
  --all               every row that is open
  --dry-run           tell what would become of the rows, and change nothing
  --limit NUMBER      the most rows to decide
  --format FORMAT     text or json                                          text
  --url URL           the function replay, REPLAY_URL                       the local cloud's
  --help              this text

Events get the ids and the time of receiving that they would have had, so what is replayed twice counts once.
Ctrl-C stops after the slice under way; what was decided stays so, and another replay goes on from there.
`;

/** Rows of one reason and one outcome. */
const group = z.object({
  reason: z.string(),
  outcome: z.enum(['accepted', 'refused']),
  refusedFor: z.string().optional(),
  rows: z.number(),
  events: z.number(),
});
type Group = z.output<typeof group>;

const slice = z.object({
  replayId: z.string(),
  rows: z.number(),
  groups: z.array(group),
  found: z
    .object({
      rows: z.number(),
      notReplayable: z.number(),
      reasons: z.array(z.object({ reason: z.string(), rows: z.number(), notReplayable: z.number() })),
    })
    .optional(),
  after: z.string().nullable(),
});
type Slice = z.output<typeof slice>;

interface Replayed {
  readonly replayId: string | undefined;
  readonly dryRun: boolean;
  /** The whole of what was asked for was decided. */
  readonly complete: boolean;
  readonly rows: number;
  /** Events on the path again. */
  readonly events: number;
  readonly notReplayable: number;
  readonly groups: readonly Group[];
}

/** The function decides at most as many in a call. */
const mostRowsOfSlice = 1_000;

async function main(): Promise<number> {
  const flags = readFlags(
    process.argv.slice(2),
    {
      where: { type: 'string' },
      all: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
      limit: { type: 'string' },
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
  const limit = readLimit(flags.limit);
  const call = createCallFunction(readUrl(flags.url), process.env);
  if (flags.all && flags.where !== undefined) {
    throw new CommandFailed('--all and --where exclude each other: --all is every row that is open.');
  }
  const where = flags.all ? 'TRUE' : flags.where;
  if (where === undefined) return tellReasons(call);

  const dryRun = flags['dry-run'];
  const isInterrupted = watchInterrupt();
  const replayed = await replay(call, where, dryRun, limit, isInterrupted);
  process.stdout.write(format === 'json' ? `${JSON.stringify(replayed)}\n` : describeReplayed(replayed));
  return !replayed.complete && isInterrupted() ? exitInterrupted : 0;
}

function readUrl(flag: string | undefined): string {
  const url = flag ?? (process.env.REPLAY_URL || `http://127.0.0.1:${readLocalPorts(process.env).replay}`);
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url;
  throw new CommandFailed(`--url (REPLAY_URL) must be a URL, not ${JSON.stringify(url)}.`);
}

/** Slice after slice until nothing is left, the limit is reached, or somebody asks to stop. */
async function replay(
  call: CallFunction,
  where: string,
  dryRun: boolean,
  limit: number | undefined,
  isInterrupted: () => boolean,
): Promise<Replayed> {
  const progress = createProgress();
  const groups = new Map<string, Group>();
  let replayId: string | undefined;
  let after: string | null | undefined;
  let found: Slice['found'];
  let rows = 0;
  const isEnough = () => limit !== undefined && rows >= limit;
  while (after !== null && !isEnough() && !isInterrupted()) {
    const most = Math.min(mostRowsOfSlice, (limit ?? Number.POSITIVE_INFINITY) - rows);
    const body = { where, dryRun, limit: most, replayId, ...(after === undefined ? {} : { after }) };
    const answer: Slice = slice.parse(await call('/replay', body));
    replayId = answer.replayId;
    after = answer.after;
    found ??= answer.found;
    rows += answer.rows;
    for (const one of answer.groups) addGroup(groups, one);
    const total = Math.min(found?.rows ?? rows, limit ?? Number.POSITIVE_INFINITY);
    if (total > 0) progress.show(`${formatNumber(rows)} of ${formatNumber(total)} rows decided`);
  }
  progress.end();
  const all = [...groups.values()].sort((left, right) => right.rows - left.rows);
  return {
    replayId,
    dryRun,
    complete: after === null || isEnough(),
    rows,
    events: all.reduce((sum, { events }) => sum + events, 0),
    notReplayable: found?.notReplayable ?? 0,
    groups: all,
  };
}

function addGroup(groups: Map<string, Group>, added: Group): void {
  const key = JSON.stringify([added.reason, added.outcome, added.refusedFor]);
  const known = groups.get(key);
  groups.set(key, {
    ...added,
    rows: added.rows + (known?.rows ?? 0),
    events: added.events + (known?.events ?? 0),
  });
}

function describeReplayed(replayed: Replayed): string {
  const { dryRun, rows, events, notReplayable, groups, complete } = replayed;
  const cut =
    notReplayable === 0
      ? ''
      : `Of ${formatNumber(notReplayable)} more only the beginning was kept: they cannot be replayed.\n`;
  if (rows === 0) return `Nothing to replay: no open row of quarantine fits.\n${cut}`;
  const table = formatColumns(
    ['reason', 'outcome', 'why', 'rows', 'events'],
    groups.map((one) => [
      one.reason,
      dryRun ? `would be ${one.outcome}` : one.outcome,
      one.refusedFor ?? '',
      formatNumber(one.rows),
      formatNumber(one.events),
    ]),
    ['rows', 'events'],
  );
  const end = complete ? '' : 'Stopped before the end; run it again to go on.\n';
  const sum = dryRun
    ? `A dry run: ${formatNumber(events)} events would come onto the path again.\n`
    : `${formatNumber(events)} events are on the path again.\n`;
  return `${table}\n${sum}${cut}${end}`;
}

/** Without a condition nothing is decided, but told what there is to choose from. */
async function tellReasons(call: CallFunction): Promise<number> {
  const { found } = slice.parse(await call('/replay', { where: 'TRUE', dryRun: true, limit: 1 }));
  const reasons = found?.reasons ?? [];
  if (reasons.length === 0) {
    process.stdout.write('Nothing to replay: no row of quarantine is open.\n');
    return 0;
  }
  const table = formatColumns(
    ['reason', 'rows', 'beginning only'],
    reasons.map((one) => [one.reason, formatNumber(one.rows), formatNumber(one.notReplayable)]),
    ['rows', 'beginning only'],
  );
  throw new CommandFailed(
    `Say which rows, with --where "reason = '${reasons[0]?.reason}'" or --all (--help tells more). These are open:\n\n${table}`,
  );
}

await runCommand(main);
