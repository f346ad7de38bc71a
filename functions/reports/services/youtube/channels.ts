import { z } from 'zod';
import type { Failure, ServiceContext } from '../service.ts';
import type { Owner } from './configuration.ts';
import type { ExecuteQuery } from './execute-query.ts';

export interface Channel {
  readonly id: string;
  readonly title: string | null;
}

const pageShape = z.object({
  items: z
    .array(z.object({ id: z.string(), snippet: z.object({ title: z.string() }).optional() }))
    .default([]),
  nextPageToken: z.string().optional(),
});

/** All channels that a content owner manages, all pages of 50: who reads only the first sees fewer of a large owner. */
export async function listChannels(
  owner: Owner,
  probeGroup: string,
  executeQuery: ExecuteQuery,
  context: ServiceContext,
): Promise<{ readonly channels: readonly Channel[] } | { readonly failure: Failure }> {
  const channels: Channel[] = [];
  let pageToken: string | undefined;
  do {
    const token: string | undefined = pageToken;
    const answered = await executeQuery(
      {
        owner,
        probeGroup,
        entityId: null,
        reports: [],
        api: 'youtube.v3',
        method: 'channels.list',
        units: 1,
        send: ({ data }, options) =>
          data.channels.list(
            {
              part: ['snippet'],
              maxResults: 50,
              ...(owner.id === undefined
                ? { mine: true }
                : { managedByMe: true, onBehalfOfContentOwner: owner.id }),
              ...(token !== undefined && { pageToken: token }),
            },
            options,
          ),
      },
      context,
    );
    if (answered.kind === 'failed') return { failure: answered.failure };
    const page = pageShape.parse(answered.body);
    channels.push(...page.items.map(({ id, snippet }) => ({ id, title: snippet?.title ?? null })));
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
  return { channels };
}
