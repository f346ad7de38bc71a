import { type Answer, refuse } from '../answer.ts';
import type { Caller } from '../oauth/tokens.ts';
import type { World } from '../world.ts';
import { checkCompatibility, describeFields } from './metadata.ts';
import { parseBatch, parseCompatibility, parseReport, type ReportRequest } from './request.ts';
import { countThresholded } from './run-report.ts';

const SCOPES = [
  'https://www.googleapis.com/auth/analytics.readonly',
  'https://www.googleapis.com/auth/analytics',
];
const MOST_REPORTS = 5;

/** A call of the Data API, v1beta. `body` is undefined when it was no JSON. `caller` is null for whoever needs no token. */
export function serveGoogleAnalytics(
  world: World,
  caller: Caller | null,
  call: { propertyId: string; method: string; body: unknown },
): Answer {
  const denied = denyProperty(world, caller, call.propertyId);
  if (denied !== undefined) return denied;
  switch (call.method) {
    case 'runReport': {
      const parsed = parseReport(call.body);
      if ('refused' in parsed) return parsed.refused;
      const made = runReports(world, call.propertyId, [parsed.value]);
      return 'refused' in made ? made.refused : { status: 200, body: made.bodies[0] ?? {} };
    }
    case 'batchRunReports': {
      const parsed = parseBatch(call.body);
      if ('refused' in parsed) return parsed.refused;
      const { requests } = parsed.value;
      if (requests.length > MOST_REPORTS) {
        return refuse(
          400,
          `Batch requests are limited to ${MOST_REPORTS} report requests. This request has ${requests.length}.`,
        );
      }
      const other = requests.find(
        ({ property }) => property !== undefined && property !== `properties/${call.propertyId}`,
      );
      if (other !== undefined) {
        return refuse(
          400,
          `All requests in a batch must be for the same property. ${other.property} is not properties/${call.propertyId}.`,
        );
      }
      const made = runReports(world, call.propertyId, requests);
      if ('refused' in made) return made.refused;
      return { status: 200, body: { reports: made.bodies, kind: 'analyticsData#batchRunReports' } };
    }
    case 'getMetadata':
      return {
        status: 200,
        body: describeFields(call.propertyId, world.properties.get(call.propertyId)?.truth.seed),
      };
    case 'checkCompatibility': {
      const parsed = parseCompatibility(call.body);
      return 'refused' in parsed ? parsed.refused : checkCompatibility(parsed.value);
    }
    default:
      return refuse(501, `The local Data API has no method ${call.method}.`);
  }
}

/** All reports or the first refusal: a batch fails as a whole. */
function runReports(
  { properties, clock }: World,
  propertyId: string,
  requests: readonly ReportRequest[],
): { bodies: object[] } | { refused: Answer } {
  const property = properties.get(propertyId);
  if (property === undefined) throw new Error(`There is no property ${propertyId}.`);
  const { truth, quota, run } = property;
  const now = clock.now();
  const thresholded = countThresholded(requests, truth);
  const tooMany = quota.takeThresholded(now, thresholded);
  if (tooMany !== undefined) return { refused: tooMany };
  const bodies: object[] = [];
  for (const request of requests) {
    const ran = run(request, now);
    if ('refused' in ran) return ran;
    const { body, tokens } = ran.value;
    quota.spend(now, tokens);
    const { kind, ...rest } = body;
    const propertyQuota = quota.describe(now, tokens, Math.min(1, thresholded));
    bodies.push(request.returnPropertyQuota ? { ...rest, propertyQuota, kind } : body);
  }
  return { bodies };
}

function denyProperty({ properties, clock }: World, caller: Caller | null, id: string): Answer | undefined {
  const denied = refuse(
    403,
    'User does not have sufficient permissions for this property. To learn more about Property ID, see https://developers.google.com/analytics/devguides/reporting/data/v1/property-id.',
  );
  if (caller !== null && !caller.scopes.some((scope) => SCOPES.includes(scope))) {
    return refuse(403, 'Request had insufficient authentication scopes.', [
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
        domain: 'googleapis.com',
        metadata: { service: 'analyticsdata.googleapis.com' },
      },
    ]);
  }
  const seed = properties.get(id)?.truth.seed;
  if (seed === undefined) return denied;
  const now = clock.now();
  const isGone =
    (seed.createdAt !== undefined && now < Date.parse(seed.createdAt)) ||
    (seed.deletedAt !== undefined && now >= Date.parse(seed.deletedAt));
  if (isGone) return seed.goneStatus === 403 ? denied : refuse(404, 'Requested entity was not found.');
  const mayRead = caller === null || seed.readers.length === 0 || seed.readers.includes(caller.email);
  return mayRead ? undefined : denied;
}
