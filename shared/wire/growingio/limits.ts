import type { ValueRules } from '../json/value-rules.ts';

/**
 * What the web SDK 4.3.1 holds its callers to; the others let everything through. Nothing here refuses an event: it is
 * accepted with a warning.
 */
export const growingioLimits = {
  /** Names of custom events that break it are not sent by the web SDK. */
  eventName: /^[a-zA-Z][a-zA-Z0-9_]{0,99}$/,
  /** Characters of an attribute's key, to which the web SDK cuts. */
  attributeKey: 100,
  /** Characters of the other fields that are columns; what is longer stays in context. */
  shortField: 255,
} as const;

/** Attributes: the web SDK cuts strings to 1,000 characters and lists to 100 elements. */
export const attributeRules: ValueRules = {
  warnStringAbove: 1000,
  warnListAbove: 100,
  warnNullAndNested: true,
  cut: undefined,
};

/** The SDK's own fields, some of which are objects. */
export const fieldRules: ValueRules = {
  warnStringAbove: Number.POSITIVE_INFINITY,
  warnListAbove: Number.POSITIVE_INFINITY,
  warnNullAndNested: false,
  cut: undefined,
};

/** Values in a request, nested ones included, and how deep they may nest. */
export const requestBounds = { values: 1_000_000, depth: 1_000 } as const;
