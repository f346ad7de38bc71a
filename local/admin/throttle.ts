import { status } from '@grpc/grpc-js';
import type { Overrun } from './quotas.ts';
import { type Refusal, refuse } from './refuse.ts';

/** 'RESOURCE_EXHAUSTED' is 429, what Google's front ends answer; 'RATE_LIMIT_EXCEEDED' the 403 that the page of quotas has. */
export type ThrottleShape = 'RESOURCE_EXHAUSTED' | 'RATE_LIMIT_EXCEEDED';

const service = 'analyticsadmin.googleapis.com';

/** What a call over quota is answered. */
export function throttle(shape: ThrottleShape, { limit, value }: Overrun): Refusal {
  const message = `Quota exceeded for quota metric '${limit.startsWith('Writes') ? 'Writes' : 'Requests'}' and limit '${limit}' of service '${service}' for consumer 'project_number:1'.`;
  const metadata = { service, consumer: 'projects/1', quota_limit: limit, quota_limit_value: String(value) };
  if (shape === 'RESOURCE_EXHAUSTED') {
    return refuse(status.RESOURCE_EXHAUSTED, message, {
      info: { reason: 'RATE_LIMIT_EXCEEDED', domain: 'googleapis.com', metadata },
    });
  }
  return refuse(status.PERMISSION_DENIED, message, {
    info: { reason: 'rateLimitExceeded', domain: 'usageLimits', metadata },
  });
}
