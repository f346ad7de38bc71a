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

/** Few messages that carry the slices; those of one date stay together where they fit, as one call may answer several. */
export function packOrders(source: string, probeGroup: string, slices: readonly OrderedSlice[]): Message[] {
  const dates = [...Map.groupBy(slices, ({ date }) => date)].sort(([one], [other]) => (one < other ? -1 : 1));
  const orders: OrderedSlice[][] = [];
  for (const [, ofDate] of dates) {
    const last = orders.at(-1);
    if (last !== undefined && last.length + ofDate.length <= mostSlices) {
      last.push(...ofDate);
      continue;
    }
    for (let start = 0; start < ofDate.length; start += mostSlices) {
      orders.push(ofDate.slice(start, start + mostSlices));
    }
  }
  return orders.map((own) => {
    const order: PullOrder = { version: 1, source, probeGroup, slices: own };
    return {
      data: Buffer.from(JSON.stringify(order)),
      attributes: { source, probe_group: probeGroup, count: String(own.length) },
    };
  });
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
