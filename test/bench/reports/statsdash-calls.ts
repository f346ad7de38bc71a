/** What of a network decides how often Statsdash calls. */
export interface NetworkSize {
  /** Google Analytics ids, and YouTube channels. */
  properties: number;
  channels: number;
  /** Of a day, over all sites: sources that Statsdash would ask the articles of (5 at most), and social networks (15). */
  sources: number;
  networks: number;
  /** Rows of its table of videos, of all channels: 20 of each at most. */
  videos: number;
}

export interface StatsdashTable {
  name: string;
  source: 'google_analytics' | 'youtube';
  /** Shipped reports that hold it. */
  reports: readonly string[];
  /** Calls of one daily report: of the day, of the day before and of the year before, unless said otherwise. */
  calls(size: NetworkSize): number;
  formula: string;
}

/**
 * The thirteen tables of Statsdash (gamernetwork/gastatsdash, b786c363) as its classes AnalyticsCoreReport and YoutubeReport
 * make them for one daily report over all sites and channels. One request is one call: it neither batches nor pages.
 */
export const STATSDASH_TABLES: readonly StatsdashTable[] = [
  {
    name: 'summary',
    source: 'google_analytics',
    reports: ['site_users_weekly', 'site_users_monthly'],
    calls: ({ properties }) => 9 * properties,
    formula: '9 P: three periods of the day, the month to date and the month',
  },
  {
    name: 'site summary',
    source: 'google_analytics',
    reports: ['site_summary'],
    calls: ({ properties }) => 3 * properties,
    formula: '3 P',
  },
  {
    name: 'articles',
    source: 'google_analytics',
    reports: ['site_articles'],
    calls: ({ properties }) => 2 * properties,
    formula: '2 P: the day and the one before',
  },
  {
    name: 'countries',
    source: 'google_analytics',
    reports: ['site_countries'],
    calls: ({ properties }) => 6 * properties,
    formula: '6 P: the named ones, and the rest',
  },
  {
    name: 'sources and media',
    source: 'google_analytics',
    reports: ['site_sources'],
    calls: ({ properties }) => 3 * properties,
    formula: '3 P',
  },
  {
    name: 'referrers',
    source: 'google_analytics',
    reports: ['site_referrers', 'site_referrer_articles'],
    calls: ({ properties, sources }) => (3 + 2 * sources) * properties,
    formula: '(3 + 2 s) P: two days of articles for each of s sources',
  },
  {
    name: 'devices',
    source: 'google_analytics',
    reports: ['site_devices', 'site_devices_monthly'],
    calls: ({ properties }) => 3 * properties,
    formula: '3 P',
  },
  {
    name: 'social networks',
    source: 'google_analytics',
    reports: ['site_social'],
    calls: ({ properties, networks }) => (3 + 2 * networks) * properties,
    formula: '(3 + 2 n) P: two days of articles for each of n networks',
  },
  {
    name: 'channel summary',
    source: 'youtube',
    reports: ['channel_summary'],
    calls: ({ channels }) => 4 * channels,
    formula: '4 C: three periods and the live counters',
  },
  {
    name: 'channel stats',
    source: 'youtube',
    reports: ['channel_stats'],
    calls: ({ channels }) => 3 * channels,
    formula: '3 C',
  },
  {
    name: 'channel countries',
    source: 'youtube',
    reports: ['channel_countries'],
    calls: ({ channels }) => 3 * channels,
    formula: '3 C',
  },
  {
    name: 'videos',
    source: 'youtube',
    reports: ['channel_videos'],
    calls: ({ channels, videos }) => channels + videos,
    formula: 'C + v: the title of each of v rows by a call of its own',
  },
  {
    name: 'traffic sources',
    source: 'youtube',
    reports: ['channel_traffic_sources'],
    calls: ({ channels }) => 3 * channels,
    formula: '3 C',
  },
];

/** Whether the day is there: asked hourly until it is, and counted here as if the first answer were always yes. */
export const STATSDASH_CHECKS = {
  calls: ({ properties, channels }: NetworkSize) => properties + channels,
  formula: 'P + C: one check a day, the least',
};

/** Days that one request of tap-ga4 covers, of the 90 that it reads again each day. */
const DAYS_OF_A_REQUEST = 7;

/** Calls of a day where every report is read again for the 90 days before, as the Singer tap tap-ga4 does. */
export function rereadCalls({ reports, entities }: { reports: number; entities: number }): number {
  return reports * entities * Math.ceil(90 / DAYS_OF_A_REQUEST);
}

export const REREAD_FORMULA = '13 calls of seven days for each report, property and channel, every day';
