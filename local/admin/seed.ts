import { z } from 'zod';

const id = z.string().regex(/^\d{1,18}$/, 'must be a number in quotes');
const email = z.string().regex(/^[^\s@]+@[^\s@]+$/, 'must be an e-mail address');
const instant = z.iso.datetime();

const binding = z.strictObject({
  id: id.optional().describe('of accessBindings/{id}; made up when absent'),
  user: email,
  roles: z
    .array(z.string().regex(/^predefinedRoles\/[\w-]+$/))
    .min(1)
    .describe('predefinedRoles/viewer and so on; also those that the API has no name for, as marketer'),
});

const dataStream = z
  .strictObject({
    id,
    type: z.enum(['WEB_DATA_STREAM', 'ANDROID_APP_DATA_STREAM', 'IOS_APP_DATA_STREAM']),
    displayName: z.string(),
    createTime: instant.optional(),
    measurementId: z.string().optional(),
    defaultUri: z.string().optional().describe('of a web stream'),
    packageName: z.string().optional().describe('of an Android stream'),
    bundleId: z.string().optional().describe('of an iOS stream'),
  })
  .describe('a data stream of the property');

const property = z.strictObject({
  id,
  displayName: z.string().max(100),
  propertyType: z
    .enum(['PROPERTY_TYPE_ORDINARY', 'PROPERTY_TYPE_SUBPROPERTY', 'PROPERTY_TYPE_ROLLUP'])
    .default('PROPERTY_TYPE_ORDINARY'),
  parent: z
    .string()
    .regex(/^properties\/\d+$/)
    .optional()
    .describe('of a subproperty; otherwise the account'),
  timeZone: z.string().default('Etc/UTC'),
  currencyCode: z.string().optional(),
  industryCategory: z.string().optional(),
  serviceLevel: z
    .enum(['GOOGLE_ANALYTICS_STANDARD', 'GOOGLE_ANALYTICS_360'])
    .default('GOOGLE_ANALYTICS_STANDARD'),
  createTime: instant.optional(),
  deleteTime: instant.optional().describe('in the trash since'),
  bindings: z.array(binding).default([]),
  dataStreams: z.array(dataStream).default([]),
  firebase: z
    .strictObject({ projectId: z.string(), projectNumber: id })
    .optional()
    .describe('the Firebase project that the property is linked with'),
});

const account = z.strictObject({
  id,
  displayName: z.string(),
  regionCode: z.string().optional(),
  createTime: instant.optional(),
  deleteTime: instant.optional().describe('in the trash since'),
  organization: z.string().optional().describe('the organisation of Google Marketing Platform it belongs to'),
  allowedDomains: z
    .array(z.string())
    .optional()
    .describe('the user policy of the organisation: only these domains may be granted anything'),
  bindings: z.array(binding).default([]),
  properties: z.array(property).default([]),
});

/** What the local Admin API knows when it starts: a seed file, local/admin/seed.schema.json. */
export const seedSchema = z.strictObject({
  $schema: z.string().optional(),
  caller: email.describe('who calls where the access token does not tell, as gRPC without TLS cannot'),
  users: z
    .strictObject({
      unlisted: z
        .enum(['accepted', 'refused'])
        .default('accepted')
        .describe('whether an address in neither list has a Google account'),
      accepted: z.array(email).default([]).describe('addresses that have a Google account'),
      refused: z.array(email).default([]).describe('addresses that have none'),
    })
    .prefault({}),
  accounts: z.array(account).default([]),
});

/** A seed as it is written, with its defaults left out. */
export type Seed = z.input<typeof seedSchema>;
export type ParsedSeed = z.output<typeof seedSchema>;

/** Throws with every mistake of the seed, each with its place. */
export function parseSeed(seed: unknown): ParsedSeed {
  const parsed = seedSchema.safeParse(seed);
  if (parsed.success) return parsed.data;
  throw new Error(`The seed of the local Admin API is not valid:\n${z.prettifyError(parsed.error)}`);
}
