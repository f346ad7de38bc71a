import { z } from 'zod';
import { dialects, type Event, eventKinds, eventLimits } from './event.ts';

const short = z.string().max(eventLimits.shortField);
const instant = z.number().refine(Number.isSafeInteger, 'a whole number of microseconds');

/** The canonical event as a schema: what `checkEvent` checks by hand on the hot path. */
export const eventSchema = z
  .object({
    project: short.min(1),
    dialect: z.enum(dialects),
    kind: z.enum(eventKinds),
    name: short.optional(),
    itemId: short.optional(),
    anonymousId: short.optional(),
    userId: short.optional(),
    userKey: short.optional(),
    occurredAt: instant,
    timeSource: z.enum(['sender', 'received']),
    sentAt: instant.optional(),
    platform: short.optional(),
    sdk: short.optional(),
    sdkVersion: short.optional(),
    sessionId: short.optional(),
    debug: z.literal([0, 1, 2]),
    properties: z.instanceof(Uint8Array),
    keys: z.array(z.string()),
    context: z.instanceof(Uint8Array),
    warnings: z.array(z.string()),
    messageId: short.optional(),
  })
  .refine((event) => event.kind !== 'track' || (event.name ?? '') !== '', { path: ['name'] })
  .refine((event) => event.kind !== 'item_set' || (event.name !== undefined && event.itemId !== undefined), {
    path: ['itemId'],
  }) satisfies z.ZodType<unknown, Event | Record<string, unknown>>;
