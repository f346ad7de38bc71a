import { z } from 'zod';
import { nearestName } from '../nearest-name.ts';
import type { Problem, ServiceContext } from '../service.ts';
import type { AnalyticsReport } from './configuration.ts';
import type { ExecuteQuery } from './execute-query.ts';

const names = z.array(z.object({ apiName: z.string() })).default([]);
const metadataShape = z.object({ dimensions: names, metrics: names });

/** UA's names have others in GA4 (devguides/migration/api/reporting-ua-to-ga4-dims-mets). */
const renamed: Readonly<Record<string, string>> = {
  users: 'totalUsers',
  pageviews: 'screenPageViews',
  hits: 'eventCount',
  pageviewsPerSession: 'screenPageViewsPerSession',
  avgSessionDuration: 'averageSessionDuration',
  sessionDuration: 'userEngagementDuration',
  source: 'sessionSource',
  medium: 'sessionMedium',
  sourceMedium: 'sessionSourceMedium',
  campaign: 'sessionCampaignName',
  socialNetwork: 'derive: [socialNetwork] of sessionSource',
};

/**
 * Holds every report against the metadata of each of its properties (custom dimensions differ), and its combination of
 * names against the API's own judgement at the first of them.
 */
export async function checkReports(
  reports: readonly AnalyticsReport[],
  only: readonly string[] | undefined,
  executeQuery: ExecuteQuery,
  context: ServiceContext,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  const isAsked = (propertyId: string) => only?.includes(propertyId) ?? true;
  for (const propertyId of new Set(reports.flatMap(({ entityIds }) => entityIds))) {
    if (!isAsked(propertyId)) continue;
    const own = reports.filter(({ entityIds }) => entityIds.includes(propertyId));
    const answered = await executeQuery({ method: 'getMetadata', propertyId, reports: [] }, context);
    if (answered.kind === 'failed') {
      const { reason, message } = answered.failure;
      problems.push({ report: '*', entityId: propertyId, field: 'access', name: reason, message });
      continue;
    }
    const { dimensions, metrics } = metadataShape.parse(answered.body);
    const known = { dimensions: toNames(dimensions), metrics: toNames(metrics) };
    problems.push(...own.flatMap((report) => checkNames(report, propertyId, known)));
  }
  for (const report of reports) {
    const [propertyId] = report.entityIds;
    if (
      propertyId === undefined ||
      !isAsked(propertyId) ||
      problems.some((it) => it.report === report.key || it.entityId === propertyId)
    ) {
      continue;
    }
    problems.push(...(await checkCombination(report, propertyId, executeQuery, context)));
  }
  return problems;
}

const toNames = (list: z.output<typeof names>) => new Set(list.map(({ apiName }) => apiName));

function usedDimensions({ asked, filter }: AnalyticsReport): [field: string, name: string][] {
  return [
    ...asked.map((name): [string, string] => ['dimensions', name]),
    ...filter.map(({ dimension }): [string, string] => ['filter', dimension]),
  ];
}

function checkNames(
  report: AnalyticsReport,
  entityId: string,
  known: { dimensions: ReadonlySet<string>; metrics: ReadonlySet<string> },
): Problem[] {
  const wrong = (field: string, name: string, what: string, has: ReadonlySet<string>): Problem[] => {
    if (has.has(name)) return [];
    const instead = renamed[name] ?? nearestName(name, has);
    const hint = instead === undefined ? 'See its metadata for those it has.' : `Did you mean ${instead}?`;
    const message = `${report.key}: ${name} is no ${what} of property ${entityId}. ${hint}`;
    return [{ report: report.key, entityId, field, name, message }];
  };
  return [
    ...report.metrics.flatMap(({ name }) => wrong('metrics', name, 'metric', known.metrics)),
    ...usedDimensions(report).flatMap(([field, name]) => wrong(field, name, 'dimension', known.dimensions)),
  ];
}

async function checkCombination(
  report: AnalyticsReport,
  propertyId: string,
  executeQuery: ExecuteQuery,
  context: ServiceContext,
): Promise<Problem[]> {
  const dimensions = new Set(usedDimensions(report).map(([, name]) => name));
  const requestBody = {
    dimensions: [...dimensions].map((name) => ({ name })),
    metrics: report.metrics.map(({ name }) => ({ name })),
    compatibilityFilter: 'INCOMPATIBLE',
  };
  const answered = await executeQuery(
    { method: 'checkCompatibility', propertyId, reports: [report.key], requestBody },
    context,
  );
  const asked = [...dimensions, ...report.metrics.map(({ name }) => name)];
  if (answered.kind === 'answered') return incompatibleOf(report, propertyId, asked, answered.body);
  // The method fails where the request is incompatible in itself, and says which name has to go.
  const { failure } = answered;
  const name = /remove (\w+)/.exec(failure.message)?.[1] ?? failure.reason;
  const field = failure.kind === 'broken_report' ? fieldOf(report, name) : 'access';
  return [
    { report: report.key, entityId: propertyId, field, name, message: `${report.key}: ${failure.message}` },
  ];
}

const compatibilities = z.object({
  dimensionCompatibilities: z
    .array(
      z.object({
        dimensionMetadata: z.object({ apiName: z.string() }),
        compatibility: z.string().optional(),
      }),
    )
    .default([]),
  metricCompatibilities: z
    .array(
      z.object({ metricMetadata: z.object({ apiName: z.string() }), compatibility: z.string().optional() }),
    )
    .default([]),
});

function incompatibleOf(
  report: AnalyticsReport,
  entityId: string,
  asked: readonly string[],
  body: unknown,
): Problem[] {
  const { dimensionCompatibilities, metricCompatibilities } = compatibilities.parse(body);
  return [
    ...dimensionCompatibilities.map((it) => [it.dimensionMetadata.apiName, it.compatibility] as const),
    ...metricCompatibilities.map((it) => [it.metricMetadata.apiName, it.compatibility] as const),
  ]
    .filter(([name, compatibility]) => asked.includes(name) && compatibility === 'INCOMPATIBLE')
    .map(([name]) => ({
      report: report.key,
      entityId,
      field: fieldOf(report, name),
      name,
      message: `${report.key}: ${name} cannot be combined with the other names of the report. Take it out, or make a report of its own for it.`,
    }));
}

const fieldOf = ({ metrics, asked }: AnalyticsReport, name: string) =>
  metrics.some((metric) => metric.name === name) ? 'metrics' : asked.includes(name) ? 'dimensions' : 'filter';
