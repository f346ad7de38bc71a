import { z } from 'zod';
import { share } from './truth/hash.ts';

export const apiNames = [
  'google_analytics',
  'youtube_analytics',
  'youtube_data',
  'youtube_partner',
  'token',
] as const;
export type ApiName = (typeof apiNames)[number];

/** What may go wrong. The first group is answered, the second cuts the connection, the third bends a good answer. */
export const faultNames = [
  'invalid_argument',
  'unauthenticated',
  'permission_denied',
  'not_found',
  'concurrent_requests',
  'tokens_per_day',
  'tokens_per_hour',
  'tokens_per_project_per_hour',
  'thresholded_requests',
  'server_errors',
  'rate_limited',
  'queries_per_day',
  'quota_exceeded',
  'internal',
  'unavailable',
  'bad_gateway',
  'gateway_timeout',
  'invalid_grant',
  'invalid_client',

  'reset',
  'reset_after_work',
  'cut_body',
  'hang',

  'errors_in_200',
  'float_integers',
  'row_count_changes',
  'no_row_count',
  'row_count_without_rows',
  'empty_page',
  'short_page',
  'duplicate_row',
  'other_date',
  'swapped_headers',
  'not_json',
] as const;
export type FaultName = (typeof faultNames)[number];

export const faultRuleSchema = z.strictObject({
  fault: z.enum(faultNames).optional(),
  /** Default: all. */
  api: z.enum(apiNames).optional(),
  /** runReport, batchRunReports, getMetadata, checkCompatibility, reports.query, channels.list, videos.list, ... */
  method: z.string().optional(),
  /** A property's id, a channel's or a content owner's id, a video's, a refresh token or a service account's email. */
  entity: z.string().optional(),
  /** A text that the request holds: a dimension, a day. */
  holds: z.string().optional(),
  /** So many matching calls pass before the first one that is hit. */
  skip: z.int().min(0).default(0),
  /** So many are hit. Default: all. */
  times: z.int().min(1).optional(),
  /** Of those, this share is hit, drawn by the call's number. Default: all. */
  rate: z.number().min(0).max(1).default(1),
  /** Between these instants of the clock. */
  from: z.iso.datetime().optional(),
  until: z.iso.datetime().optional(),
  /** Waits so long in real time before it answers, with or without a fault. */
  delayMs: z.int().min(0).default(0),
});

export type FaultRule = z.output<typeof faultRuleSchema>;
export type FaultRuleInput = z.input<typeof faultRuleSchema>;

/** A call as rules see it. `text` is its parameters and body. */
export interface FaultTarget {
  api: ApiName;
  method: string;
  entities: readonly string[];
  text: string;
}

export interface Faults {
  /** Replaces all rules, and counts anew. */
  set(rules: readonly FaultRuleInput[]): void;
  /** Adds one; the first that hits a call decides. */
  add(rule: FaultRuleInput): void;
  clear(): void;
  list(): readonly (FaultRule & { matched: number; hit: number })[];
  /** The rule that hits a call. Counts it. */
  match(target: FaultTarget, now: number): FaultRule | undefined;
}

export function createFaults(): Faults {
  let rules: (FaultRule & { matched: number; hit: number })[] = [];
  const faults: Faults = {
    set(given) {
      rules = [];
      for (const rule of given) faults.add(rule);
    },
    add(rule) {
      rules.push({ ...faultRuleSchema.parse(rule), matched: 0, hit: 0 });
    },
    clear() {
      rules = [];
    },
    list: () => rules,
    match(target, now) {
      for (const [index, rule] of rules.entries()) {
        if (!concerns(rule, target, now)) continue;
        rule.matched++;
        if (rule.matched <= rule.skip) continue;
        if (rule.times !== undefined && rule.hit >= rule.times) continue;
        if (rule.rate < 1 && share(index, rule.matched, 77) >= rule.rate) continue;
        rule.hit++;
        return rule;
      }
      return undefined;
    },
  };
  return faults;
}

function concerns(rule: FaultRule, { api, method, entities, text }: FaultTarget, now: number): boolean {
  return (
    (rule.api === undefined || rule.api === api) &&
    (rule.method === undefined || rule.method === method) &&
    (rule.entity === undefined || entities.includes(rule.entity)) &&
    (rule.holds === undefined || text.includes(rule.holds)) &&
    (rule.from === undefined || now >= Date.parse(rule.from)) &&
    (rule.until === undefined || now < Date.parse(rule.until))
  );
}
