import { isInsideWindow, type Refusal, type TimeWindow, tellOutsideWindow } from '../../events/event.ts';
import type { JsonObject, JsonValue } from '../json/parse-json.ts';
import { analysysLimits } from './limits.ts';

/** An element of an Analysys request whose five members are what an SDK of the vendor would send. */
export interface AnalysysEvent {
  readonly appid: string;
  readonly xwho: string;
  readonly xwhat: string;
  /** Milliseconds since 1970. */
  readonly xwhen: number;
  readonly xcontext: JsonObject;
}

export type Checked =
  | { readonly ok: true; readonly value: AnalysysEvent }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * Refuses only what no SDK of the vendor would send; written by hand for the hot path and equal to
 * the schema in schema.ts. `receivedAt` in microseconds since 1970.
 */
export function checkAnalysysEvent(element: JsonValue, receivedAt: number, window: TimeWindow): Checked {
  if (!isObject(element)) {
    return refuse('not_an_object', undefined, `an event is a JSON object; this is ${nameOf(element)}`);
  }
  const { appid, xwho, xwhat, xwhen, xcontext } = element;
  if (!isId(appid))
    return refuse(
      'bad_appid',
      'appid',
      `appid should be a string of 1 to 255 characters; it is ${nameOf(appid)}`,
    );
  if (!isId(xwho))
    return refuse(
      'bad_xwho',
      'xwho',
      `xwho should be a string of 1 to 255 characters; it is ${nameOf(xwho)}`,
    );
  if (typeof xwhat !== 'string' || xwhat === '') {
    return refuse('bad_xwhat', 'xwhat', `xwhat should be a string that is not empty; it is ${nameOf(xwhat)}`);
  }
  if (typeof xwhen !== 'number' || !Number.isInteger(xwhen)) {
    return refuse(
      'bad_xwhen',
      'xwhen',
      `xwhen should be a whole number of milliseconds since 1970; it is ${nameOf(xwhen)}`,
    );
  }
  if (!isInsideWindow(xwhen * 1000, receivedAt, window)) {
    return refuse(
      'xwhen_outside_window',
      'xwhen',
      tellOutsideWindow('xwhen', xwhen, xwhen * 1000, receivedAt, window),
    );
  }
  if (!isObject(xcontext)) {
    return refuse('bad_xcontext', 'xcontext', `xcontext should be a JSON object; it is ${nameOf(xcontext)}`);
  }
  return { ok: true, value: { appid, xwho, xwhat, xwhen, xcontext } };
}

/** Characters as the SDKs count them, which is code points where it matters. */
export function isId(value: JsonValue | undefined): value is string {
  if (typeof value !== 'string') return false;
  const { least, most } = analysysLimits.id;
  if (value.length <= most) return value.length >= least;
  return value.length <= most * 2 && [...value].length <= most;
}

export const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function nameOf(value: JsonValue | undefined): string {
  if (value === undefined) return 'absent';
  if (value === null) return 'null';
  if (typeof value === 'string')
    return value === '' ? 'an empty string' : `a string of ${value.length} characters`;
  if (typeof value === 'number') return `the number ${value}`;
  if (typeof value === 'boolean') return `${value}`;
  if (typeof value === 'bigint') return `the number ${value}`;
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'symbol' ? `the number ${value.description}` : 'an object';
}

const refuse = (reason: string, field: string | undefined, detail: string): Checked => ({
  ok: false,
  refusal: { reason, field, detail },
});
