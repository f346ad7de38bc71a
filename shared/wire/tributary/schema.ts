import { z } from 'zod';
import { eventKinds, isInsideWindow, type TimeWindow } from '../../events/event.ts';
import { tributaryLimits } from './limits.ts';

const short = z.string().min(1).max(tributaryLimits.short);
const object = z.record(z.string(), z.unknown());
const time = z.union([
  z.string().regex(/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,30})?([Zz]|[+-]\d\d:\d\d)$/),
  z.int(),
]);

/** Field by field. What no single field tells, the refinements below, stands in the descriptions. */
export const tributaryEventFields = z
  .strictObject({
    id: short
      .optional()
      .describe(
        'Your own id of the event, unique in the project and the same when it is sent again. Ours are <prefix>-<n>: a random prefix per batch, a hyphen, and the place in the batch from 0. Without it the whole event is its identity',
      ),
    kind: z.enum(eventKinds).default('track').describe('What happened'),
    name: short.optional().describe('Name of a track, key of an item_set; other kinds have none'),
    item_id: short.optional().describe('Id of the item of an item_set; other kinds have none'),
    anonymous_id: short.optional().describe('Device id; an event with a user_id too binds it to the user'),
    user_id: short
      .optional()
      .describe('Login id; every kind but item_set needs it or anonymous_id, alias needs both'),
    user_key: short.optional().describe('Kind of user_id, such as email; only beside a user_id'),
    occurred_at: time
      .optional()
      .describe('When it happened: RFC 3339, or milliseconds since 1970; absent: when it was received'),
    sent_at: time
      .optional()
      .describe('Your clock when you send: RFC 3339, or milliseconds since 1970, to 2200'),
    platform: short.optional().describe('Such as Web, iOS, Android or Server'),
    sdk: short.optional().describe('Name of the program that makes the events'),
    sdk_version: short.optional().describe('Its version'),
    session_id: short.optional().describe('The visit that the event belongs to'),
    debug: z
      .literal([0, 1, 2])
      .default(0)
      .describe('0 counted, 1 shown in events_debug but not counted, 2 both'),
    properties: object.optional().describe('What the caller gives'),
    context: object.optional().describe('What is known of the circumstances: page, screen, user agent'),
  })
  .describe('An event as our own API takes it; a field that is absent is left out, and never null');

/** An element of a request in our own dialect as a schema: what `checkTributaryEvent` checks by hand on the hot path. */
export const tributaryEventSchema = (receivedAt: number, window: TimeWindow) =>
  tributaryEventFields
    .refine(({ kind, name }) => (kind === 'track' || kind === 'item_set') === (name !== undefined))
    .refine(({ kind, item_id }) => (kind === 'item_set') === (item_id !== undefined))
    .refine(({ user_key, user_id }) => user_key === undefined || user_id !== undefined)
    .refine(({ kind, anonymous_id, user_id }) => {
      const ids = [anonymous_id, user_id].filter((id) => id !== undefined).length;
      return ids >= (kind === 'item_set' ? 0 : kind === 'alias' ? 2 : 1);
    })
    .refine(({ occurred_at }) => {
      if (occurred_at === undefined) return true;
      const micros = microsOf(occurred_at);
      return micros !== undefined && isInsideWindow(micros, receivedAt, window);
    })
    .refine(({ sent_at }) => {
      if (sent_at === undefined) return true;
      const micros = microsOf(sent_at);
      return micros !== undefined && micros >= 0 && micros <= tributaryLimits.lastMilliseconds * 1000;
    });

/** Field by field with the calendar's own arithmetic, unlike the reading on the hot path. */
function microsOf(time: string | number): number | undefined {
  if (typeof time === 'number') return time * 1000;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = time
    .slice(0, 19)
    .split(/[-Tt:]/)
    .map(Number);
  const daysInMonth = [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  if (day < 1 || day > daysInMonth || hour > 23 || minute > 59 || second > 59) return undefined;
  const [, fraction = '', sign = '+', offsetHours = '0', offsetMinutes = '0'] =
    /^(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/.exec(time.slice(19)) ?? [];
  if (Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return undefined;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === '-' ? -60 : 60);
  // Date.UTC takes years below 100 for those of the last century.
  const whole = new Date(0).setUTCFullYear(year, month - 1, day) / 1000 + hour * 3600 + minute * 60 + second;
  return (whole - offset) * 1_000_000 + Math.floor(Number(`0.${fraction || '0'}`) * 1_000_000);
}

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
