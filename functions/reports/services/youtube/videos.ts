import { z } from 'zod';
import type { Failure, Item, ItemsOutcome, ServiceContext } from '../service.ts';
import type { Owner } from './configuration.ts';
import type { ExecuteQuery } from './execute-query.ts';

/** youtube/v3/docs/videos/list: ids of one call. */
const idsPerCall = 50;

const pageShape = z.object({
  items: z
    .array(
      z.object({
        id: z.string(),
        snippet: z
          .object({ title: z.string(), channelId: z.string().optional(), publishedAt: z.string().optional() })
          .optional(),
      }),
    )
    .default([]),
});

/**
 * Titles of videos, 50 ids a call. One that is deleted or private is not in the answer, and comes back as not found, so
 * that its stored title goes; what is stored must be asked for again within 30 days.
 */
export async function describeVideos(
  ids: readonly string[],
  owner: Owner,
  probeGroup: string,
  executeQuery: ExecuteQuery,
  context: ServiceContext,
): Promise<ItemsOutcome> {
  const outcome = { items: [] as Item[], failures: [] as Failure[] };
  const distinct = [...new Set(ids)];
  for (let from = 0; from < distinct.length; from += idsPerCall) {
    const some = distinct.slice(from, from + idsPerCall);
    const answered = await executeQuery(
      {
        owner,
        probeGroup,
        entityId: null,
        reports: [],
        api: 'youtube.v3',
        method: 'videos.list',
        units: 1,
        send: ({ data }, options) => data.videos.list({ part: ['snippet'], id: some }, options),
      },
      context,
    );
    if (answered.kind === 'failed') {
      outcome.failures.push(answered.failure);
      break;
    }
    const fetchedAt = new Date(context.now());
    const found = new Map(pageShape.parse(answered.body).items.map((item) => [item.id, item.snippet]));
    for (const id of some) {
      const snippet = found.get(id);
      outcome.items.push({
        id,
        found: snippet !== undefined,
        title: snippet?.title ?? null,
        channelId: snippet?.channelId ?? null,
        publishedAt: snippet?.publishedAt === undefined ? null : new Date(snippet.publishedAt),
        fetchedAt,
      });
    }
  }
  return outcome;
}
