import { youtube, type youtube_v3 } from '@googleapis/youtube';
import { youtubeAnalytics, type youtubeAnalytics_v2 } from '@googleapis/youtubeanalytics';
import { type Authorizer, createStoredAuthorizer } from './authorizer.ts';
import { readLocalEndpoint } from './endpoints.ts';

export interface YouTube {
  /** YouTube Analytics: reports. */
  readonly analytics: youtubeAnalytics_v2.Youtubeanalytics;
  /** YouTube Data: channels and videos. */
  readonly data: youtube_v3.Youtube;
  /** Where the partner API answers, which has no generated client. */
  readonly partnerUrl: string;
}

/** The scopes that reports need: reading reports, channels and videos, and finding content owners. */
export const youtubeScopes = [
  'https://www.googleapis.com/auth/yt-analytics.readonly',
  'https://www.googleapis.com/auth/youtube.readonly',
  'https://www.googleapis.com/auth/youtubepartner',
  'https://www.googleapis.com/auth/yt-analytics-monetary.readonly',
] as const;

/** The clients of YouTube's APIs, without authorization: each content owner has an authorizer of its own. */
export function createYouTube(environment: NodeJS.ProcessEnv): YouTube {
  const local = readLocalEndpoint('LOCAL_GOOGLE_APIS', environment);
  const rootUrl = local && `http://${local.host}:${local.port}/`;
  return {
    analytics: youtubeAnalytics({ version: 'v2', ...(rootUrl && { rootUrl }) }),
    data: youtube({ version: 'v3', ...(rootUrl && { rootUrl }) }),
    partnerUrl: `${rootUrl ?? 'https://www.googleapis.com/'}youtube/partner/v1/`,
  };
}

/** Authorizes as a content owner: by the path of a file or the name of an environment variable. */
export function createOwnerAuthorizer(place: string, environment: NodeJS.ProcessEnv): Authorizer {
  const local = readLocalEndpoint('LOCAL_GOOGLE_APIS', environment);
  return createStoredAuthorizer(place, youtubeScopes, environment, local);
}
