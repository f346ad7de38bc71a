import { z } from 'zod';
import type { AccountName, PropertyName } from './live-state.ts';

/** What a line of a request is about. */
export type Target =
  | { readonly kind: 'account'; readonly account: AccountName }
  | { readonly kind: 'property'; readonly property: PropertyName; readonly view: string | undefined }
  /** Every property that the account has when it is planned. */
  | { readonly kind: 'properties'; readonly account: AccountName }
  /** An account and every property of it. */
  | { readonly kind: 'hierarchy'; readonly account: AccountName }
  /** A view of the old kind by its id, as the Management API named them; `views` of the request says its property. */
  | { readonly kind: 'view'; readonly view: string };

const id = z.union([z.string(), z.int().nonnegative()]).transform(String);

const accountName = id.transform((text, context): AccountName => {
  const number = /^(?:accounts\/)?(\d{1,19})$/.exec(text.trim())?.[1];
  if (number === undefined) context.addIssue(`must be an account such as accounts/123, not ${quote(text)}`);
  return `accounts/${number}`;
});

export const propertyName = id.transform((text, context): PropertyName => {
  const number = /^(?:properties\/)?(\d{1,19})$/.exec(text.trim())?.[1];
  if (number === undefined) context.addIssue(`must be a property such as properties/123, not ${quote(text)}`);
  return `properties/${number}`;
});

const named = z.string().transform((text, context): Target => {
  const target = readTarget(text.trim());
  if (target !== undefined) return target;
  context.addIssue(
    `must be accounts/123, properties/456, accounts/123/properties/* or a view of the old kind, not ${quote(text)}`,
  );
  return { kind: 'view', view: '' };
});

const oneTarget = z.union([
  named,
  z
    .strictObject({ account: accountName, properties: z.literal('*') })
    .transform(({ account }): Target => ({ kind: 'properties', account })),
  z.strictObject({ account: accountName }).transform(({ account }): Target => ({ kind: 'account', account })),
  z
    .strictObject({ property: propertyName, view: id.optional() })
    .transform(({ property, view }): Target => ({ kind: 'property', property, view })),
  z.strictObject({ view: id }).transform(({ view }): Target => ({ kind: 'view', view: viewId(view) })),
]);

/** What a line is about: one target or several. */
export const targets = z
  .union([oneTarget.transform((one) => [one]), z.array(oneTarget).min(1).max(10_000)])
  .describe(
    'accounts/123, properties/456, accounts/123/properties/* for all properties of an account, or a view of the old kind',
  );

/** Accounts, where a line is about all that is in them. */
export const accounts = z.union([
  accountName.transform((one) => [one]),
  z.array(accountName).min(1).max(1_000),
]);

/**
 * A view by its id, whatever the Management API wrote around it: `ga:123`, or
 * `accounts/1/webproperties/UA-1-2/profiles/123`.
 */
export const viewId = (text: string): string => /(?:^|[:/])(\d+)$/.exec(text.trim())?.[1] ?? text.trim();

function readTarget(text: string): Target | undefined {
  const account = /^accounts\/(\d{1,19})(\/properties\/\*)?$/.exec(text);
  if (account?.[1] !== undefined) {
    return { kind: account[2] === undefined ? 'account' : 'properties', account: `accounts/${account[1]}` };
  }
  const property = /^(?:accounts\/\d{1,19}\/)?properties\/(\d{1,19})(?:\/(?:profiles|views)\/(\d+))?$/.exec(
    text,
  );
  if (property?.[1] !== undefined) {
    return { kind: 'property', property: `properties/${property[1]}`, view: property[2] };
  }
  const isView = /^(?:ga:|views\/|profiles\/|accounts\/\d+\/webproperties\/UA-\d+-\d+\/profiles\/)\d+$/.test(
    text,
  );
  return isView ? { kind: 'view', view: viewId(text) } : undefined;
}

const quote = (text: string): string => JSON.stringify(text.slice(0, 100));
