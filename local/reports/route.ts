import type { Answer } from './answer.ts';
import { refuse } from './answer.ts';
import type { ApiName } from './faults.ts';
import { serveGoogleAnalytics } from './google-analytics/serve.ts';
import { serveToken } from './oauth/serve-token.ts';
import type { Caller } from './oauth/tokens.ts';
import type { World } from './world.ts';
import { serveYouTubeData } from './youtube/data.ts';
import { listContentOwners } from './youtube/owners.ts';
import { queryReport } from './youtube/query.ts';

/** One call of one of the APIs, read but not yet run. */
export interface Call {
  api: ApiName;
  method: string;
  /** Whom it is about, for faults and the record of calls. */
  entities: string[];
  /** The property of which it uses the quota up. */
  propertyId?: string;
  needsToken: boolean;
  run(caller: Caller | null, body: unknown): Answer;
}

/** The call that a request makes; undefined when its path is none of the APIs'. `form` is the body as text. */
export function readCall(world: World, verb: string, url: URL, form: string): Call | undefined {
  const { pathname, searchParams } = url;
  const ofProperty = /^\/v1beta\/properties\/([^/:]+)(?::(\w+)|\/(metadata))$/.exec(pathname);
  if (ofProperty !== null) {
    const [, propertyId = '', method = 'getMetadata'] = ofProperty;
    const isRightVerb = verb === (ofProperty[3] === undefined ? 'POST' : 'GET');
    return {
      api: 'google_analytics',
      method,
      entities: [propertyId],
      propertyId,
      needsToken: true,
      run: (caller, body) =>
        isRightVerb
          ? serveGoogleAnalytics(world, caller, { propertyId, method, body })
          : refuse(404, 'Not Found'),
    };
  }
  if (pathname === '/token' && verb === 'POST') {
    const parameters = new URLSearchParams(form);
    return {
      api: 'token',
      method: parameters.get('grant_type') === 'refresh_token' ? 'refresh' : 'token',
      entities: [parameters.get('refresh_token') ?? '', emailOf(parameters.get('assertion'))].filter(Boolean),
      needsToken: false,
      run: () => serveToken(world, parameters),
    };
  }
  if (verb !== 'GET') return undefined;
  if (pathname === '/v2/reports') {
    const channels = /(?:^|;)channel==([^;]+)/.exec(searchParams.get('filters') ?? '')?.[1] ?? '';
    const [, id = ''] = (searchParams.get('ids') ?? '').split('==');
    return {
      api: 'youtube_analytics',
      method: 'reports.query',
      entities: [id, ...channels.split(',')].filter((it) => it !== ''),
      needsToken: true,
      run: (caller) =>
        world.youtubeQuota.spendQuery(world.clock.now()) ?? queryReport(world, caller, searchParams),
    };
  }
  const ofYouTube = /^\/youtube\/v3\/(channels|videos)$/.exec(pathname);
  if (ofYouTube !== null) {
    const [, resource = ''] = ofYouTube;
    const owner = searchParams.get('onBehalfOfContentOwner');
    return {
      api: 'youtube_data',
      method: `${resource}.list`,
      entities: [
        ...searchParams.getAll('id').flatMap((it) => it.split(',')),
        ...(owner === null ? [] : [owner]),
      ],
      needsToken: true,
      run: (caller) =>
        world.youtubeQuota.spendUnits(world.clock.now(), 1) ??
        serveYouTubeData(world, caller, resource, searchParams),
    };
  }
  if (pathname === '/youtube/partner/v1/contentOwners') {
    return {
      api: 'youtube_partner',
      method: 'contentOwners.list',
      entities: [],
      needsToken: true,
      run: (caller) => listContentOwners(world, caller, searchParams),
    };
  }
  return undefined;
}

/** Whether a path is one that `readCall` may know, before the body is read. */
export function isApiPath(pathname: string): boolean {
  return (
    pathname === '/token' ||
    pathname === '/v2/reports' ||
    pathname.startsWith('/v1beta/properties/') ||
    pathname.startsWith('/youtube/')
  );
}

function emailOf(assertion: string | null): string {
  try {
    const said: unknown = JSON.parse(Buffer.from(assertion?.split('.')[1] ?? '', 'base64url').toString());
    return typeof said === 'object' && said !== null && 'iss' in said ? String(said.iss) : '';
  } catch {
    return '';
  }
}
