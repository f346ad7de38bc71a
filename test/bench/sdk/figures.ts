import type { Scenario } from './scenarios.ts';
import type { SendFigures } from './send.ts';
import type { SinkReport } from './sink-messages.ts';

/** What one sender did in one scenario; `stopped` says why there are no figures of its process. */
export interface Outcome {
  readonly sender: string;
  readonly events: number;
  readonly report: SinkReport;
  readonly figures: SendFigures | undefined;
  readonly stopped: string | undefined;
}

/** One scenario as a table in Markdown. Ratios are to `floor` of the same run. */
export function writeTable({ name, tells }: Scenario, outcomes: readonly Outcome[], floor: string): string {
  const base = outcomes.find(({ sender }) => sender === floor);
  const rows = outcomes.map((outcome) => writeRow(outcome, base?.figures, base?.events ?? 1));
  const widths = columns.map((column, at) =>
    Math.max(column.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  const title = `### ${name}: ${tells}, ${outcomes[0]?.events ?? 0} events`;
  return [title, '', line(columns), rule, ...rows.map(line), ''].join('\n');
}

/** What no machine's load excuses in ours: a loss, copies of which the server cannot tell, resends that nothing asked for. */
export function findWrongs({ name, plan }: Scenario, { sender, report, stopped }: Outcome): string[] {
  const { lost, idsDiffer, copies, inFailedRequests, connections } = report;
  // A process that is killed does not hear what was answered, and sockets are made anew when the sink was away.
  const isInterrupted = plan === 'killed' || plan === 'outage';
  const found = [
    ...(stopped === undefined ? [] : [stopped]),
    ...(lost === 0 ? [] : [`${lost} events lost`]),
    ...(idsDiffer === 0 ? [] : [`copies of ${idsDiffer} events have other ids`]),
    ...(isInterrupted || copies <= inFailedRequests
      ? []
      : [`${copies} copies, ${inFailedRequests} were asked for`]),
    ...(isInterrupted || connections <= 6 ? [] : [`${connections} connections`]),
  ];
  return found.map((wrong) => `${name}: ${sender}: ${wrong}`);
}

const columns = [
  'sender',
  'CPU µs/event',
  'x floor',
  'peak MB',
  'x floor',
  'bytes/event',
  'requests',
  'connections',
  'lost',
  'copies',
  'ids differ',
  'shutdown ms',
];

function writeRow(outcome: Outcome, floor: SendFigures | undefined, floorEvents: number): string[] {
  const { sender, events, report, figures, stopped } = outcome;
  const ratio = (own: number | undefined, theirs: number | undefined) =>
    own === undefined || theirs === undefined ? '' : (own / theirs).toFixed(2);
  const micros = figures && figures.cpuMicros / events;
  return [
    stopped === undefined ? sender : `${sender} (${stopped})`,
    micros?.toFixed(1) ?? '',
    ratio(micros, floor && floor.cpuMicros / floorEvents),
    figures === undefined ? '' : (figures.peakBytes / 1e6).toFixed(0),
    ratio(figures?.peakBytes, floor?.peakBytes),
    (report.wireBytes / Math.max(1, report.stored)).toFixed(1),
    String(report.requests),
    String(report.connections),
    String(report.lost),
    String(report.copies),
    String(report.idsDiffer),
    figures?.shutdownMs.toFixed(0) ?? '',
  ];
}
