import type { analyticsdata_v1beta } from '@googleapis/analyticsdata';
import type { AnalyticsData } from '../../../../shared/google/analytics-data.ts';
import type { CallOptions } from '../exchange.ts';
import type { ServiceContext } from '../service.ts';
import { type Answered, tryCall } from '../try-call.ts';
import { classifyError } from './classify-error.ts';
import type { Settings } from './configuration.ts';
import { createPropertyState, type PropertyState } from './property-state.ts';
import { readQuota } from './quota.ts';

type Properties = analyticsdata_v1beta.Analyticsdata['properties'];

export interface Query {
  readonly method: 'runReport' | 'batchRunReports' | 'getMetadata' | 'checkCompatibility';
  readonly propertyId: string;
  /** Keys of the reports that are asked for; empty for a probe. */
  readonly reports: readonly string[];
  readonly requestBody?: object;
}

/** Asks one property. Never rejects for what the API answers. */
export type ExecuteQuery = (query: Query, context: ServiceContext) => Promise<Answered>;

/**
 * Makes what asks: every try is counted, errors are tried again by their class and no other way, and a property whose
 * quota is used up is left alone until it has some.
 */
export function createExecuteQuery({ client, authorizer }: AnalyticsData, settings: Settings): ExecuteQuery {
  const states = new Map<string, PropertyState>();
  return async (query, context) => {
    const { propertyId } = query;
    let state = states.get(propertyId);
    if (state === undefined) {
      state = createPropertyState(settings.concurrency, context.now);
      states.set(propertyId, state);
    }
    const known = state;
    return known.within(async () => {
      if (known.open !== undefined) return { kind: 'failed', failure: known.open, status: null };
      return tryCall(
        {
          send: (options) => send(client.properties, query, options),
          authorizer,
          timeoutMs: settings.timeoutSeconds * 1_000,
          about: {
            api: 'analyticsdata.v1beta',
            method: query.method,
            entityId: propertyId,
            probeGroup: propertyId,
            reports: query.reports,
          },
          classify: (came) =>
            classifyError(came, {
              entityId: propertyId,
              now: context.now(),
              random: context.random,
              serverErrorsLeft: known.serverErrorsLeft,
            }),
          readCost(body) {
            const { tokens, remaining } = readQuota(body);
            known.answered(remaining);
            return { tokens, units: null, quotaRemaining: remaining };
          },
          onTry: (errorClass) => errorClass && known.failed(errorClass.reason, errorClass.failure),
        },
        context,
      );
    });
  };
}

function send(properties: Properties, { method, propertyId, requestBody = {} }: Query, options: CallOptions) {
  const property = `properties/${propertyId}`;
  switch (method) {
    case 'runReport':
      return properties.runReport({ property, requestBody }, options);
    case 'batchRunReports':
      return properties.batchRunReports({ property, requestBody }, options);
    case 'getMetadata':
      return properties.getMetadata({ name: `${property}/metadata` }, options);
    case 'checkCompatibility':
      return properties.checkCompatibility({ property, requestBody }, options);
  }
}
