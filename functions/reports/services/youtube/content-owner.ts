import { z } from 'zod';
import type { Failure, ServiceContext } from '../service.ts';
import type { Owner } from './configuration.ts';
import type { ExecuteQuery } from './execute-query.ts';

export interface ContentOwner {
  readonly id: string;
  readonly displayName: string;
}

const listShape = z.object({
  items: z.array(z.object({ id: z.string(), displayName: z.string().default('') })).default([]),
});

/**
 * The content owners that an account manages, by the partner API, which no generated client knows
 * (youtube/partner/reference/rest/v1/contentOwners/list). Reports take the id from the configuration; this finds it.
 */
export async function listContentOwners(
  owner: Owner,
  executeQuery: ExecuteQuery,
  context: ServiceContext,
): Promise<{ readonly owners: readonly ContentOwner[] } | { readonly failure: Failure }> {
  const answered = await executeQuery(
    {
      owner,
      probeGroup: owner.key,
      entityId: null,
      reports: [],
      api: 'youtubePartner.v1',
      method: 'contentOwners.list',
      units: null,
      async send({ partnerUrl }, { headers, signal, timeout }) {
        const within = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
        const answer = await fetch(`${partnerUrl}contentOwners?fetchMine=true`, { headers, signal: within });
        return { status: answer.status, data: await answer.text() };
      },
    },
    context,
  );
  if (answered.kind === 'failed') return { failure: answered.failure };
  return { owners: listShape.parse(answered.body).items };
}
