import { createYouTube } from '../../../../shared/google/youtube.ts';
import type { ServiceModule } from '../service.ts';
import { takeSnapshots } from './channel-stats.ts';
import { checkReports } from './check-reports.ts';
import {
  checkConfiguration,
  configurationFields,
  listKeys,
  readOwn,
  reportFields,
  source,
} from './configuration.ts';
import { dataAvailable } from './data-available.ts';
import { createExecuteQuery } from './execute-query.ts';
import { queryKey, runReports } from './run-analytics-report.ts';
import { describeVideos } from './videos.ts';

/** YouTube: the Analytics API v2 and the Data API v3, with an OAuth refresh token for each content owner. */
export const youtube: ServiceModule = {
  source,
  configurationFields,
  reportFields,
  listKeys,
  checkConfiguration,
  open(given, environment) {
    const configuration = readOwn(given);
    const { entities, reports, settings, ownerOf } = configuration;
    const executeQuery = createExecuteQuery(createYouTube(environment), settings, environment);
    const keys = new Map(reports.map((report) => [report.key, queryKey(report)]));
    const keyOf = (key: string) => keys.get(key) ?? key;
    /** The reports that are asked for with one query. */
    const sharing = (key: string) => [...keys.keys()].filter((other) => keyOf(other) === keyOf(key));
    return {
      source,
      entities,
      reports,
      mostPerBatch: 50,
      // A batch is one query, of as many channels.
      weigh: ({ report }) => 1 / sharing(report.key).length,
      batchKey: ({ entity, report, date }) => `${entity.probeGroup} ${keyOf(report.key)} ${date}`,
      estimate(report, { probeGroup }) {
        const isTop = reports.find(({ key }) => key === report.key)?.top != null;
        const queries = report.dimensions.length === 0 ? 2 : 1;
        const together = isTop
          ? 1
          : entities.filter((it) => it.probeGroup === probeGroup && report.entityIds.includes(it.entityId))
              .length;
        const calls = queries / Math.max(1, together) / sharing(report.key).length;
        return { calls, requests: calls, tokens: 0, units: 0 };
      },
      checkReports: (context) => checkReports(configuration, executeQuery, context),
      probe: (request, context) => dataAvailable(request, configuration, executeQuery, context),
      pull: (slices, context) => runReports(slices, { configuration, executeQuery }, context),
      takeSnapshots: (some, context) => takeSnapshots(some, configuration, executeQuery, context),
      describeItems: (ids, probeGroup, context) =>
        describeVideos(ids, ownerOf(probeGroup), probeGroup, executeQuery, context),
    };
  },
};
