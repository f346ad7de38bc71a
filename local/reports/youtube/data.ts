import { type Answer, refuseWithReason } from '../answer.ts';
import type { Caller } from '../oauth/tokens.ts';
import { videoTitle } from '../truth/catalogue.ts';
import { deletedOn, publishedOn, videosAt, YOUTUBE_ZONE } from '../truth/channel-day.ts';
import type { ChannelTruth } from '../truth/channel-slice.ts';
import { hash, hashText } from '../truth/hash.ts';
import { addDays, dayAt, isoDay, utcMidnight, zoneOf } from '../truth/zones.ts';
import type { World } from '../world.ts';
import { managesOwner } from './owners.ts';

const MOST_RESULTS = 50;
const DEFAULT_RESULTS = 5;
const DAY_MS = 86_400_000;
/** The days over which a channel's subscribers moved from what the seed says. */
const SUBSCRIBER_DAYS = 30;

/** `GET /youtube/v3/channels` and `/videos`, of the Data API. `caller` is null for whoever needs no token. */
export function serveYouTubeData(
  world: World,
  caller: Caller | null,
  resource: string,
  parameters: URLSearchParams,
): Answer {
  // Google's clients repeat the parameter; by hand it is one with commas.
  const parts = parameters.getAll('part').flatMap((value) => value.split(',').filter((part) => part !== ''));
  if (parts.length === 0) {
    return refuseWithReason(400, 'missingRequiredParameter', "The required 'part' parameter is missing.", {
      domain: 'youtube.parameter',
      location: 'part',
    });
  }
  const maxResults = Number(parameters.get('maxResults') ?? DEFAULT_RESULTS);
  if (!Number.isInteger(maxResults) || maxResults < 0 || maxResults > MOST_RESULTS) {
    return refuseWithReason(
      400,
      'invalidParameter',
      `Invalid value '${parameters.get('maxResults')}'. Values must be within the range: [0, ${MOST_RESULTS}]`,
      { location: 'maxResults' },
    );
  }
  return resource === 'channels'
    ? listChannels(world, caller, parameters, parts, maxResults)
    : listVideos(world, parameters, parts);
}

function listChannels(
  world: World,
  caller: Caller | null,
  parameters: URLSearchParams,
  parts: readonly string[],
  maxResults: number,
): Answer {
  const now = world.clock.now();
  const ids = idsOf(parameters);
  const owner = parameters.get('onBehalfOfContentOwner');
  const linked = ({ seed }: ChannelTruth) =>
    seed.owner === owner && (seed.unlinkedAt === undefined || now < Date.parse(seed.unlinkedAt));
  if (owner !== null && !managesOwner(world, caller, owner)) {
    return refuseWithReason(403, 'channelForbidden', 'The request is not properly authorized.', {
      domain: 'youtube.channel',
    });
  }
  const all = [...world.channels.values()].filter(
    ({ seed }) => seed.createdAt === undefined || Date.parse(seed.createdAt) <= now,
  );
  let found: ChannelTruth[];
  if (parameters.get('managedByMe') === 'true') {
    if (owner === null) {
      return refuseWithReason(400, 'contentOwnerRequired', 'managedByMe needs onBehalfOfContentOwner.', {
        domain: 'youtube.channel',
      });
    }
    found = all.filter(linked);
  } else if (parameters.get('mine') === 'true') {
    const own = (caller === null ? world.seed.credentials[0] : caller.credential)?.channels ?? [];
    found = all.filter(({ seed }) => own.includes(seed.id));
  } else if (ids.length > MOST_RESULTS) {
    return tooMany(ids.length);
  } else if (ids.length > 0) {
    found = all.filter(({ seed }) => ids.includes(seed.id));
  } else {
    return refuseWithReason(
      400,
      'missingRequiredParameter',
      'No filter selected. Expected one of: id, mine, managedByMe',
      {
        domain: 'youtube.parameter',
        location: 'parameters.',
      },
    );
  }
  // Ids are answered at once; lists come in pages.
  const size = ids.length > 0 ? MOST_RESULTS : Math.max(1, maxResults);
  const start = readPage(parameters.get('pageToken'));
  if (start === undefined) {
    return refuseWithReason(400, 'invalidPageToken', 'The request specifies an invalid page token.', {
      domain: 'youtube.parameter',
      location: 'pageToken',
    });
  }
  const items = found.slice(start, start + size).map((channel) => describeChannel(channel, parts, now));
  return {
    status: 200,
    body: {
      kind: 'youtube#channelListResponse',
      etag: etagOf(JSON.stringify(items)),
      ...(start + size < found.length ? { nextPageToken: writePage(start + size) } : {}),
      ...(start > 0 ? { prevPageToken: writePage(Math.max(0, start - size)) } : {}),
      pageInfo: { totalResults: found.length, resultsPerPage: size },
      ...(items.length > 0 ? { items } : {}),
    },
  };
}

function describeChannel(channel: ChannelTruth, parts: readonly string[], now: number): object {
  const { seed } = channel;
  const counts = countsOf(channel, now);
  const wants = (part: string) => parts.includes(part);
  return {
    kind: 'youtube#channel',
    etag: etagOf(seed.id),
    id: seed.id,
    ...(wants('snippet')
      ? {
          snippet: {
            title: seed.title,
            description: '',
            publishedAt: seed.createdAt ?? '2016-03-01T00:00:00Z',
            localized: { title: seed.title, description: '' },
          },
        }
      : {}),
    ...(wants('contentDetails')
      ? { contentDetails: { relatedPlaylists: { likes: '', uploads: `UU${seed.id.slice(2)}` } } }
      : {}),
    ...(wants('contentOwnerDetails') && seed.owner !== undefined
      ? {
          contentOwnerDetails: {
            contentOwner: seed.owner,
            timeLinked: seed.linkedAt ?? '2018-01-01T00:00:00Z',
          },
        }
      : {}),
    ...(wants('statistics')
      ? {
          statistics: {
            viewCount: String(counts.views),
            ...(seed.hiddenSubscribers ? {} : { subscriberCount: String(roundDown(counts.subscribers)) }),
            hiddenSubscriberCount: seed.hiddenSubscribers,
            videoCount: String(counts.videos),
          },
        }
      : {}),
  };
}

function listVideos(world: World, parameters: URLSearchParams, parts: readonly string[]): Answer {
  const ids = idsOf(parameters);
  if (ids.length === 0) {
    return refuseWithReason(
      400,
      'missingRequiredParameter',
      'No filter selected. Expected one of: id, chart',
      {
        domain: 'youtube.parameter',
        location: 'parameters.',
      },
    );
  }
  if (ids.length > MOST_RESULTS) return tooMany(ids.length);
  const now = world.clock.now();
  const today = Math.floor(now / DAY_MS);
  const items = ids.flatMap((id) => {
    const known = findVideo(world, id, today);
    if (known === undefined) return [];
    const { seed } = known.channel;
    const views = Math.floor(seed.viewsPerDay * (hash(hashText(id)) % 40));
    return [
      {
        kind: 'youtube#video',
        etag: etagOf(id),
        id,
        ...(parts.includes('snippet')
          ? {
              snippet: {
                publishedAt: `${isoDay(publishedOn(seed, known.video) * DAY_MS)}T16:00:00Z`,
                channelId: seed.id,
                channelTitle: seed.title,
                title: videoTitle(seed.id, known.video),
                description: '',
                categoryId: '20',
              },
            }
          : {}),
        ...(parts.includes('contentDetails') ? { contentDetails: { duration: 'PT8M0S' } } : {}),
        ...(parts.includes('status')
          ? { status: { uploadStatus: 'processed', privacyStatus: 'public' } }
          : {}),
        ...(parts.includes('statistics')
          ? { statistics: { viewCount: String(views), likeCount: String(Math.floor(views / 30)) } }
          : {}),
      },
    ];
  });
  // A video that is gone has no item, and no error either.
  return {
    status: 200,
    body: {
      kind: 'youtube#videoListResponse',
      etag: etagOf(ids.join()),
      items,
      pageInfo: { totalResults: items.length, resultsPerPage: items.length },
    },
  };
}

function findVideo(world: World, id: string, today: number) {
  for (const channel of world.channels.values()) {
    const video = channel.videos(today).get(id);
    if (video === undefined) continue;
    return deletedOn(channel.seed, video) <= today ? undefined : { channel, video };
  }
  return undefined;
}

/** What a channel shows on its page: live, not by days. */
function countsOf(channel: ChannelTruth, now: number) {
  const { seed } = channel;
  const zone = zoneOf(YOUTUBE_ZONE);
  const today = dayAt(zone, now);
  let subscribers = seed.subscribers;
  for (let back = 1; back <= SUBSCRIBER_DAYS; back++) {
    for (const viewing of channel.day(addDays(today, -back))) {
      subscribers += viewing.subscribersGained - viewing.subscribersLost;
    }
  }
  const days = Math.floor(now / DAY_MS) - 17_000;
  const videos = videosAt(seed, Math.round(utcMidnight(today) / DAY_MS));
  return { subscribers: Math.max(0, subscribers), views: Math.floor(seed.viewsPerDay * days), videos };
}

/** From 1,000 on YouTube shows the first three figures (channels, statistics.subscriberCount). */
function roundDown(count: number): number {
  const unit = 10 ** Math.max(0, String(count).length - 3);
  return Math.floor(count / unit) * unit;
}

function tooMany(count: number): Answer {
  return refuseWithReason(
    400,
    'invalidParameter',
    `The request specifies an invalid filter parameter: ${count} ids where ${MOST_RESULTS} are allowed.`,
    { domain: 'youtube.parameter', location: 'id' },
  );
}

function idsOf(parameters: URLSearchParams): string[] {
  return parameters
    .getAll('id')
    .flatMap((ids) => ids.split(','))
    .filter((id) => id !== '');
}

function readPage(token: string | null): number | undefined {
  if (token === null) return 0;
  const read = /^at:(\d+)$/.exec(Buffer.from(token, 'base64url').toString());
  return read === null ? undefined : Number(read[1]);
}

function writePage(start: number): string {
  return Buffer.from(`at:${start}`).toString('base64url');
}

function etagOf(text: string): string {
  return hashText(text).toString(36);
}
