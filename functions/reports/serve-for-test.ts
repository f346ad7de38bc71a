import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startIssuer, type TokenClaims } from '../../local/issuer/index.ts';
import { createPubSub } from '../../shared/google/pubsub.ts';
import { createTokenVerifier } from '../../shared/google/verify-token.ts';
import { startCounts } from '../../shared/host/metrics.ts';
import { createHost } from '../../shared/host/server.ts';
import { reportsCounts } from './metrics.ts';
import { createPollHandler } from './poll-handler.ts';
import { createPullHandler } from './pull-handler.ts';
import type { Service } from './services/service.ts';
import type { StartedReports } from './start-for-test.ts';

export const audience = 'https://reports.example.com';
export const operator = 'operator@local.iam.gserviceaccount.com';
export const pusher = 'pusher@local.iam.gserviceaccount.com';

/** Serves both functions on hosts of their own, with the topic pushed to the one that pulls. */
export async function serveReports(reports: StartedReports, services: readonly Service[]) {
  const folder = await mkdtemp(join(tmpdir(), 'reports-'));
  const issuer = await startIssuer({ port: 0, keyFile: join(folder, 'key.pem') });
  const environment = { ...reports.environment, LOCAL_TOKEN_ISSUER: issuer.url };
  const counts = startCounts(reportsCounts);
  const readServices = async () => ({
    services,
    poll: { lookbackDays: reports.pollOptions.lookbackDays, repullDays: [...reports.pollOptions.ladder] },
  });
  const verify = (email: string) => createTokenVerifier({ audience, emails: [email] }, environment);
  const poll = createHost(
    createPollHandler({ ...reports.pollOptions, readServices, counts, verifyToken: verify(operator) }),
  );
  const pull = createHost(
    createPullHandler({ ...reports.pullOptions, readServices, counts, verifyToken: verify(pusher) }),
  );
  const urlOf = async ({ server }: typeof poll) => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  };
  const [pollUrl, pullUrl] = [await urlOf(poll), await urlOf(pull)];
  reports.signer.sign = issuer.sign;

  return {
    counts,
    pollUrl,
    pullUrl,
    operatorToken: () => issuer.sign({ audience, email: operator }),
    async post(url: string, body: string, token: Partial<TokenClaims> | null) {
      const signed = token && (await issuer.sign({ audience, email: operator, ...token }));
      const headers = {
        'Content-Type': 'application/json',
        ...(signed && { Authorization: `Bearer ${signed}` }),
      };
      const answer = await fetch(url, { method: 'POST', headers, body });
      const text = await answer.text();
      return { status: answer.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
    },
    /** Has Pub/Sub push the orders that are published from now on. */
    async subscribe(): Promise<void> {
      const pubsub = createPubSub('local', environment);
      await pubsub.topic('pulls').createSubscription('pushed', {
        pushConfig: {
          pushEndpoint: pullUrl,
          oidcToken: { audience, serviceAccountEmail: pusher },
        },
        ackDeadlineSeconds: 30,
        retryPolicy: { minimumBackoff: { seconds: 0 }, maximumBackoff: { seconds: 1 } },
      });
      await pubsub.close();
    },
    async close(): Promise<void> {
      await Promise.all([poll.drain(5_000), pull.drain(5_000)]);
      await issuer.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
