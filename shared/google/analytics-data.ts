import { analyticsdata, type analyticsdata_v1beta } from '@googleapis/analyticsdata';
import { type Authorizer, createOwnAuthorizer } from './authorizer.ts';
import { readLocalEndpoint } from './endpoints.ts';

export interface AnalyticsData {
  readonly client: analyticsdata_v1beta.Analyticsdata;
  readonly authorizer: Authorizer;
}

/**
 * The client of the Google Analytics Data API, without authorization of its own: the headers of `authorizer` go with each
 * call, so that a token that was refused is renewed where calls are counted.
 */
export function createAnalyticsData(environment: NodeJS.ProcessEnv): AnalyticsData {
  const local = readLocalEndpoint('LOCAL_GOOGLE_APIS', environment);
  if (local === undefined) {
    return { client: analyticsdata('v1beta'), authorizer: createOwnAuthorizer([scope]) };
  }
  return {
    client: analyticsdata({ version: 'v1beta', rootUrl: `http://${local.host}:${local.port}/` }),
    authorizer: createLocalAuthorizer(),
  };
}

const scope = 'https://www.googleapis.com/auth/analytics.readonly';

/** The local cloud takes calls without a token for those of the account that functions run as. */
function createLocalAuthorizer(): Authorizer {
  return { headers: async () => ({}), renew() {} };
}
