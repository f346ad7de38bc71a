import type { ValueRules } from '../json/value-rules.ts';

/**
 * What Segment documents for its HTTP API. It answers 400 to a larger event, and its SDKs then drop the batch; here such
 * an event is stored with a warning. Over 500 KB a batch is taken as any other, since nothing of that is an event's own.
 */
export const segmentLimits = {
  /** Bytes of the JSON of an event; its properties and context are measured. */
  eventBytes: 32 * 1024,
} as const;

/** Names are free text, and values anything. */
export const segmentValueRules: ValueRules = {
  warnStringAbove: Number.POSITIVE_INFINITY,
  warnListAbove: Number.POSITIVE_INFINITY,
  warnNullAndNested: false,
  cut: undefined,
};
