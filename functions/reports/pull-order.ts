import { z } from 'zod';
import type { Message } from '../../shared/google/pubsub-publisher.ts';

const isoDate = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);

const orderedSlice = z.object({
  entityId: z.string(),
  report: z.string(),
  date: isoDate,
  /** The step of the ladder that is due: an attempt that covers it or a later one makes the order void. */
  ladderDay: z.int(),
  cause: z.enum(['first', 'ladder', 'extra', 'backfill']),
  /** Of the availability. */
  rule: z.string(),
  flags: z.array(z.string()),
});

const pullOrder = z.object({
  version: z.literal(1),
  source: z.string(),
  probeGroup: z.string(),
  slices: z.array(orderedSlice).min(1),
});

export type OrderedSlice = z.output<typeof orderedSlice>;
/** What to pull of one property or content owner: the body of a message on the topic `pulls`. */
export type PullOrder = z.output<typeof pullOrder>;

/** As few messages as carry the slices; those of one date stay together where they fit. */
export function packOrders(source: string, probeGroup: string, slices: readonly OrderedSlice[]): Message[] {
  const sorted = slices.toSorted((one, other) =>
    one.date < other.date ? -1 : one.date > other.date ? 1 : 0,
  );
  const messages: Message[] = [];
  for (let start = 0; start < sorted.length; start += mostSlices) {
    const order: PullOrder = {
      version: 1,
      source,
      probeGroup,
      slices: sorted.slice(start, start + mostSlices),
    };
    messages.push({
      data: Buffer.from(JSON.stringify(order)),
      attributes: { source, probe_group: probeGroup, count: String(order.slices.length) },
    });
  }
  return messages;
}

/** A delivery must end within its acknowledgement deadline; these are eight batches of Google Analytics. */
const mostSlices = 40;

/** Undefined where it is no such message. */
export function parseOrder(data: Buffer): PullOrder | undefined {
  try {
    return pullOrder.parse(JSON.parse(data.toString()));
  } catch {
    return undefined;
  }
}
