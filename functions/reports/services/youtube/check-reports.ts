import { addDays, dayAt } from '../calendar.ts';
import { nearestName } from '../nearest-name.ts';
import type { Problem, ServiceContext } from '../service.ts';
import { timeZone, type YouTubeConfiguration, type YouTubeReport } from './configuration.ts';
import type { ExecuteQuery } from './execute-query.ts';
import { queryRows } from './query-rows.ts';

/** developers.google.com/youtube/analytics/metrics: for a hint; what is right the API says itself. */
const metrics =
  'views engagedViews redViews viewerPercentage estimatedMinutesWatched estimatedRedMinutesWatched averageViewDuration averageViewPercentage likes dislikes comments shares subscribersGained subscribersLost videosAddedToPlaylists videosRemovedFromPlaylists cardImpressions cardClicks cardClickRate annotationImpressions estimatedRevenue estimatedAdRevenue grossRevenue estimatedRedPartnerRevenue monetizedPlaybacks playbackBasedCpm adImpressions cpm'.split(
    ' ',
  );
const dimensions =
  'channel day month video playlist country province city insightTrafficSourceType insightTrafficSourceDetail deviceType operatingSystem ageGroup gender sharingService subscribedStatus youtubeProduct liveOrOnDemand creatorContentType'.split(
    ' ',
  );

/**
 * Asks each report once, of a day that is long complete: YouTube has no metadata to ask for, and refuses a query that
 * it does not know with the name it does not know.
 */
export async function checkReports(
  { reports, entities, ownerOf, settings }: YouTubeConfiguration,
  executeQuery: ExecuteQuery,
  context: ServiceContext,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  const date = addDays(dayAt(context.now(), timeZone), -30);
  for (const report of reports) {
    const entity = entities.find(({ entityId }) => report.entityIds.includes(entityId));
    if (entity === undefined) continue;
    const came = await queryRows(
      {
        owner: ownerOf(entity.probeGroup),
        probeGroup: entity.probeGroup,
        channels: [entity.entityId],
        reports: [report.key],
        from: date,
        to: date,
        dimensions: report.dimensions,
        metrics: report.metrics.map(({ name }) => name),
        filters: report.filters,
        ...(report.top !== null && { sort: report.sort, top: report.top }),
      },
      settings.rowsPerRequest,
      executeQuery,
      context,
    );
    if (came.kind === 'failed') problems.push(describe(report, entity.entityId, came.failure));
  }
  return problems;
}

function describe(
  report: YouTubeReport,
  entityId: string,
  { kind, reason, message }: { kind: string; reason: string; message: string },
): Problem {
  if (kind !== 'broken_report') {
    return {
      report: report.key,
      entityId,
      field: 'access',
      name: reason,
      message: `${report.key}: ${message}`,
    };
  }
  const [, name, field] = /\((\w+)\) given in field parameters\.(\w+)/.exec(message) ?? [];
  if (name === undefined || field === undefined) {
    const asked = [...report.dimensions, ...report.metrics.map((metric) => metric.name)].join(', ');
    const hint = `The combination of ${asked} is no report of YouTube: see developers.google.com/youtube/analytics/channel_reports.`;
    return {
      report: report.key,
      entityId,
      field: 'metrics',
      name: asked,
      message: `${report.key}: ${message} ${hint}`,
    };
  }
  const instead = nearestName(name, field === 'metrics' ? metrics : dimensions);
  const hint = instead === undefined ? 'Take it out.' : `Did you mean ${instead}?`;
  const said = `${report.key}: ${name} is not known to YouTube in ${field}. ${hint}`;
  return { report: report.key, entityId, field, name, message: said };
}
