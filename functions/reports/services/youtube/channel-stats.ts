import { z } from 'zod';
import type { Entity, Failure, ServiceContext, Snapshot, SnapshotOutcome } from '../service.ts';
import type { YouTubeConfiguration } from './configuration.ts';
import type { ExecuteQuery } from './execute-query.ts';

/** Counts are texts; subscribers may be hidden, and are rounded to three figures where they are not. */
const count = z
  .string()
  .regex(/^\d+$/)
  .transform((text) => BigInt(text));
const pageShape = z.object({
  items: z
    .array(
      z.object({
        id: z.string(),
        snippet: z.object({ title: z.string() }).optional(),
        statistics: z
          .object({
            viewCount: count.optional(),
            subscriberCount: count.optional(),
            videoCount: count.optional(),
            hiddenSubscriberCount: z.boolean().default(false),
          })
          .optional(),
      }),
    )
    .default([]),
});

/** youtube/v3/docs/channels/list */
const idsPerCall = 50;

/** Live counters of channels, 50 ids a call. Changes are never derived from them: reports tell gains and losses. */
export async function takeSnapshots(
  entities: readonly Entity[],
  { ownerOf }: Pick<YouTubeConfiguration, 'ownerOf'>,
  executeQuery: ExecuteQuery,
  context: ServiceContext,
): Promise<SnapshotOutcome> {
  const outcome = { snapshots: [] as Snapshot[], failures: [] as Failure[] };
  // Groups of channels without a content owner are of one channel each, and share a call by their account.
  const groups = Map.groupBy(entities, ({ probeGroup }) => ownerOf(probeGroup).key);
  for (const [, own] of groups) {
    for (let from = 0; from < own.length; from += idsPerCall) {
      const some = own.slice(from, from + idsPerCall);
      const probeGroup = some[0]?.probeGroup ?? '';
      const answered = await executeQuery(
        {
          owner: ownerOf(probeGroup),
          probeGroup,
          entityId: null,
          reports: [],
          api: 'youtube.v3',
          method: 'channels.list',
          units: 1,
          send: ({ data }, options) =>
            data.channels.list(
              {
                part: ['snippet,statistics'],
                id: some.map(({ entityId }) => entityId),
                maxResults: idsPerCall,
              },
              options,
            ),
        },
        context,
      );
      if (answered.kind === 'failed') {
        outcome.failures.push(answered.failure);
        break;
      }
      const takenAt = new Date(context.now());
      for (const { id, snippet, statistics } of pageShape.parse(answered.body).items) {
        const isHidden = statistics?.hiddenSubscriberCount ?? true;
        outcome.snapshots.push({
          entityId: id,
          takenAt,
          title: snippet?.title ?? null,
          counters: {
            subscribers: isHidden ? null : (statistics?.subscriberCount ?? null),
            views: statistics?.viewCount ?? null,
            videos: statistics?.videoCount ?? null,
          },
        });
      }
    }
  }
  return outcome;
}
