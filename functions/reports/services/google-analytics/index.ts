import { createAnalyticsData } from '../../../../shared/google/analytics-data.ts';
import type { ServiceModule } from '../service.ts';
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
import { createTokenBook } from './quota.ts';
import { mostPerCall, runReports } from './run-report.ts';

/** Google Analytics 4: the Data API v1beta, as a service account with the role Viewer at each property. */
export const googleAnalytics: ServiceModule = {
  source,
  configurationFields,
  reportFields,
  listKeys,
  checkConfiguration,
  open(configuration, environment) {
    const { entities, reports, settings, maps } = readOwn(configuration);
    const executeQuery = createExecuteQuery(createAnalyticsData(environment), settings);
    const tokens = createTokenBook();
    const runner = {
      executeQuery,
      reports: new Map(reports.map((report) => [report.key, report])),
      maps,
      rowsPerRequest: settings.rowsPerRequest,
      tokens,
    };
    const requestsOf = (key: string) => (runner.reports.get(key)?.named ? 2 : 1);
    return {
      source,
      entities,
      reports,
      // Two full calls of report requests: a day of the shipped reports is nine.
      mostPerBatch: 2 * mostPerCall,
      weigh: ({ report }) => requestsOf(report.key),
      batchKey: ({ entity }) => entity.entityId,
      estimate(report, { entityId }) {
        const requests = requestsOf(report.key);
        const each = tokens.expect(report.hash, entityId);
        return { calls: requests / mostPerCall, requests, tokens: requests * each, units: 0 };
      },
      checkReports: (context, only) => checkReports(reports, only, executeQuery, context),
      probe: (request, context) => dataAvailable(request, executeQuery, settings, context),
      pull: (slices, context) => runReports(slices, runner, context),
    };
  },
};
