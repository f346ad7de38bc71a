import { status } from '@grpc/grpc-js';
import { z } from 'zod';
import type { Random } from './random.ts';

const statusNames = Object.keys(status).filter((name) => Number.isNaN(Number(name)));

/** Something that goes wrong with a call that matches. */
export const faultSchema = z.strictObject({
  methods: z.array(z.string()).optional().describe('such as BatchCreateAccessBindings; without it any'),
  kind: z.enum(['read', 'write']).optional(),
  parents: z.array(z.string()).optional().describe('accounts/N or properties/N; without it any'),
  skip: z.int().min(0).default(0).describe('how many calls that match pass first'),
  times: z.int().min(1).nullable().default(1).describe('how many calls it befalls; null for no end'),
  rate: z.number().min(0).max(1).default(1).describe('how likely it befalls a call that matches'),
  commits: z
    .union([z.literal(['nothing', 'everything', 'later']), z.int().min(0)])
    .default('nothing')
    .describe(
      'what of the call takes effect: all of it, all of it once the next call is answered, or so many entries of a batch that is no transaction',
    ),
  answers: z
    .literal(['NOTHING', 'RATE_LIMIT_EXCEEDED', ...statusNames])
    .describe(
      'NOTHING hangs until the caller gives up; RATE_LIMIT_EXCEEDED is the 403 of the documentation, RESOURCE_EXHAUSTED the 429; OK with less committed is a batch that lies',
    ),
});

export type Fault = z.input<typeof faultSchema>;
export type ParsedFault = z.output<typeof faultSchema>;

export interface Faults {
  set(faults: readonly Fault[]): void;
  /** The first fault that befalls the call, if any. */
  pick(call: { method: string; kind: 'read' | 'write'; parent: string }): ParsedFault | undefined;
  /** How often each of the faults that are set has befallen a call, in their order. */
  counts(): number[];
}

export function createFaults(random: Random): Faults {
  let live: { fault: ParsedFault; seen: number; struck: number }[] = [];
  return {
    set(faults) {
      live = faults.map((fault) => ({ fault: faultSchema.parse(fault), seen: 0, struck: 0 }));
    },
    pick({ method, kind, parent }) {
      for (const one of live) {
        const { fault } = one;
        if (fault.methods !== undefined && !fault.methods.includes(method)) continue;
        if (fault.kind !== undefined && fault.kind !== kind) continue;
        if (fault.parents !== undefined && !fault.parents.includes(parent)) continue;
        one.seen++;
        if (one.seen <= fault.skip) continue;
        if (fault.times !== null && one.struck >= fault.times) continue;
        if (fault.rate < 1 && random() >= fault.rate) continue;
        one.struck++;
        return fault;
      }
      return undefined;
    },
    counts: () => live.map(({ struck }) => struck),
  };
}
