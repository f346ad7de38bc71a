import type { TributaryEvent } from './wire-event.ts';

/**
 * The body of a request in our own dialect: one event a line (NDJSON), to be posted to `/v1/events`, plain or compressed.
 * Runs in browsers too. Throws a TypeError for what JSON cannot say, as a cycle.
 *
 * `prefix`, of the batch, gives those events an id that have none: send the same bytes again and each is stored once.
 */
export const encodeEvents = (events: readonly TributaryEvent[], prefix?: string): string =>
  events
    .map((event, place) => {
      const needsId = event.id === undefined && prefix !== undefined;
      return `${writeLine(needsId ? { ...event, id: toMessageId(prefix, place) } : event)}\n`;
    })
    .join('');

/** `<prefix>-<n>`: a random prefix per batch, a hyphen, and the place in the batch from 0. */
export const toMessageId = (prefix: string, place: number): string => `${prefix}-${place}`;

// JSON's own text of a number is in V8 since 11.4 and not yet in every browser or in TypeScript's library.
const { rawJSON } = JSON as unknown as { rawJSON?: (text: string) => unknown };

/** Whole numbers of 64 bits arrive exactly; where JSON has no such text they arrive as strings. */
const writeLine = (event: TributaryEvent): string =>
  JSON.stringify(event, (_key, value: unknown) =>
    typeof value === 'bigint' ? (rawJSON?.(String(value)) ?? String(value)) : value,
  );
