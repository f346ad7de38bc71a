import { countries, devices, GOOGLE_ORGANIC, NOT_SET_SOURCE, type Page, sources } from './catalogue.ts';
import { MOVED, type PropertyDay } from './property-day.ts';
import { isoDay } from './zones.ts';

/** What of a hit decides a dimension's value: `raw` is cheap and asked of each hit, `text` is asked once of each raw. */
export interface Dimension {
  raw(day: PropertyDay, hit: number, isMoved: boolean): number;
  text(raw: number, property: { host: string; page(code: number): Page }): string;
}

const DAY_MS = 86_400_000;

function ofSource(text: (source: (typeof sources)[number]) => string): Dimension {
  return {
    raw: (day, hit, isMoved) => {
      const source = day.source[hit] ?? NOT_SET_SOURCE;
      return isMoved && ((day.flags[hit] ?? 0) & MOVED) !== 0 ? GOOGLE_ORGANIC : source;
    },
    text: (raw) => text(sources[raw] ?? { source: '', medium: '', channelGroup: '', referrer: '' }),
  };
}

function ofPage(text: (page: Page, host: string) => string): Dimension {
  return {
    raw: (day, hit) => day.page[hit] ?? 0,
    text: (raw, { host, page }) => text(page(raw), host),
  };
}

function ofDay(text: (day: string) => string): Dimension {
  return { raw: (day) => day.dayNumber, text: (raw) => text(isoDay(raw * DAY_MS)) };
}

const bare = (day: string) => day.replaceAll('-', '');
const hourOf = (day: PropertyDay, hit: number) => day.cells[day.cell[hit] ?? 0]?.hour ?? 0;

/** The dimensions that the fake knows, by Google's names (data/v1/api-schema). */
export const dimensions: ReadonlyMap<string, Dimension> = new Map<string, Dimension>([
  ['date', ofDay(bare)],
  ['year', ofDay((day) => day.slice(0, 4))],
  ['month', ofDay((day) => day.slice(5, 7))],
  ['day', ofDay((day) => day.slice(8))],
  ['yearMonth', ofDay((day) => bare(day).slice(0, 6))],
  ['dayOfWeek', ofDay((day) => String(new Date(`${day}T00:00:00Z`).getUTCDay()))],
  ['isoYearIsoWeek', ofDay(isoWeek)],
  ['hour', { raw: hourOf, text: (raw) => String(raw).padStart(2, '0') }],
  [
    'dateHour',
    {
      raw: (day, hit) => day.dayNumber * 24 + hourOf(day, hit),
      text: (raw) => `${bare(isoDay(Math.floor(raw / 24) * DAY_MS))}${String(raw % 24).padStart(2, '0')}`,
    },
  ],
  ['hostName', { raw: () => 0, text: (_, { host }) => host }],
  ['pagePath', ofPage(({ path }) => path)],
  ['pagePathPlusQueryString', ofPage(({ path, query }) => path + query)],
  ['pageTitle', ofPage(({ title }) => title)],
  ['unifiedScreenName', ofPage(({ title }) => title)],
  ['fullPageUrl', ofPage(({ path, query }, host) => host + path + query)],
  ['pageLocation', ofPage(({ path, query }, host) => `https://${host}${path}${query}`)],
  ['landingPage', { raw: (day, hit) => day.landing[hit] ?? 0, text: (raw, { page }) => page(raw).path }],
  ['sessionSource', ofSource(({ source }) => source)],
  ['sessionMedium', ofSource(({ medium }) => medium)],
  ['sessionSourceMedium', ofSource(({ source, medium }) => `${source} / ${medium}`)],
  ['sessionDefaultChannelGroup', ofSource(({ channelGroup }) => channelGroup)],
  ['source', ofSource(({ source }) => source)],
  ['medium', ofSource(({ medium }) => medium)],
  ['sourceMedium', ofSource(({ source, medium }) => `${source} / ${medium}`)],
  ['defaultChannelGroup', ofSource(({ channelGroup }) => channelGroup)],
  ['pageReferrer', ofSource(({ referrer }) => referrer)],
  ['country', { raw: (day, hit) => day.country[hit] ?? 0, text: (raw) => countries[raw]?.name ?? '' }],
  ['countryId', { raw: (day, hit) => day.country[hit] ?? 0, text: (raw) => countries[raw]?.id ?? '' }],
  [
    'deviceCategory',
    { raw: (day, hit) => day.device[hit] ?? 0, text: (raw) => devices[raw]?.category ?? '' },
  ],
  ['operatingSystem', { raw: (day, hit) => day.device[hit] ?? 0, text: (raw) => devices[raw]?.system ?? '' }],
  ['browser', { raw: (day, hit) => day.device[hit] ?? 0, text: (raw) => devices[raw]?.browser ?? '' }],
  ['platform', { raw: () => 0, text: () => 'web' }],
  [
    'newVsReturning',
    { raw: (day, hit) => (day.flags[hit] ?? 0) & 16, text: (raw) => (raw === 0 ? 'returning' : 'new') },
  ],
]);

/** ISO 8601's week and its year, as `202501`. */
function isoWeek(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + 4 - (date.getUTCDay() || 7));
  const week = Math.ceil(((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS + 1) / 7);
  return `${date.getUTCFullYear()}${String(week).padStart(2, '0')}`;
}
