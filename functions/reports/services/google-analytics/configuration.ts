import { z } from 'zod';
import { keyShape, type ReportsConfiguration } from '../../configuration/configuration.ts';
import { expandKeys } from '../../configuration/expand-keys.ts';
import { isTimeZone } from '../calendar.ts';
import { digestOf } from '../digest.ts';
import type { ConfigurationProblem, Entity, Report } from '../service.ts';
import { conditionShape, resolveList } from './conditions.ts';
import { type Derivation, derivations, derivedDimensions } from './derive-dimensions.ts';
import { kindOf } from './metric-kinds.ts';

export const source = 'google_analytics';

const siteShape = z.strictObject({
  key: keyShape,
  name: z.string().optional(),
  properties: z
    .array(
      z.strictObject({
        propertyId: z
          .string()
          .regex(
            /^\d{1,20}$/,
            'must be the digits of a GA4 property id, as in "123456789" (no UA- and no G-)',
          )
          .meta({ description: 'Admin, Property settings: the digits, as text.' }),
        role: z.enum(['primary', 'amp', 'app']).default('primary'),
        waitForData: z.boolean().default(true).meta({
          description: 'false: pulled when the day is over, without asking whether it is complete.',
        }),
        timeZone: z
          .string()
          .refine(isTimeZone, 'must be a name of the tz database, as in Europe/London')
          .optional()
          .meta({ description: "The property's; where absent the API tells it." }),
      }),
    )
    .min(1),
});

const mapsShape = z.strictObject({
  countries: z.array(z.string()).default([]),
  socialSources: z.record(z.string(), z.string()).default({}),
  pathDeny: z.array(z.string()).default([]),
  sourceDeny: z.array(z.string()).default([]),
});

const settingsShape = z
  .strictObject({
    minLagHours: z
      .number()
      .min(0)
      .max(48)
      .default(4)
      .meta({ description: 'No day is probed sooner after its end.' }),
    settleHours: z
      .number()
      .min(1)
      .max(168)
      .default(48)
      .meta({ description: 'From then on a day without any event counts as one.' }),
    deadlineHours: z
      .number()
      .min(1)
      .max(720)
      .default(72)
      .meta({ description: 'From then on a day is pulled whatever is missing, and flagged forced.' }),
    quietAlpha: z
      .number()
      .gt(0)
      .lt(1)
      .default(1e-3)
      .meta({ description: 'How unlikely empty hours may be before they count as missing data.' }),
    unchangedMinutes: z
      .number()
      .min(0)
      .max(1440)
      .default(50)
      .meta({ description: 'For how long nothing of a day may have changed before it counts as complete.' }),
    concurrency: z
      .int()
      .min(1)
      .max(10)
      .default(4)
      .meta({ description: 'Requests at a time for one property.' }),
    rowsPerRequest: z.int().min(1).max(250_000).default(250_000),
    timeoutSeconds: z.int().min(1).max(300).default(60),
  })
  .meta({ description: 'How Google Analytics is asked.' });

export const configurationFields = {
  sites: z.array(siteShape).default([]).meta({ description: 'Sites, each of one or more GA4 properties.' }),
  maps: mapsShape.prefault({}).meta({
    description:
      'Lists that reports name by @: countries, socialSources (source to network), pathDeny and sourceDeny. Each that is absent is the shipped one.',
  }),
  googleAnalytics: settingsShape.prefault({}),
};

const ratioShape = z.strictObject({
  name: keyShape,
  numerator: z.string(),
  denominator: z.array(z.string()).min(1),
  factor: z.number().default(1),
});

export const reportFields = {
  dimensions: z.array(z.string()).max(9).default([]),
  metrics: z.array(z.string()).min(1).max(10),
  filter: z.array(conditionShape).default([]).meta({ description: 'Conditions, all of which must hold.' }),
  named: z
    .strictObject({
      dimension: z.string(),
      values: z.union([z.array(z.string()).min(1), z.string().regex(/^@\w+$/)]),
      rest: z.string().min(1),
    })
    .optional()
    .meta({
      description:
        'Rows for these values of a dimension only, and one row, named by `rest`, that the API itself computes for all others, so that its users are right.',
    }),
  derive: z.array(z.enum(derivations)).default([]).meta({
    description: 'Dimensions computed from those asked for: article (path, amp) and socialNetwork.',
  }),
  ratios: z.array(ratioShape).default([]),
};

const ownShape = z.object(configurationFields);
const reportShape = z.object(reportFields);

export type Settings = z.output<typeof settingsShape>;
export type Maps = z.output<typeof mapsShape>;

/** What is asked for a report, with lists in the place of their names. */
export interface AnalyticsReport extends Report {
  readonly asked: readonly string[];
  readonly filter: readonly z.output<typeof conditionShape>[];
  readonly named: {
    readonly dimension: string;
    readonly values: readonly string[];
    readonly rest: string;
  } | null;
  readonly derive: readonly Derivation[];
}

export interface AnalyticsConfiguration {
  readonly entities: readonly Entity[];
  readonly reports: readonly AnalyticsReport[];
  readonly settings: Settings;
  readonly maps: Maps;
}

/** What of the configuration is Google Analytics'. */
export function readOwn(configuration: ReportsConfiguration): AnalyticsConfiguration {
  const { sites, maps, googleAnalytics: settings } = ownShape.parse(configuration);
  const entities = sites.flatMap((site) =>
    site.properties.map(
      (property): Entity => ({
        source,
        entityId: property.propertyId,
        key: site.key,
        role: property.role,
        probeGroup: property.propertyId,
        timeZone: property.timeZone ?? null,
        waitForData: property.waitForData,
      }),
    ),
  );
  const keys = sites.map(({ key }) => key);
  const reports = configuration.reports
    .filter((report) => report.source === source)
    .map((report): AnalyticsReport => {
      const { dimensions, metrics, filter, named, derive, ratios } = reportShape.parse(report);
      const on = new Set(expandKeys(configuration, report.on, keys));
      const asked = {
        grain: report.grain,
        asked: dimensions,
        filter: filter.map((condition) => ({
          ...condition,
          ...(condition.in !== undefined && { in: resolveList(condition.in, maps) }),
          ...(condition.notIn !== undefined && { notIn: resolveList(condition.notIn, maps) }),
          ...(condition.notMatches !== undefined && { notMatches: resolveList(condition.notMatches, maps) }),
        })),
        named: named === undefined ? null : { ...named, values: resolveList(named.values, maps) },
        derive,
        // A rate is written by its parts, so that another one begins no new series.
        metrics: metrics.map((name) => ({ name, kind: kindOf(name) })),
      };
      const usesSources = derive.includes('socialNetwork') ? maps.socialSources : null;
      return {
        ...asked,
        source,
        key: report.key,
        entityIds: entities.filter(({ key }) => on.has(key)).map(({ entityId }) => entityId),
        gate: 'day',
        dimensions: [...dimensions, ...derive.flatMap((name) => derivedDimensions[name])],
        ratios,
        describes: null,
        hash: digestOf([asked, usesSources]),
      };
    });
  return { entities, reports, settings, maps };
}

/** The keys of sites, of a configuration whose own fields are not checked yet. */
export function listKeys(configuration: ReportsConfiguration): string[] {
  return ownShape.parse(configuration).sites.map(({ key }) => key);
}

/** What shapes cannot tell: names that must exist elsewhere in the file. */
export function checkConfiguration(configuration: ReportsConfiguration): ConfigurationProblem[] {
  const { sites, maps } = ownShape.parse(configuration);
  const problems: ConfigurationProblem[] = [];
  const seen = new Map<string, string>();
  for (const [place, site] of sites.entries()) {
    for (const [index, { propertyId }] of site.properties.entries()) {
      const first = seen.get(propertyId);
      if (first !== undefined) {
        const message = `property ${propertyId} is also one of ${first}: a property belongs to one site`;
        problems.push({ path: ['sites', place, 'properties', index, 'propertyId'], message });
      }
      seen.set(propertyId, site.key);
    }
  }
  const lists = Object.keys(maps);
  for (const [place, report] of configuration.reports.entries()) {
    if (report.source !== source) continue;
    const { filter, named, derive, dimensions, metrics, ratios } = reportShape.parse(report);
    const at = (...path: (string | number)[]) => ['reports', place, ...path];
    const used = [
      ...filter.map((it, index) => [it.in ?? it.notIn ?? it.notMatches, at('filter', index)] as const),
      [named?.values, at('named', 'values')] as const,
    ];
    for (const [list, path] of used) {
      if (typeof list === 'string' && !lists.includes(list.slice(1))) {
        problems.push({ path, message: `${list} is no list of maps: write one of @${lists.join(', @')}` });
      }
    }
    if (named !== undefined && !dimensions.includes(named.dimension)) {
      const message = `${named.dimension} must be among dimensions: ${dimensions.join(', ') || 'there are none'}`;
      problems.push({ path: at('named', 'dimension'), message });
    }
    for (const name of derive) {
      const needs = derivedDimensions[name].length > 0 ? neededFor[name] : [];
      const lacks = needs.length > 0 && !needs.some((it) => dimensions.includes(it));
      if (lacks)
        problems.push({
          path: at('derive'),
          message: `${name} needs ${needs.join(' or ')} among dimensions`,
        });
    }
    problems.push(...checkRatios(ratios, metrics, at('ratios')));
  }
  return problems;
}

const neededFor: Record<Derivation, readonly string[]> = {
  article: ['pagePath', 'pagePathPlusQueryString'],
  socialNetwork: ['sessionSource'],
};

function checkRatios(
  ratios: readonly z.output<typeof ratioShape>[],
  metrics: readonly string[],
  path: readonly (string | number)[],
): ConfigurationProblem[] {
  return ratios.flatMap((ratio, index) =>
    [ratio.numerator, ...ratio.denominator]
      .filter((name) => !metrics.includes(name) || kindOf(name) !== 'additive')
      .map((name) => ({
        path: [...path, index],
        message: `${name} must be among metrics and one that adds up: the parts of a ratio are summed before they are divided`,
      })),
  );
}
