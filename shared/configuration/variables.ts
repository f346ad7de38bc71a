import { z } from 'zod';
import { wholeNumber } from './read-configuration.ts';

/** The variables that several functions read: asked for, checked and told of in the same words by each. */
export const variables = {
  GOOGLE_CLOUD_PROJECT: z.string().describe('the Google Cloud project'),
  DATASET: z
    .string()
    .regex(/^\w{1,1024}$/, 'must be letters, digits and underscores')
    .default('tributary')
    .describe('the BigQuery dataset'),
  EVENTS_TOPIC: z.string().default('events').describe('the Pub/Sub topic that batches are published to'),
  AUDIENCE: z.string().describe('the audience of the tokens of callers, usually the URL of this function'),
  CALLERS: emails().describe(
    'who may call: the accounts of Cloud Scheduler and of people, with commas between',
  ),
  PUSH_AUDIENCE: z
    .string()
    .describe('the audience of the push subscription, usually the URL of this function'),
  PUSH_SERVICE_ACCOUNT: z
    .string()
    .regex(/^[^\s@]+@[^\s@]+$/, 'must be an email')
    .describe('the service account that Pub/Sub pushes as'),
  SETTINGS_OPTIONAL: z.stringbool().default(false).describe('whether there may be no settings there yet'),
  METRICS_INTERVAL_SECONDS: wholeNumber(1, 3_600)
    .default(60)
    .describe('how often what was counted is logged'),
};

/** Addresses with commas between, as a list. */
export function emails() {
  return z
    .string()
    .regex(/^[^\s@,]+@[^\s@,]+(,[^\s@,]+@[^\s@,]+)*$/, 'must be emails with commas between')
    .transform((text) => text.split(','));
}
