import type { ValueRules } from '../json/value-rules.ts';

/**
 * What Analysys documents for its SDKs, and what those really let through.
 * Nothing here refuses an event but the ids: the vendor's own SDKs only warn.
 */
export const analysysLimits = {
  /** Characters of appid and xwho: all SDKs refuse what lies outside. */
  id: { least: 1, most: 255 },
  /** Characters of names and keys, documented as 99; the SDKs' patterns let 100 and more through with a warning. */
  name: /^[$A-Za-z][A-Za-z0-9_]{0,98}$/,
  properties: 100,
} as const;

export const analysysValueRules: ValueRules = {
  warnStringAbove: 255,
  warnListAbove: 100,
  warnNullAndNested: true,
  // The Python SDK cuts to 8,192 characters and `$` itself: what is 8,193 long arrives untouched.
  cut: { above: 8193, to: 8192, mark: '$' },
};

/** The SDK's own fields in the xcontext of every event. */
export const sdkFields: ReadonlySet<string> = new Set([
  '$lib',
  '$lib_version',
  '$platform',
  '$debug',
  '$is_login',
  '$original_id',
]);
