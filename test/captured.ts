import type { SentRequest } from './replay-captures.ts';
import type { Row } from './warehouse-of.ts';

/** What was recorded from a vendor's SDKs, and how it must show in the warehouse when all of it is sent again. */
export interface Captured {
  readonly vendor: string;
  readonly dialect: string;
  readonly requests: readonly (SentRequest & { readonly file: string })[];
  readonly success: { readonly status: number; readonly body: string };
  /** As the SDKs sent it: everything once, what of it `events` shows, and what state_log holds too. */
  readonly all: readonly object[];
  readonly counted: readonly object[];
  readonly state: readonly object[];
  /** The rows of state_log that were sent, and not derived by ingest. */
  readonly stateWhere: string;
  /** How many copies event_log holds at least when every request is sent once. */
  readonly leastCopies: number;
  /** What `rebuild` reads of a row. */
  readonly columns: string;
  /** The event as its SDK sent it, from the columns of its row. */
  rebuild(row: Row): unknown;
}

/** Events in an order that depends on them alone, each as text with its keys sorted. */
export const sorted = (events: readonly unknown[]): string[] => events.map(canonical).sort();

export const canonical = (event: unknown): string => JSON.stringify(sortKeys(event));

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, member]) => [key, sortKeys(member)]),
  );
}
