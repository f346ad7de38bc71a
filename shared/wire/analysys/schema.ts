import { z } from 'zod';
import { isInsideWindow, type TimeWindow } from '../../events/event.ts';

const id = z
  .string()
  .min(1)
  .refine((value) => [...value].length <= 255, 'at most 255 characters');

/** An element of an Analysys request as a schema: what `checkAnalysysEvent` checks by hand on the hot path. */
export const analysysEventSchema = (receivedAt: number, window: TimeWindow) =>
  z.object({
    appid: id,
    xwho: id,
    xwhat: z.string().min(1),
    xwhen: z
      .number()
      .refine(Number.isInteger, 'a whole number')
      .refine((value) => isInsideWindow(value * 1000, receivedAt, window), 'inside the window'),
    xcontext: z.record(z.string(), z.unknown()),
  });
