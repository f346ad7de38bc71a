/** Fields of shop items: known and described, but never with the fields of pages and visits. */
export const ITEM_DIMENSIONS: ReadonlySet<string> = new Set(['itemId', 'itemName', 'itemCategory']);
export const ITEM_METRICS: ReadonlySet<string> = new Set(['itemsViewed', 'itemsPurchased', 'itemRevenue']);
const EVENT_METRICS: ReadonlySet<string> = new Set(['eventCount', 'totalUsers', 'activeUsers', 'newUsers']);
const TIME: ReadonlySet<string> = new Set(['date', 'year', 'month', 'day', 'yearMonth', 'hour', 'dateHour']);

/** The field that must go for the request to be compatible; undefined when it is. */
export function incompatible(dimensions: readonly string[], metrics: readonly string[]): string | undefined {
  const itemDimension = dimensions.find((name) => ITEM_DIMENSIONS.has(name));
  const itemMetric = metrics.find((name) => ITEM_METRICS.has(name));
  if (itemDimension !== undefined) {
    return metrics.find((name) => !ITEM_METRICS.has(name)) === undefined ? undefined : itemDimension;
  }
  if (itemMetric === undefined) return undefined;
  const other =
    dimensions.find((name) => !TIME.has(name) && name !== 'dateRange') ??
    metrics.find((name) => !ITEM_METRICS.has(name) && !EVENT_METRICS.has(name));
  return other === undefined ? undefined : itemMetric;
}

/** Dimensions by which rows may be withheld, counted by the quota of thresholded requests (data/v1/quotas). */
export const THRESHOLDED_DIMENSIONS: ReadonlySet<string> = new Set([
  'userAgeBracket',
  'userGender',
  'brandingInterest',
  'audienceId',
  'audienceName',
]);
