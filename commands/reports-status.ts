import {
  addDays,
  callFlags,
  callFlagsHelp,
  callReports,
  readDay,
  readKeys,
  type StatusAnswer,
  type StatusDay,
  statusAnswer,
} from './reports-call.ts';
import { formatColumns, formatNumber, readFlags, readFormat } from './terminal.ts';

const help = `Tells of every site and channel, day by day: waiting, available by which rule, pulled, restated, forced. Then what is
held back or deferred by a quota, and until when; and what is left of each quota, as the API last said.

Usage: npm run reports -- status [FLAGS]

  --from DAY          the first day                                         seven days before --to
  --to DAY            the last day                                          yesterday
  --only KEYS         sites and channels, with commas between               all
${callFlagsHelp}
`;

/** The command: a line for each entity and day, what is held back, and what is left of quotas. */
export async function statusCommand(args: string[]): Promise<number> {
  const flags = readFlags(
    args,
    { from: { type: 'string' }, to: { type: 'string' }, only: { type: 'string' }, ...callFlags },
    help,
  );
  if (flags.help) {
    process.stdout.write(help);
    return 0;
  }
  const format = readFormat(flags.format);
  const to = readDay(flags.to ?? addDays(new Date().toISOString().slice(0, 10), -1), '--to', help);
  const from = readDay(flags.from ?? addDays(to, -7), '--from', help);
  const call = callReports(flags.url);
  const answer = statusAnswer.parse(await call('/status', { from, to, keys: readKeys(flags.only) }));
  process.stdout.write(format === 'json' ? `${JSON.stringify(answer)}\n` : describeStatus(answer));
  return 0;
}

function describeStatus({ entities }: StatusAnswer): string {
  if (entities.length === 0) return 'The configuration has no such site or channel.\n';
  const rows = entities.flatMap(({ key, entityId, days }) =>
    days.toReversed().map((day) => [key, entityId, day.date, ...describeDay(day)]),
  );
  const table = formatColumns(
    ['key', 'entity', 'date', 'state', 'rule', 'pulled', 'restated', 'flags'],
    rows,
    ['pulled', 'restated'],
  );
  const held = entities.flatMap(({ key, entityId, held: holds }) =>
    holds.map(({ kind, report, message, until }) => {
      const what = report === null ? `${key} (${entityId})` : `${key} (${entityId}), ${report}`;
      const how = kind === 'deferred' ? 'Deferred' : 'Held back';
      return `${what}: ${message} ${until === null ? `${how} until it is configured otherwise.` : `${how} until ${writeInstant(until)}.`}\n`;
    }),
  );
  return [table, [...new Set(held)].join(''), describeQuota(entities)]
    .filter((part) => part !== '')
    .join('\n');
}

/** One line for each bucket of a property or content owner, whose channels share it. */
function describeQuota(entities: StatusAnswer['entities']): string {
  const groups = new Map(entities.map((entity) => [`${entity.source} ${entity.probeGroup}`, entity]));
  const rows = [...groups.values()].flatMap(({ probeGroup, quota }) =>
    quota.map(({ bucket, remaining, most, readAt, fullAt }) => [
      probeGroup,
      bucket,
      formatNumber(remaining),
      formatNumber(most),
      writeInstant(readAt),
      writeInstant(fullAt),
    ]),
  );
  if (rows.length === 0) return '';
  return formatColumns(['property or owner', 'quota', 'left', 'at most', 'read at', 'full again'], rows, [
    'left',
    'at most',
  ]);
}

const writeInstant = (iso: string): string => iso.replace('T', ' ').replace(/\.\d+Z$/, ' UTC');

function describeDay({ judged, wanted, pulled }: StatusDay): string[] {
  const flags = new Set([...judged.flatMap((one) => one.flags), ...pulled.flatMap((one) => one.flags)]);
  const restated = pulled.filter((one) => one.restated > 0).length;
  return [
    stateOf(
      judged.map(({ verdict }) => verdict),
      wanted.length,
      pulled.length,
      restated,
    ),
    [...new Set(judged.map(({ rule }) => rule))].join(', '),
    `${pulled.length}/${wanted.length}`,
    restated === 0 ? '' : String(restated),
    [...flags].sort().join(', '),
  ];
}

function stateOf(verdicts: readonly string[], wanted: number, pulled: number, restated: number): string {
  if (verdicts.length === 0 && pulled === 0) return 'not judged';
  if (verdicts.includes('stopped')) return 'stopped';
  if (pulled < wanted && verdicts.includes('waiting')) return pulled === 0 ? 'waiting' : 'partly waiting';
  if (pulled < wanted) return verdicts.includes('forced') ? 'forced' : 'available';
  return restated > 0 ? 'restated' : 'pulled';
}
