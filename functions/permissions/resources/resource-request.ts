import { z } from 'zod';
import type { Problem } from '../access-plan.ts';
import type { MainRole } from '../roles.ts';

const accountName = z
  .string()
  .regex(/^accounts\/\d{1,19}$/, 'must be an account such as accounts/123')
  .transform((text) => text as `accounts/${string}`);
const propertyName = z
  .string()
  .regex(/^properties\/\d{1,19}$/, 'must be a property such as properties/123')
  .transform((text) => text as `properties/${string}`);
const streamName = z
  .string()
  .regex(
    /^properties\/\d{1,19}\/dataStreams\/\d{1,19}$/,
    'must be a stream such as properties/1/dataStreams/2',
  );

/** In UTF-16 units: the proto of Property. */
const title = z.string().trim().min(1).max(100);
const zone = z
  .string()
  .refine((name) => isZone(name), 'must be a time zone such as Europe/Berlin')
  .describe('Zone of its days');
const currency = z.string().regex(/^[A-Z]{3}$/, 'must be a currency such as EUR');
const industry = z.string().regex(/^[A-Z][A-Z_]{2,60}$/, 'must be a category such as FINANCE');
const region = z.string().regex(/^[A-Z]{2}$/, 'must be a country such as DE');
const address = z.url({ protocol: /^https?$/ });
const confirm = z.string().describe('The display name of what goes, so that nothing goes by mistake');

const change = z.discriminatedUnion('op', [
  z.strictObject({
    op: z
      .literal('provisionAccount')
      .describe('Asks for an account; a person accepts the terms in a browser'),
    displayName: title,
    regionCode: region,
    redirectUri: address,
  }),
  z.strictObject({
    op: z.literal('updateAccount'),
    account: accountName,
    displayName: title.optional(),
    regionCode: region.optional(),
  }),
  z.strictObject({ op: z.literal('deleteAccount'), account: accountName, confirm }),
  z.strictObject({
    op: z.literal('createProperty'),
    account: accountName,
    displayName: title,
    timeZone: zone,
    currencyCode: currency.default('USD'),
    industryCategory: industry.optional(),
  }),
  z.strictObject({
    op: z.literal('updateProperty'),
    property: propertyName,
    displayName: title.optional(),
    timeZone: zone.optional(),
    currencyCode: currency.optional(),
    industryCategory: industry.optional(),
  }),
  z.strictObject({ op: z.literal('deleteProperty'), property: propertyName, confirm }),
  z.strictObject({
    op: z.literal('createStream').describe('A web stream'),
    property: propertyName,
    displayName: title,
    defaultUri: address,
  }),
  z.strictObject({ op: z.literal('updateStream'), stream: streamName, displayName: title }),
  z.strictObject({ op: z.literal('deleteStream'), stream: streamName, confirm }),
]);

/** Changes of accounts, properties and data streams; done one after the other, until one fails. */
export const resourceRequest = z
  .strictObject({ resources: z.array(change).min(1).max(100), reason: z.string().max(1_000).optional() })
  .superRefine(({ resources }, context) => {
    const seen = new Map<string, number>();
    for (const [index, one] of resources.entries()) {
      const key = keyOf(one);
      const before = seen.get(key);
      if (before === undefined) seen.set(key, index);
      else {
        const message = `is about the same as resources[${before}]: one change for each`;
        context.addIssue({ code: 'custom', path: ['resources', index], message });
      }
    }
  });

export type ResourceRequest = z.output<typeof resourceRequest>;
export type ResourceChange = z.output<typeof change>;

/** What is put into the trash or asked of Google for good takes an administrator, the rest an editor. */
export function judgeRights({ resources }: ResourceRequest, strongest: MainRole): Problem[] {
  return resources.flatMap(({ op }, index) => {
    const needed = op.startsWith('delete') || op === 'provisionAccount' ? ['admin'] : ['admin', 'editor'];
    if (needed.includes(strongest)) return [];
    return [{ line: `resources[${index}]`, reason: `${op} takes the right to make ${needed.at(-1)}s` }];
  });
}

function keyOf(one: ResourceChange): string {
  if ('stream' in one) return one.stream;
  if (one.op === 'createStream') return `${one.property} ${one.displayName}`;
  if ('property' in one) return one.property;
  return one.op === 'createProperty' || one.op === 'provisionAccount'
    ? `${one.op} ${'account' in one ? one.account : ''} ${one.displayName}`
    : one.account;
}

function isZone(name: string): boolean {
  try {
    return name.includes('/') && new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== '';
  } catch {
    return false;
  }
}
