import { type Answer, refuse } from '../answer.ts';
import type { PropertySeed } from '../seed.ts';
import { dimensions } from '../truth/dimensions.ts';
import { metrics } from '../truth/metrics.ts';
import { ITEM_DIMENSIONS, ITEM_METRICS, incompatible } from './fields.ts';
import { fieldsOf } from './filter.ts';
import type { CompatibilityRequest } from './request.ts';

/** Names that Google still takes for others (data/v1/api-schema). */
const DEPRECATED: Readonly<Record<string, string[]>> = { keyEvents: ['conversions'] };

/** `metadata` of a property: every field that the fake knows. */
export function describeFields(propertyId: string, seed: PropertySeed | undefined): object {
  return {
    name: `properties/${propertyId}/metadata`,
    dimensions: [...dimensions.keys(), ...ITEM_DIMENSIONS].map(describeDimension),
    metrics: [...metrics.keys(), ...ITEM_METRICS]
      .filter((name) => name !== 'conversions')
      .map((name) => {
        const blocked = seed?.restrictedMetrics.filter(({ metric }) => metric === name) ?? [];
        return {
          ...describeMetric(name),
          ...(blocked.length > 0
            ? { blockedReasons: blocked.map(({ type }) => `NO_${type.replace('_DATA', '')}_METRICS`) }
            : {}),
        };
      }),
  };
}

/** Each field by whether it could join a report of the fields that were given. */
export function checkCompatibility(request: CompatibilityRequest): Answer {
  const asked = request.dimensions.map(({ name }) => name);
  const inFilter = request.dimensionFilter === undefined ? [] : fieldsOf(request.dimensionFilter);
  const wanted = request.metrics.map(({ name }) => name);
  const unknown =
    [...asked, ...inFilter].find((name) => !dimensions.has(name) && !ITEM_DIMENSIONS.has(name)) ??
    wanted.find((name) => !metrics.has(name) && !ITEM_METRICS.has(name));
  if (unknown !== undefined) {
    const kind = wanted.includes(unknown) ? 'metric' : 'dimension';
    return refuse(
      400,
      `Field ${unknown} is not a valid ${kind}. For a list of valid dimensions and metrics, see https://developers.google.com/analytics/devguides/reporting/data/v1/api-schema`,
    );
  }
  const given = [...asked, ...inFilter];
  const verdict = (fits: boolean) => (fits ? 'COMPATIBLE' : 'INCOMPATIBLE');
  const keeps = ({ compatibility }: { compatibility: string }) =>
    request.compatibilityFilter === 'COMPATIBILITY_UNSPECIFIED' ||
    request.compatibilityFilter === compatibility;
  const dimensionCompatibilities = [...dimensions.keys(), ...ITEM_DIMENSIONS]
    .map((name) => ({
      dimensionMetadata: describeDimension(name),
      compatibility: verdict(
        incompatible([...given.filter((it) => it !== name), name], wanted) === undefined,
      ),
    }))
    .filter(keeps);
  const metricCompatibilities = [...metrics.keys(), ...ITEM_METRICS]
    .map((name) => ({
      metricMetadata: describeMetric(name),
      compatibility: verdict(
        incompatible(given, [...wanted.filter((it) => it !== name), name]) === undefined,
      ),
    }))
    .filter(keeps);
  return {
    status: 200,
    body: {
      ...(dimensionCompatibilities.length > 0 ? { dimensionCompatibilities } : {}),
      ...(metricCompatibilities.length > 0 ? { metricCompatibilities } : {}),
    },
  };
}

function describeDimension(apiName: string) {
  return {
    apiName,
    uiName: words(apiName),
    description: `${words(apiName)}.`,
    category: ITEM_DIMENSIONS.has(apiName) ? 'Ecommerce' : 'Other',
  };
}

function describeMetric(apiName: string) {
  const deprecatedApiNames = DEPRECATED[apiName];
  return {
    apiName,
    uiName: words(apiName),
    description: `${words(apiName)}.`,
    ...(deprecatedApiNames === undefined ? {} : { deprecatedApiNames }),
    type: metrics.get(apiName)?.type ?? (apiName === 'itemRevenue' ? 'TYPE_CURRENCY' : 'TYPE_INTEGER'),
    category: ITEM_METRICS.has(apiName) ? 'Ecommerce' : 'Other',
  };
}

/** `screenPageViews` as `Screen page views`. */
function words(apiName: string): string {
  const spaced = apiName.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
