import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const day = z.iso.date();
const instant = z.iso.datetime();
const between = z.strictObject({ from: instant, to: instant });
const rate = z.number().min(0).max(1);

/** How the data of an hour come to be shown. Times are of the processing, not of the visit. */
const lagSchema = z.strictObject({
  /** Half of all batches of hours are processed within this. */
  medianHours: z.number().positive().default(4),
  /** Deviation of the logarithm of a batch's lag. */
  spread: z.number().min(0).default(0.25),
  /** Hours of a batch come this much apart, and so out of order. */
  jitterHours: z.number().min(0).default(2),
  /** Hours that lag far behind their neighbours, and by how much on average. */
  stragglerRate: rate.default(0.002),
  stragglerHours: z.number().min(0).default(6),
  /** Hours of which a part is shown before the rest. */
  splitRate: rate.default(0.0005),
  /** Users and visits come up to this much after the views, engagement up to twice this. */
  metricHours: z.number().min(0).default(0.5),
});

/** What changes after it was shown, drawn once per property and day. Rates are shares of days. */
const restatementsSchema = z.strictObject({
  /** Hits that come in late: shown only days after the rest. */
  lateRate: rate.default(0.001),
  /** Traffic without a source that is given to google / organic: its rows vanish. */
  movedRate: rate.default(0.001),
  /** Hits that are taken out again. */
  removedRate: rate.default(0.0005),
  /** Of these changes, the share that comes after day 28. The others come on day 1 to 27. */
  afterDay28Rate: rate.default(0.1),
});

const propertySchema = z.strictObject({
  id: z.string().regex(/^\d+$/),
  host: z.string(),
  timeZone: z.string(),
  /** Of an average hour of an average week. */
  viewsPerHour: z.number().min(0),
  /** `day`: by the hours of the day and the days of the week. `flat`: every hour alike, nights too. */
  shape: z.enum(['day', 'flat']).default('day'),
  currencyCode: z.string().length(3).default('USD'),
  /** Standard or 360, whose quotas are larger. */
  is360: z.boolean().default(false),
  /** What others who read it leave of its tokens. */
  tokenShare: rate.default(1),
  createdAt: instant.optional(),
  deletedAt: instant.optional(),
  /** What is answered once it is deleted, and before it is created. */
  goneStatus: z.union([z.literal(403), z.literal(404)]).default(403),
  zoneChanges: z.array(z.strictObject({ at: instant, timeZone: z.string() })).default([]),
  /** Nothing is tracked in these. */
  silences: z.array(between).default([]),
  /** Nothing is processed in these; what was collected is shown after them. */
  processingOutages: z.array(between).default([]),
  /** Local days without one hit. */
  zeroDays: z.array(day).default([]),
  lag: lagSchema.prefault({}),
  restatements: restatementsSchema.prefault({}),
  /** Withholds rows of fewer users than this in reports by more than time. */
  thresholdUsers: z.int().positive().optional(),
  /** A request over more events than this is answered from a sample. */
  sampledOverEvents: z.int().positive().optional(),
  /** A report of more rows than this has the rest in a row `(other)`. */
  otherOverRows: z.int().positive().optional(),
  /** Metrics that the caller's role may not see: zeros and a note. */
  restrictedMetrics: z
    .array(z.strictObject({ metric: z.string(), type: z.enum(['COST_DATA', 'REVENUE_DATA']) }))
    .default([]),
  /** Integers are written as `7.0`, as Google does at times. */
  floatIntegers: z.boolean().default(false),
  /** Who may read it: emails of service accounts or users. Empty: everyone with a token. */
  readers: z.array(z.string()).default([]),
});

const channelSchema = z.strictObject({
  id: z.string().regex(/^UC[\w-]+$/),
  title: z.string(),
  owner: z.string().optional(),
  viewsPerDay: z.number().min(0),
  videos: z.int().positive().default(60),
  subscribers: z.int().min(0).default(10_000),
  hiddenSubscribers: z.boolean().default(false),
  monetized: z.boolean().default(false),
  /** Rows by country of fewer views than this are left out. */
  anonymizedBelowViews: z.int().min(0).default(0),
  /** Of all videos, the share that is deleted some day: rows by video then leave them out. */
  deletedVideosRate: rate.default(0.002),
  /** When the owner took it in: what was before is shown only with includeHistoricalChannelData. */
  linkedAt: instant.optional(),
  createdAt: instant.optional(),
  /** From here on it is no longer of the owner: 403. */
  unlinkedAt: instant.optional(),
  /** Days, Pacific, without one view. */
  zeroDays: z.array(day).default([]),
});

export const ownerSchema = z.strictObject({
  id: z.string(),
  displayName: z.string(),
  /** Hours from the end of a Pacific day to its report, half of the days. */
  medianLagHours: z.number().positive().default(30),
  spread: z.number().min(0).default(0.15),
  /** Metrics of these groups come this much later. */
  subscribersLagHours: z.number().min(0).default(6),
  revenueLagHours: z.number().min(0).default(48),
  /** Days on which one channel's rows come after those of the others. */
  stragglerRate: rate.default(0.0005),
  /** Days whose figures change after they were shown. */
  restatedRate: rate.default(0.001),
  processingOutages: z.array(between).default([]),
});

const credentialSchema = z.strictObject({
  clientId: z.string(),
  clientSecret: z.string(),
  refreshToken: z.string(),
  email: z.string(),
  /** Content owners that this account manages. */
  owners: z.array(z.string()).default([]),
  /** Its own channels, for channel==MINE. */
  channels: z.array(z.string()).default([]),
  scopes: z.array(z.string()).optional(),
  /** Consent was taken back: invalid_grant from then on, or until it is given again with the same token. */
  revokedAt: instant.optional(),
  grantedAgainAt: instant.optional(),
});

export const seedSchema = z.strictObject({
  $schema: z.string().optional(),
  /** All draws come from this number and the names of what is drawn. */
  seed: z.int(),
  properties: z.array(propertySchema).default([]),
  channels: z.array(channelSchema).default([]),
  contentOwners: z.array(ownerSchema).default([]),
  credentials: z.array(credentialSchema).default([]),
  /** Emails of service accounts that may ask for tokens. */
  serviceAccounts: z.array(z.string()).default([]),
});

export type Seed = z.output<typeof seedSchema>;
export type SeedInput = z.input<typeof seedSchema>;
export type PropertySeed = Seed['properties'][number];
export type ChannelSeed = Seed['channels'][number];
export type OwnerSeed = Seed['contentOwners'][number];
export type CredentialSeed = Seed['credentials'][number];

/** The seed `reports-seed.json` of a data folder, else the sample: two sites and two channels. */
export function findReportsSeed(dataDir: string): Seed {
  const own = join(dataDir, 'reports-seed.json');
  return readSeed(existsSync(own) ? own : fileURLToPath(new URL('seeds/sample.json', import.meta.url)));
}

/** Reads a seed file. Throws with the place and the reason when it is not one. */
export function readSeed(file: string): Seed {
  const parsed = seedSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!parsed.success) throw new Error(`${file} is no seed of reports: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
