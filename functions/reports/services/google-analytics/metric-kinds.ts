import type { MetricKind } from '../service.ts';

/** Counts of events: a sum of rows is a total (analytics/blog/2022/hll tells of those that are not). */
const additive = new Set([
  'screenPageViews',
  'eventCount',
  'eventValue',
  'keyEvents',
  'conversions',
  'userEngagementDuration',
  'addToCarts',
  'checkouts',
  'ecommercePurchases',
  'transactions',
  'itemsViewed',
  'itemsPurchased',
  'itemsAddedToCart',
  'itemsCheckedOut',
  'itemRevenue',
  'purchaseRevenue',
  'totalRevenue',
  'grossPurchaseRevenue',
  'refundAmount',
  'publisherAdClicks',
  'publisherAdImpressions',
  'totalAdRevenue',
  'advertiserAdClicks',
  'advertiserAdImpressions',
  'advertiserAdCost',
  'organicGoogleSearchClicks',
  'organicGoogleSearchImpressions',
]);

const ratio = /^average|^bounceRate$|Rate$|Rate:|Per[A-Z]|^returnOnAdSpend$/;

/** How a metric may be added up. One that is not known is taken for an estimate, which is never summed. */
export function kindOf(metric: string): MetricKind {
  if (
    additive.has(metric) ||
    /^(keyEvents|conversions|eventCount|customEvent|countCustomEvent):/.test(metric)
  ) {
    return 'additive';
  }
  return ratio.test(metric) ? 'ratio' : 'estimate';
}
