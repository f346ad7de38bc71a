import { z } from 'zod';

const rate = z.number().min(0).max(1);
const milliseconds = z.number().min(0).max(600_000);

/** What the control endpoint takes; what is absent stays as it is. */
export const faultsSchema = z.strictObject({
  pubsub: z
    .strictObject({
      redeliverRate: rate,
      publishUnavailableRate: rate,
      publishStoredThenLostRate: rate,
      publishDelayMs: milliseconds,
    })
    .partial()
    .optional(),
  bigquery: z
    .strictObject({
      appendFailRate: rate,
      appendStoredThenLostRate: rate,
      refuseAppends: z.boolean(),
      appendDelayMs: milliseconds,
    })
    .partial()
    .optional(),
  storage: z
    .strictObject({ unavailableRate: rate, delayMs: milliseconds, storedThenLostRate: rate })
    .partial()
    .optional(),
});

/** Faults of the local Pub/Sub, BigQuery and Cloud Storage to rehearse; rates are 0 to 1. */
export type Faults = z.infer<typeof faultsSchema>;
