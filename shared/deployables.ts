import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** One function as it is deployed. `name` is also its FUNCTION_TARGET, `folder` its place under functions/. */
export type Deployable = z.infer<typeof deployable>;

export const DEPLOYABLES_FILE = new URL('../infra/functions.json', import.meta.url);

/** Reads and checks infra/functions.json, the one place that names the deployables. Throws what is wrong and where. */
export function readDeployables(file: URL = DEPLOYABLES_FILE): Deployable[] {
  const parsed = deployables.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!parsed.success) throw new Error(`${file.pathname}:\n${z.prettifyError(parsed.error)}`);
  return parsed.data.functions;
}

const common = {
  name: z.string().regex(/^[a-z][a-z0-9-]{0,48}$/, 'must be lower case letters, digits and hyphens'),
  folder: z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be a folder directly under functions/'),
  /** `own` is shared/host; `framework` is Google's functions-framework. */
  host: z.enum(['own', 'framework']),
  memory: z.string().regex(/^\d+(Mi|Gi)$/, 'must be a size such as 512Mi or 1Gi'),
  cpu: z.number().positive(),
  /** Requests served at once by one instance. */
  concurrency: z.int().min(1).max(1000),
  timeoutSeconds: z.int().min(1).max(3600),
  /** Where more instances would not know of each other what they must; without it Google's own limit holds. */
  maxInstances: z.int().min(1).optional(),
  /** Variables that tune its process, the same on a laptop and in the cloud. */
  environment: z
    .record(z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'must be the name of a variable'), z.string())
    .default({}),
};

/** A job of Cloud Scheduler that posts to a function. */
const schedule = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,48}$/, 'must be lower case letters, digits and hyphens'),
  cron: z.string().regex(/^\S+( \S+){4}$/, 'must be the five fields of cron'),
  timeZone: z.string().default('Etc/UTC'),
  path: z.string().regex(/^\/[\w/-]*$/, 'must be a path of the function'),
});

const deployable = z
  .discriminatedUnion('trigger', [
    z.strictObject({
      ...common,
      trigger: z.literal('http'),
      /** Whether anyone may call it without Google credentials. */
      public: z.boolean(),
      /** The local cloud's port for it. */
      port: z.int().min(1).max(65535),
      schedules: z.array(schedule).default([]),
    }),
    z.strictObject({
      ...common,
      trigger: z.literal('push'),
      topic: z.string().min(1),
      subscription: z.string().min(1),
      ackDeadlineSeconds: z.int().min(10).max(600),
    }),
  ])
  .refine(({ cpu, concurrency }) => cpu >= 1 || concurrency === 1, {
    path: ['concurrency'],
    error: 'must be 1 below one CPU: https://cloud.google.com/run/docs/configuring/cpu',
  })
  .refine((it) => it.trigger !== 'push' || it.timeoutSeconds > it.ackDeadlineSeconds, {
    path: ['timeoutSeconds'],
    error: 'must be above ackDeadlineSeconds, or the function is cut off before Pub/Sub stops waiting for it',
  })
  .refine((it) => it.trigger !== 'http' || !it.public || it.schedules.length === 0, {
    path: ['schedules'],
    error: 'must be empty where anyone may call: a job is told from a stranger by its token',
  });

const deployables = z.strictObject({
  functions: z.array(deployable).superRefine((functions, context) => {
    for (const key of ['name', 'port', 'subscription'] as const) {
      const seen = new Set<unknown>();
      for (const [index, it] of functions.entries()) {
        const value = key in it ? it[key as keyof typeof it] : undefined;
        if (value !== undefined && seen.has(value)) {
          context.addIssue({
            code: 'custom',
            path: [index, key],
            message: `${String(value)} is named twice`,
          });
        }
        seen.add(value);
      }
    }
  }),
});
