import type { MetricKind } from '../service.ts';

const ratio = /^average|Percentage|Rate$|^cpm$|Cpm$|^viewerPercentage$/;
const estimate = /^uniques$|^unique|Viewers$/;

/** How a metric may be added up: developers.google.com/youtube/analytics/metrics. */
export function kindOf(metric: string): MetricKind {
  if (ratio.test(metric)) return 'ratio';
  return estimate.test(metric) ? 'estimate' : 'additive';
}

/** Metrics of one gate are there at one time; those of later gates come after those of earlier ones. */
export const gates = ['views', 'subscribers', 'revenue'] as const;
export type Gate = (typeof gates)[number];

function gateOfMetric(metric: string): Gate {
  if (/revenue|earnings|cpm|monetized|^ad[A-Z]|grossRevenue/i.test(metric)) return 'revenue';
  return /subscribers/i.test(metric) ? 'subscribers' : 'views';
}

/** What a report waits for: the latest of its metrics. */
export function gateOf(metrics: readonly string[]): Gate {
  const own = new Set(metrics.map(gateOfMetric));
  return gates.findLast((gate) => own.has(gate)) ?? 'views';
}
