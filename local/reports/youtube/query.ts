import { type Answer, refuseWithReason } from '../answer.ts';
import type { Caller } from '../oauth/tokens.ts';
import {
  type ChannelTruth,
  channelDimensions,
  channelMetrics,
  sliceChannels,
} from '../truth/channel-slice.ts';
import { utcMidnight } from '../truth/zones.ts';
import type { World } from '../world.ts';
import { managesOwner } from './owners.ts';

/** By video the report is a list of the top ones, of at most so many. */
const MOST_VIDEOS = 200;
const MOST_FILTERED = 500;
const MONETARY_SCOPE = 'https://www.googleapis.com/auth/yt-analytics-monetary.readonly';
const SCOPES = [
  'https://www.googleapis.com/auth/yt-analytics.readonly',
  MONETARY_SCOPE,
  'https://www.googleapis.com/auth/youtube.readonly',
  'https://www.googleapis.com/auth/youtube',
  'https://www.googleapis.com/auth/youtubepartner',
];
/** What traffic sources and devices are told by (youtube/analytics/channel_reports). */
const VIEW_METRICS = new Set([
  'views',
  'engagedViews',
  'estimatedMinutesWatched',
  'averageViewDuration',
  'averageViewPercentage',
]);
/** The combinations of dimensions that reports exist for, without `channel`, which joins each of an owner's. */
const REPORTS = new Set([
  '',
  'day',
  'month',
  'country',
  'video',
  'insightTrafficSourceType',
  'deviceType',
  'day,insightTrafficSourceType',
  'day,deviceType',
]);

/** `GET /v2/reports`: a targeted query. `caller` is null for whoever needs no token. */
export function queryReport(world: World, caller: Caller | null, parameters: URLSearchParams): Answer {
  for (const name of ['ids', 'startDate', 'endDate', 'metrics']) {
    if ((parameters.get(name) ?? '') === '') {
      return refuseWithReason(400, 'required', `Required parameter: ${name}`, { location: name });
    }
  }
  if (caller !== null && !caller.scopes.some((scope) => SCOPES.includes(scope))) {
    return forbidden('insufficientPermissions', 'Request had insufficient authentication scopes.');
  }
  const ids = /^(channel|contentOwner)==([a-zA-Z0-9_+-]+)$/.exec(parameters.get('ids') ?? '');
  if (ids === null)
    return bad(
      `Invalid value '${parameters.get('ids')}'. Values must match the following regular expression: '[a-zA-Z]+==[a-zA-Z0-9_+-]+'`,
    );
  const [, kind, id = ''] = ids;
  const list = (name: string) => (parameters.get(name) ?? '').split(',').filter((it) => it !== '');
  const [dimensions, metrics, sort] = [list('dimensions'), list('metrics'), list('sort')];
  const [from, to] = [parameters.get('startDate') ?? '', parameters.get('endDate') ?? ''];
  for (const [name, value] of [
    ['startDate', from],
    ['endDate', to],
  ] as const) {
    if (!/^\d{4}-\d{2}-\d{2}$/.test(value) || Number.isNaN(utcMidnight(value))) {
      return bad(`Invalid value '${value}' for parameter ${name}. Values must be in the format YYYY-MM-DD.`);
    }
  }
  if (from > to) return bad('The end date must not be before the start date.');
  for (const name of metrics) {
    if (!channelMetrics.has(name))
      return bad(`Unknown identifier (${name}) given in field parameters.metrics.`);
  }
  for (const name of dimensions) {
    if (!channelDimensions.has(name))
      return bad(`Unknown identifier (${name}) given in field parameters.dimensions.`);
  }
  const filters = readFilters(parameters.get('filters') ?? '');
  if (filters === undefined) return bad('Invalid filters.');
  for (const [name, values] of filters) {
    if (!channelDimensions.has(name))
      return bad(`Unknown identifier (${name}) given in field parameters.filters.`);
    if (values.length > MOST_FILTERED)
      return bad(`The filter ${name} has more than ${MOST_FILTERED} values.`);
  }
  const maxResults = readNumber(parameters.get('maxResults'));
  const startIndex = readNumber(parameters.get('startIndex')) ?? 1;
  if (Number.isNaN(maxResults) || Number.isNaN(startIndex)) return bad('Invalid maxResults or startIndex.');
  if (!isSupported({ dimensions, metrics, sort, filters, maxResults, ofOwner: kind === 'contentOwner' })) {
    return bad(
      'The query is not supported. Check the documentation at https://developers.google.com/youtube/analytics/v2/available_reports for a list of supported queries.',
    );
  }
  for (const name of sort) {
    const bare = name.replace(/^-/, '');
    if (!dimensions.includes(bare) && !metrics.includes(bare)) {
      return bad(`Unknown identifier (${bare}) given in field parameters.sort.`);
    }
  }
  if (metrics.includes('estimatedRevenue') && caller !== null && !caller.scopes.includes(MONETARY_SCOPE)) {
    return forbidden('forbidden', 'Forbidden');
  }
  const found = findChannels(world, caller, kind ?? '', id, filters.get('channel'));
  if ('status' in found) return found;
  const { rows } = sliceChannels(found.channels, {
    from,
    to,
    dimensions,
    metrics,
    filters,
    at: world.clock.now(),
    includeHistorical: parameters.get('includeHistoricalChannelData') === 'true',
  });
  const names = [...dimensions, ...metrics];
  const table: (string | number)[][] = rows.map((row) => [...row.dimensions, ...row.metrics]);
  sortTable(table, names, sort);
  const page = table.slice(
    startIndex - 1,
    maxResults === undefined ? undefined : startIndex - 1 + maxResults,
  );
  return {
    status: 200,
    body: {
      kind: 'youtubeAnalytics#resultTable',
      columnHeaders: [
        ...dimensions.map((name) => ({ name, columnType: 'DIMENSION', dataType: 'STRING' })),
        ...metrics.map((name) => ({
          name,
          columnType: 'METRIC',
          dataType: channelMetrics.get(name)?.dataType ?? 'INTEGER',
        })),
      ],
      // Without rows the field is left out (reports.query, rows).
      ...(page.length > 0 ? { rows: page } : {}),
    },
  };
}

function findChannels(
  world: World,
  caller: Caller | null,
  kind: string,
  id: string,
  wanted: readonly string[] | undefined,
): { channels: ChannelTruth[] } | Answer {
  const now = world.clock.now();
  const denied = forbidden('forbidden', 'Forbidden');
  if (kind === 'channel') {
    const own =
      caller === null ? (world.seed.credentials[0]?.channels ?? []) : (caller.credential?.channels ?? []);
    const channelId = id === 'MINE' ? own[0] : id;
    const channel = world.channels.get(channelId ?? '');
    if (channel === undefined || (caller !== null && !own.includes(channel.seed.id))) return denied;
    return { channels: [channel] };
  }
  if (!managesOwner(world, caller, id)) return denied;
  const channels: ChannelTruth[] = [];
  for (const channelId of wanted ?? []) {
    const channel = world.channels.get(channelId);
    const isLinked =
      channel?.seed.owner === id &&
      (channel.seed.unlinkedAt === undefined || now < Date.parse(channel.seed.unlinkedAt));
    if (!isLinked) return denied;
    channels.push(channel);
  }
  return { channels };
}

function isSupported(query: {
  dimensions: readonly string[];
  metrics: readonly string[];
  sort: readonly string[];
  filters: ReadonlyMap<string, readonly string[]>;
  maxResults: number | undefined;
  ofOwner: boolean;
}): boolean {
  const { dimensions, metrics, filters, ofOwner, maxResults, sort } = query;
  const others = dimensions.filter((name) => name !== 'channel').sort();
  if (!REPORTS.has(others.join(','))) return false;
  if (dimensions.includes('channel') && (!ofOwner || !filters.has('channel'))) return false;
  // An owner's report is always by some filter.
  if (ofOwner && filters.size === 0) return false;
  if (others.includes('insightTrafficSourceType') || others.includes('deviceType')) {
    if (!metrics.every((name) => VIEW_METRICS.has(name))) return false;
  }
  if (others.includes('video') && !filters.has('video')) {
    if (sort.length === 0 || maxResults === undefined || maxResults > MOST_VIDEOS) return false;
    if (!sort[0]?.startsWith('-')) return false;
  }
  return true;
}

/** `channel==A,B;country==GB`; undefined when it is not that. */
function readFilters(text: string): Map<string, string[]> | undefined {
  const filters = new Map<string, string[]>();
  for (const part of text.split(';').filter((it) => it !== '')) {
    const read = /^(\w+)==(.+)$/.exec(part);
    if (read === null) return undefined;
    filters.set(read[1] ?? '', (read[2] ?? '').split(','));
  }
  return filters;
}

function readNumber(text: string | null): number | undefined {
  if (text === null) return undefined;
  return /^[1-9]\d*$/.test(text) ? Number(text) : Number.NaN;
}

function sortTable(table: (string | number)[][], names: readonly string[], sort: readonly string[]): void {
  const orders = sort.map((name) => ({
    place: names.indexOf(name.replace(/^-/, '')),
    sign: name.startsWith('-') ? -1 : 1,
  }));
  table.sort((a, b) => {
    for (const { place, sign } of orders) {
      const [one = '', other = ''] = [a[place], b[place]];
      if (one !== other) return one < other ? -sign : sign;
    }
    return 0;
  });
}

function bad(message: string): Answer {
  return refuseWithReason(400, 'badRequest', message, { status: 'INVALID_ARGUMENT' });
}

function forbidden(reason: string, message: string): Answer {
  return refuseWithReason(403, reason, message, { status: 'PERMISSION_DENIED' });
}
