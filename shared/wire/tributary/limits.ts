import type { ValueRules } from '../json/value-rules.ts';

/** What our own dialect holds its senders to; every limit is in the schema that senders read. */
export const tributaryLimits = {
  /** Characters (UTF-16 units) of ids, names and other short fields: at least one. */
  short: 255,
  /** Of sent_at, in milliseconds since 1970: until the year 2200. */
  lastMilliseconds: 7_258_118_400_000,
} as const;

/** Values travel as they are. */
export const valueRules: ValueRules = {
  warnStringAbove: Infinity,
  warnListAbove: Infinity,
  warnNullAndNested: false,
  cut: undefined,
};
