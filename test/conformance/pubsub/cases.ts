import type { Case } from './case.ts';
import { failureCases } from './failure-cases.ts';
import { featureCases } from './feature-cases.ts';
import { publishCases } from './publish-cases.ts';
import { pullCases } from './pull-cases.ts';
import { pushCases } from './push-cases.ts';
import { requestCases } from './request-cases.ts';
import { streamCases } from './stream-cases.ts';
import { subscriptionCases } from './subscription-cases.ts';
import { topicCases } from './topic-cases.ts';

/** Every behaviour of Pub/Sub that is compared, by what it is about. */
export const casesByTheme: Readonly<Record<string, readonly Case[]>> = {
  Topics: topicCases,
  Subscriptions: subscriptionCases,
  Requests: requestCases,
  Publishing: publishCases,
  Pulling: pullCases,
  Streams: streamCases,
  'Failures and dead letters': failureCases,
  Push: pushCases,
  'Other features': featureCases,
};

export const cases: readonly Case[] = Object.values(casesByTheme).flat();
