import { z } from 'zod';
import { type CallFunction, createCallFunction, readLocalPorts } from './endpoints.ts';
import { CommandFailed } from './terminal.ts';

/** The flags that every command of reports has which asks the function. */
export const callFlags = {
  url: { type: 'string' },
  format: { type: 'string', default: 'text' },
  help: { type: 'boolean', short: 'h' },
} as const;

export const callFlagsHelp = `  --format FORMAT     text or json                                          text
  --url URL           the function reports-poll, REPORTS_URL                the local cloud's
  --help              this text`;

/** Above the timeout of the function, so that its own answer comes first. */
const answerWithinMs = 960_000;

/** Calls the function reports-poll as the operator. */
export function callReports(flag: string | undefined): CallFunction {
  const url = flag ?? (process.env.REPORTS_URL || `http://127.0.0.1:${readLocalPorts(process.env).reports}`);
  if (/^https?:\/\//.test(url) && URL.canParse(url)) {
    return createCallFunction(url, process.env, answerWithinMs);
  }
  throw new CommandFailed(`--url (REPORTS_URL) must be a URL, not ${JSON.stringify(url)}.`);
}

/** A day as an operator writes it. */
export function readDay(text: string | undefined, what: string, help: string): string {
  if (text === undefined) throw new CommandFailed(`${what} is missing.\n\n${help}`);
  if (z.iso.date().safeParse(text).success) return text;
  throw new CommandFailed(`${what} must be a day, as 2026-03-01, not ${JSON.stringify(text)}.`);
}

/** Keys of sites and channels with commas between; undefined for all. */
export function readKeys(text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  const keys = text.split(',').filter((key) => key !== '');
  if (keys.length > 0) return keys;
  throw new CommandFailed('--only must be keys of sites and channels with commas between.');
}

export const addDays = (day: string, days: number): string =>
  new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10);

const judgement = z.object({
  gate: z.string(),
  verdict: z.string(),
  rule: z.string(),
  flags: z.array(z.string()),
  probedAt: z.string(),
  notBefore: z.string().nullable(),
  proof: z.record(z.string(), z.unknown()).optional(),
});

const day = z.object({
  date: z.string(),
  judged: z.array(judgement),
  wanted: z.array(z.string()),
  pulled: z.array(
    z.object({
      report: z.string(),
      attempts: z.number(),
      ladderDay: z.number(),
      rows: z.number(),
      rule: z.string(),
      flags: z.array(z.string()),
      restated: z.number(),
    }),
  ),
});

/** What `POST /status` answers. */
export const statusAnswer = z.object({
  entities: z.array(
    z.object({
      source: z.string(),
      key: z.string(),
      entityId: z.string(),
      probeGroup: z.string(),
      held: z.array(
        z.object({
          scope: z.string(),
          kind: z.string(),
          report: z.string().nullable(),
          reason: z.string(),
          message: z.string(),
          since: z.string(),
          until: z.string().nullable(),
        }),
      ),
      /** What the API last said is left of each quota, unless it is full again since. */
      quota: z.array(
        z.object({
          bucket: z.string(),
          remaining: z.number(),
          most: z.number(),
          readAt: z.string(),
          fullAt: z.string(),
        }),
      ),
      days: z.array(day),
    }),
  ),
});

export type StatusAnswer = z.output<typeof statusAnswer>;
export type StatusDay = z.output<typeof day>;
export type Judgement = z.output<typeof judgement>;
