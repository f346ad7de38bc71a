import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { refuse, send } from './answer.ts';
import { type Clock, createClock } from './clock.ts';
import { isControlPath, serveControl } from './control.ts';
import type { Faults } from './faults.ts';
import { serveConsent } from './oauth/serve-consent.ts';
import { createServiceAccountKey, type ServiceAccountKey } from './oauth/service-account-key.ts';
import type { Tokens } from './oauth/tokens.ts';
import { isApiPath } from './route.ts';
import type { Seed } from './seed.ts';
import { serveCall } from './serve-call.ts';
import type { ChannelSlice } from './truth/channel-slice.ts';
import type { Slice } from './truth/property-slice.ts';
import { answerAt, type ChannelTruthQuery, channelTruthOf, type TruthQuery, truthOf } from './truth-of.ts';
import { type CallCount, createWorld } from './world.ts';
import { YOUTUBE_LIMITS, type YouTubeLimits } from './youtube/quota.ts';

export interface ReportsApisOptions {
  seed: Seed;
  /** Default: one that shows the machine's time. */
  clock?: Clock;
  /** Takes calls without a token too, as a laptop makes them. Default false: 401, as Google answers. */
  anonymous?: boolean;
  youtubeLimits?: Partial<YouTubeLimits>;
  /** Days of each property that stay in memory, 100 KB each when it is busy. Default 24. */
  keptDays?: number;
  /** Answers of each property that are remembered, for who asks again with nothing changed. Default none. */
  keptAnswers?: number;
}

/** Google's reporting APIs over one seeded truth. They serve nothing yet: mount `handle` on a server of your own. */
export interface ReportsApis {
  clock: Clock;
  faults: Faults;
  tokens: Pick<Tokens, 'revoke' | 'expireAll'>;
  /** Answers the APIs' own paths and the control's; false when the path is another's, the response then untouched. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  /** Calls since the start or the last reset, by API and method. */
  calls(): Record<string, CallCount>;
  resetCalls(): void;
  truthOf(query: TruthQuery): Slice;
  channelTruthOf(query: ChannelTruthQuery): ChannelSlice;
  /** What runReport answers at an instant, without quotas and faults. */
  answerAt(propertyId: string, request: object, at: Date | string): object;
  /** The instants, in epoch milliseconds, at which what is shown of a property's day changes; ascending. */
  changesOf(propertyId: string, day: string): readonly number[];
  /** The same of a Pacific day of a channel, deletions of its videos included. */
  channelChangesOf(channelId: string, day: string): readonly number[];
  /** What a property has used of its quotas in the current hour and day. */
  quotaOf(
    propertyId: string,
  ): { hour: number; day: number; serverErrors: number; thresholded: number } | undefined;
  /** A key file's content for one of the seed's service accounts. `tokenUri` is this server's /token. */
  createServiceAccountKey(email: string, tokenUri: string): ServiceAccountKey;
}

export interface RunningReportsApis extends ReportsApis {
  port: number;
  url: string;
  close(): Promise<void>;
}

const KEPT_DAYS = 24;

export function createReportsApis(options: ReportsApisOptions): ReportsApis {
  const clock = options.clock ?? createClock();
  const world = createWorld(options.seed, clock, {
    anonymous: options.anonymous ?? false,
    youtubeLimits: { ...YOUTUBE_LIMITS, ...options.youtubeLimits },
    keptDays: options.keptDays ?? KEPT_DAYS,
    keptAnswers: options.keptAnswers ?? 0,
  });
  return {
    clock,
    faults: world.faults,
    tokens: world.tokens,
    handle(request, response) {
      const url = new URL(request.url ?? '/', 'http://reports.local');
      if (url.pathname === '/o/oauth2/v2/auth') {
        serveConsent(world, response, url);
        return true;
      }
      const serve = isControlPath(url.pathname)
        ? serveControl
        : isApiPath(url.pathname)
          ? serveCall
          : undefined;
      if (serve === undefined) return false;
      serve(world, request, response, url).catch((error: unknown) => {
        if (response.headersSent) request.socket.destroy();
        else send(response, refuse(500, String(error)));
      });
      return true;
    },
    calls: () => Object.fromEntries(world.calls),
    resetCalls: () => world.calls.clear(),
    truthOf: (query) => truthOf(world, query),
    channelTruthOf: (query) => channelTruthOf(world, query),
    answerAt: (propertyId, request, at) => answerAt(world, propertyId, request, at),
    changesOf: (propertyId, day) => world.properties.get(propertyId)?.truth.changesOf(day) ?? [],
    channelChangesOf: (channelId, day) => world.channels.get(channelId)?.changesOf(day) ?? [],
    quotaOf: (propertyId) => world.properties.get(propertyId)?.quota.used(clock.now()),
    createServiceAccountKey: (email, tokenUri) => createServiceAccountKey(world, email, tokenUri),
  };
}

/** Starts them on a port of their own; 0 takes any free one. */
export async function startReportsApis(
  options: ReportsApisOptions & { port: number },
): Promise<RunningReportsApis> {
  const apis = createReportsApis(options);
  const server = createServer((request, response) => {
    if (apis.handle(request, response)) return;
    response.writeHead(404, { 'content-type': 'text/plain' }).end('Not Found');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : options.port;
  return {
    ...apis,
    port,
    url: `http://127.0.0.1:${port}`,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}
