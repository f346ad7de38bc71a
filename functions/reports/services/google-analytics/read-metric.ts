import type { MetricValue } from '../service.ts';

export interface ReadMetric {
  readonly value: MetricValue;
  /** An integer that was written as a fraction; its value is as it was written. */
  readonly isFloatInteger: boolean;
}

/** Metric types that count: developers.google.com/analytics/devguides/reporting/data/v1/rest/v1beta/MetricType. */
const integral = new Set(['TYPE_INTEGER']);
const maybeIntegral = new Set(['TYPE_INTEGER', 'TYPE_SECONDS', 'TYPE_MILLISECONDS']);

/**
 * Reads the text of a metric, exactly: integers as bigints (7.0 is one, and is flagged, since Google writes counts so
 * at times), all else as the double that Google wrote. Nothing is rounded. undefined: it is no number.
 */
export function readMetric(text: string, type: string): ReadMetric | undefined {
  const whole = /^(-?\d+)(\.0+)?$/.exec(text);
  if (whole?.[1] !== undefined && maybeIntegral.has(type)) {
    return { value: BigInt(whole[1]), isFloatInteger: whole[2] !== undefined && integral.has(type) };
  }
  if (!/^-?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? { value, isFloatInteger: integral.has(type) } : undefined;
}
