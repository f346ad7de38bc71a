import { isReached, type OpenQuarantine, type Part, type Report } from './status-report.ts';
import { formatColumns, formatNumber } from './terminal.ts';

/** The report for a person, and last what to do. */
export function describeReport(report: Report): string {
  const { project, at, path, queue, spill, quarantine, lastEvent, fold } = report;
  const last = (value: Date | undefined) =>
    value === undefined ? 'none within a week' : `${describeAge(at, value)} ago (${value.toISOString()})`;
  return [
    `Tributary in the project ${project}, ${at.toISOString()}\n`,
    `\nPath, last ${report.hours} hours\n`,
    tell(
      path,
      (counts) =>
        formatColumns(
          ['', 'events', '', '', '', '', ''],
          [
            row('received', counts.received, [
              ['accepted', counts.accepted],
              ['quarantined', counts.quarantined],
              ['duplicate', counts.duplicate],
              ['dropped', counts.dropped],
              ['limited', counts.limited],
            ]),
            row('delivered', counts.delivered, [
              ['appended', counts.appended],
              ['refused', counts.refused],
              ['delivered again', counts.returned],
            ]),
          ],
          ['events'],
        ) +
        `messages published ${formatNumber(counts.messagesPublished)}, spilled ${formatNumber(counts.messagesSpilled)}` +
        `; requests answered 503 ${formatNumber(counts.requestsUnstored)}\n`,
    ),
    '\nOpen\n',
    `last event      ${tell(lastEvent, (value) => `${last(value)}\n`)}`,
    `undelivered     ${tell(queue, ({ undelivered, oldestSeconds }) => `${formatNumber(undelivered)} messages${undelivered === 0 ? '' : `, the oldest for ${describeSeconds(oldestSeconds)}`}\n`)}`,
    `dead letters    ${tell(queue, ({ deadLetters }) => `${formatNumber(deadLetters)} messages\n`)}`,
    `spilled         ${tell(spill, ({ objects, bytes, oldest, isWhole }) => `${isWhole ? '' : 'at least '}${formatNumber(objects)} batches, ${formatNumber(bytes)} bytes${oldest === undefined ? '' : `, the oldest for ${describeAge(at, oldest)}`}\n`)}`,
    `not folded      ${tell(fold, ({ waiting, oldest }) => `${formatNumber(waiting)} operations of persons${oldest === undefined ? '' : `, the oldest for ${describeAge(at, oldest)}`}\n`)}`,
    `quarantine      ${tell(quarantine, (rows) => `${formatNumber(sumOpen(rows))} events\n${describeQuarantine(at, rows)}`)}`,
    `\n${advise(report)
      .map((line) => `${line}\n`)
      .join('')}`,
  ].join('');
}

/** What to do, in sentences; one that all is well where nothing is open and everything could be told. */
export function advise(report: Report): string[] {
  const { at, path, queue, spill, quarantine, lastEvent, fold } = report;
  const lines: string[] = [];
  if (queue.kind === 'told') {
    const { undelivered, oldestSeconds, deadLetters } = queue.value;
    if (undelivered > 0 && oldestSeconds < lateSeconds) {
      lines.push(`${formatNumber(undelivered)} messages are on their way to BigQuery.`);
    } else if (undelivered > 0) {
      lines.push(
        `The oldest message waits for ${describeSeconds(oldestSeconds)}: the log of load says what it cannot append.`,
      );
    }
    if (deadLetters > 0) {
      lines.push(
        `${formatNumber(deadLetters)} messages were given up: mend what the log of load names, then npm run redrive.`,
      );
    }
  }
  if (spill.kind === 'told' && spill.value.objects > 0) {
    const waits = spill.value.oldest === undefined ? 0 : (at.getTime() - spill.value.oldest.getTime()) / 1000;
    lines.push(
      waits < lateSeconds
        ? 'Spilled batches are on their way: replay drains the bucket every minute.'
        : 'Spilled batches wait for long: the log of replay says why it does not drain the bucket.',
    );
  }
  if (fold.kind === 'told' && fold.value.oldest !== undefined) {
    const seconds = (at.getTime() - fold.value.oldest.getTime()) / 1000;
    if (seconds >= foldLateSeconds) {
      lines.push(
        `Identity and profiles are ${describeSeconds(seconds)} behind: the log of fold says why, and npm run fold goes on.`,
      );
    }
  }
  if (quarantine.kind === 'told') lines.push(...adviseReplays(quarantine.value));
  if (path.kind === 'told' && path.value.requestsUnstored > 0) {
    lines.push(
      `${formatNumber(path.value.requestsUnstored)} requests were answered 503: their senders had to send again.`,
    );
  }
  const parts = { path, queue, spill, quarantine, 'last event': lastEvent, fold };
  const untold = Object.entries(parts).filter(([, { kind }]) => kind === 'unavailable');
  if (!isReached(report)) lines.push('Nothing could be reached.');
  else if (untold.length > 0) lines.push(`Not told: ${untold.map(([name]) => name).join(', ')}.`);
  return lines.length === 0 ? ['All is well: nothing is open.'] : lines;
}

/** What takes longer does not pass by itself. */
const lateSeconds = 600;
/** Fold runs every five minutes, and a run may take some. */
const foldLateSeconds = 1_200;
const mostReasons = 10;

/** One line for each reason that a replay may help. */
function adviseReplays(rows: readonly OpenQuarantine[]): string[] {
  const replayable = new Map<string, number>();
  for (const { reason, replayable: count } of rows) {
    if (count > 0) replayable.set(reason, (replayable.get(reason) ?? 0) + count);
  }
  const left = rows.reduce((sum, row) => sum + row.open - row.replayable, 0);
  const reasons = [...replayable].sort(([, a], [, b]) => b - a);
  return [
    ...(reasons.length === 0
      ? []
      : ['Once the cause is mended, in the settings or in the code, replay what is in quarantine:']),
    ...reasons.slice(0, mostReasons).map(([reason]) => `  npm run replay -- --where "reason = '${reason}'"`),
    ...(left === 0
      ? []
      : [`${formatNumber(left)} of quarantine were kept in part only and cannot be replayed.`]),
  ];
}

function describeQuarantine(at: Date, rows: readonly OpenQuarantine[]): string {
  if (rows.length === 0) return '';
  const shown = rows
    .slice(0, mostRows)
    .map(({ reason, project, open, oldest }) => [
      `  ${reason}`,
      project === null ? '(no project)' : printable(project),
      formatNumber(open),
      describeAge(at, oldest),
    ]);
  const more = rows.length - shown.length;
  return (
    formatColumns(['  reason', 'project', 'open', 'oldest'], shown, ['open']) +
    (more > 0 ? `  and ${formatNumber(more)} more of other reasons or projects\n` : '')
  );
}

const mostRows = 20;

const sumOpen = (rows: readonly OpenQuarantine[]): number => rows.reduce((sum, { open }) => sum + open, 0);

/** A project is what a sender claims: it may hold anything. */
const printable = (text: string): string => text.replace(/[^\P{C}]/gu, '\u{fffd}').slice(0, 60);

function row(name: string, count: number, parts: readonly (readonly [string, number])[]): string[] {
  return [name, formatNumber(count), ...parts.map(([part, many]) => `${part} ${formatNumber(many)}`)];
}

function tell<T>(part: Part<T>, describe: (value: T) => string): string {
  return part.kind === 'told' ? describe(part.value) : `not told: ${part.reason}\n`;
}

const describeAge = (at: Date, since: Date): string =>
  describeSeconds((at.getTime() - since.getTime()) / 1000);

function describeSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  if (whole < 7_200) return `${Math.round(whole / 60)} min`;
  if (whole < 172_800) return `${Math.round(whole / 3_600)} h`;
  return `${Math.round(whole / 86_400)} days`;
}
