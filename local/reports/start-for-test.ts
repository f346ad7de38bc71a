import { analyticsdata, type analyticsdata_v1beta } from '@googleapis/analyticsdata';
import { youtube, type youtube_v3 } from '@googleapis/youtube';
import { youtubeAnalytics, type youtubeAnalytics_v2 } from '@googleapis/youtubeanalytics';
import { createClock } from './clock.ts';
import { type ReportsApisOptions, type RunningReportsApis, startReportsApis } from './index.ts';
import { type SeedInput, seedSchema } from './seed.ts';

export interface Started {
  apis: RunningReportsApis;
  data: analyticsdata_v1beta.Analyticsdata;
  analytics: youtubeAnalytics_v2.Youtubeanalytics;
  youtube: youtube_v3.Youtube;
}

/** Serves a seed, and Google's own clients to call it with: without retries, so that each call is one. */
export async function startForTest(
  seed: SeedInput,
  now: string,
  options: Partial<ReportsApisOptions> = {},
): Promise<Started> {
  const apis = await startReportsApis({
    port: 0,
    anonymous: true,
    clock: createClock(now),
    ...options,
    seed: seedSchema.parse(seed),
  });
  const common = { rootUrl: apis.url, retry: false } as const;
  return {
    apis,
    data: analyticsdata({ version: 'v1beta', ...common }),
    analytics: youtubeAnalytics({ version: 'v2', ...common }),
    youtube: youtube({ version: 'v3', ...common }),
  };
}

/** The status and the words of what a call was refused with; fails when it was not. */
export async function refusalOf(
  call: Promise<unknown>,
): Promise<{ status: number; message: string; reason: string }> {
  try {
    await call;
  } catch (error) {
    const of = error as {
      status?: number;
      code?: string;
      message: string;
      response?: { data?: { error?: { errors?: { reason: string }[]; status?: string } | string } };
    };
    const told = of.response?.data?.error;
    const reason = typeof told === 'string' ? told : (told?.errors?.[0]?.reason ?? told?.status ?? '');
    return { status: of.status ?? 0, message: of.message, reason: reason === '' ? (of.code ?? '') : reason };
  }
  throw new Error('The call was answered.');
}
