import { status } from '@grpc/grpc-js';
import { z } from 'zod';

/** What became of a call that may have changed something. */
export type WriteAnswer =
  | { readonly kind: 'ok' }
  /** Refused for want of quota, so without effect. */
  | { readonly kind: 'throttled'; readonly code: string; readonly message: string }
  /** Google has looked at it and said no. `named`: places in the batch that it names. */
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly message: string;
      readonly named: readonly number[];
    }
  /** It may have taken effect, wholly, in part or not at all. */
  | { readonly kind: 'ambiguous'; readonly code: string; readonly message: string };

/** Judges what Google's client threw; anything that it does not know may have taken effect. */
export function judgeAnswer(error: unknown): Exclude<WriteAnswer, { kind: 'ok' }> {
  const { data } = thrown.safeParse(error);
  const code = data === undefined ? 'UNKNOWN' : (status[data.code] ?? 'UNKNOWN');
  const message = data?.details || (error instanceof Error ? error.message : String(error));
  if (isThrottle(data, message)) return { kind: 'throttled', code, message };
  if (!refusing.has(code)) return { kind: 'ambiguous', code, message };
  const places = data?.statusDetails?.flatMap((detail) => placesOf(detail)) ?? [];
  return { kind: 'refused', code, message, named: [...new Set(places)] };
}

/** The documentation of the quotas says 403 with rateLimitExceeded, Google's front ends answer 429. */
function isThrottle(data: z.output<typeof thrown> | undefined, message: string): boolean {
  if (data?.code === status.RESOURCE_EXHAUSTED) return true;
  if (data?.code !== status.PERMISSION_DENIED) return false;
  return /^(rateLimitExceeded|userRateLimitExceeded|RATE_LIMIT_EXCEEDED)$/.test(data.reason ?? '')
    ? true
    : /rateLimitExceeded|quota exceeded/i.test(message);
}

/**
 * What says for certain that this call had no effect by itself; of a batch that is no transaction some entries may have
 * taken effect all the same. ALREADY_EXISTS and NOT_FOUND are not among them: they are also what a repeated call gets.
 */
const refusing = new Set([
  'INVALID_ARGUMENT',
  'FAILED_PRECONDITION',
  'PERMISSION_DENIED',
  'UNAUTHENTICATED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
]);

const thrown = z.object({
  code: z.int().min(1).max(16),
  details: z.string().optional(),
  reason: z.string().optional(),
  statusDetails: z.array(z.unknown()).optional(),
});

const badRequest = z.object({ fieldViolations: z.array(z.object({ field: z.string() })) });

/** The places that google.rpc.BadRequest names: `requests[3].access_binding.user`. */
function placesOf(detail: unknown): number[] {
  const { data } = badRequest.safeParse(detail);
  return (data?.fieldViolations ?? []).flatMap(({ field }) => {
    const place = /^requests\[(\d+)\]/.exec(field)?.[1];
    return place === undefined ? [] : [Number(place)];
  });
}
