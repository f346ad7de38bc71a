import { styleText } from 'node:util';
import { z } from 'zod';
import type { ProcessEvent } from '../processes/supervise.ts';
import { displayWidth } from './display-width.ts';

/** Structured lines as the functions write them for Cloud Logging. */
const logLine = z.looseObject({ severity: z.string(), message: z.string() });
const acceptedLine = z.looseObject({
  message: z.literal('batch accepted'),
  project: z.string().optional(),
  dialect: z.string(),
  events: z.number(),
  quarantined: z.number(),
});

/** Lines alike but for their numbers are shown once in this time. */
const REPEAT_MS = 1_000;

/**
 * Turns what the processes write into lines for a person: one per accepted batch, and everything that went wrong.
 * With `quiet` only the latter.
 */
export function createLiveLines(options: {
  write: (line: string) => void;
  color: boolean;
  quiet: boolean;
  now?: () => Date;
}): (event: ProcessEvent) => void {
  const { write, color, quiet, now = () => new Date() } = options;
  const seen = new Map<string, { until: number; more: number }>();
  const paint = (format: 'dim' | 'yellow' | 'red' | 'green', text: string) =>
    color ? styleText(format, text, { validateStream: false }) : text;
  const time = () => paint('dim', now().toTimeString().slice(0, 8));
  const print = (name: string, text: string) => write(`${time()}  ${`${name} `.padEnd(8)}${text}`);

  function printLimited(name: string, text: string): void {
    const key = `${name} ${text.replace(/[0-9a-f-]{6,}|\d+/g, '#')}`;
    const at = now().getTime();
    const last = seen.get(key);
    if (last !== undefined && at < last.until) {
      last.more++;
      return;
    }
    const more = last === undefined || last.more === 0 ? '' : ` (and ${last.more} more like the last)`;
    print(name, text + more);
    if (seen.size > 1_000) seen.clear();
    seen.set(key, { until: at + REPEAT_MS, more: 0 });
  }

  function printLine(name: string, line: string): void {
    const parsed = parseJson(line);
    const accepted = acceptedLine.safeParse(parsed);
    if (accepted.success) {
      if (quiet) return;
      const { project = '(no project)', dialect, events, quarantined } = accepted.data;
      const kept = quarantined === 0 ? '' : paint('yellow', `, ${quarantined} quarantined`);
      print(name, `${padEnd(project, 20)} ${dialect.padEnd(10)} ${count(events, 'event')}${kept}`);
      return;
    }
    const log = logLine.safeParse(parsed);
    if (!log.success) {
      if (line.trim() !== '') printLimited(name, line);
      return;
    }
    const { severity, message, ...facts } = log.data;
    // For the local Cloud Monitoring, not for a person.
    if (message === 'metrics') return;
    if (severity === 'INFO') {
      if (!quiet && !message.startsWith('Serving ')) print(name, message);
      return;
    }
    const format = severity === 'WARNING' ? 'yellow' : 'red';
    printLimited(name, `${paint(format, severity)} ${message}${describeFacts(facts)}`);
  }

  return (event) => {
    switch (event.kind) {
      case 'line':
        printLine(event.name, event.line);
        break;
      case 'died':
        print(
          event.name,
          paint('red', `ended unexpectedly (${event.why}); starting again in ${event.restartInMs} ms`),
        );
        break;
      case 'serving':
        if (event.restarted) print(event.name, paint('green', 'serves again'));
        break;
    }
  };
}

function describeFacts(facts: Readonly<Record<string, unknown>>): string {
  const shown = Object.entries(facts).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return shown.length === 0 ? '' : `  ${shown.join(' ')}`;
}

function parseJson(line: string): unknown {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const padEnd = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - displayWidth(text)));

const count = (many: number, what: string): string => `${many} ${what}${many === 1 ? '' : 's'}`;
