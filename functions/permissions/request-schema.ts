import { z } from 'zod';
import { userKey } from './live-state.ts';
import { type KnownRole, mainRoles, readRole, roleNames } from './roles.ts';
import { accounts, propertyName, targets } from './targets.ts';

/** One name of a role for another, in the form that the rest of the code has. */
const role = z
  .string()
  .transform((text, context): KnownRole => {
    const known = readRole(text);
    if (known === undefined) {
      context.addIssue(`${JSON.stringify(text.slice(0, 100))} is no role; there are ${roleNames}`);
    }
    return known ?? 'viewer';
  })
  .describe('A role by any of its names: viewer, READ_AND_ANALYZE, predefinedRoles/viewer, ...');

const roleList = z.union([role.transform((one) => [one]), z.array(role).min(1).max(10)]);

/** What somebody shall have: one of the main roles, and what the numbers are shown without. */
const rolesToGive = roleList.superRefine((roles, context) => {
  const given = new Set(roles.filter((one) => mainRoles.some((main) => main === one)));
  if (given.size > 1) {
    context.addIssue(`names ${[...given].join(' and ')}: a stronger role contains the weaker, name one`);
  }
});

const address = z
  .string()
  .transform((text, context) => {
    const user = userKey(text);
    if (user.length > 254 || !z.email().safeParse(user).success) {
      context.addIssue(`${JSON.stringify(text.slice(0, 100))} is not an e-mail address`);
    }
    return user;
  })
  .describe('The e-mail address of a Google account');

const users = z.union([address.transform((one) => [one]), z.array(address).min(1).max(100_000)]);
const reason = z.string().max(1_000).optional().describe('Why, for the audit');

const grant = z.strictObject({
  op: z.literal('grant').describe('Adds roles to those that the user has'),
  user: users,
  roles: rolesToGive,
  on: targets,
  reason,
});
const set = z.strictObject({
  op: z.literal('set').describe('Replaces the roles that the user has'),
  user: users,
  roles: rolesToGive,
  on: targets,
  reason,
});
const revoke = z.strictObject({
  op: z.literal('revoke').describe('Takes the named roles, or without any the whole binding'),
  user: users,
  roles: roleList.optional(),
  on: targets,
  reason,
});
const revokeEverywhere = z.strictObject({
  op: z
    .literal('revokeEverywhere')
    .describe('Takes every binding, on the accounts and all of their properties'),
  user: users,
  on: accounts.optional().describe('The accounts; without them all that the function can see'),
  reason,
});

const change = z.discriminatedUnion('op', [grant, set, revoke, revokeEverywhere]);

const desired = z.strictObject({
  on: targets,
  ownership: z
    .enum(['exclusive', 'additive'])
    .describe('exclusive: who is not named has no binding; additive: who is not named is left alone'),
  members: z.array(z.strictObject({ user: users, roles: rolesToGive })).max(100_000),
  ignore: z.array(address).max(10_000).default([]).describe('Who is left alone where it is exclusive'),
  reason,
});

const guards = z
  .strictObject({
    minimumAdministrators: z.int().min(1).max(100).optional(),
    requiredAdministrators: z.array(address).max(100).default([]),
    maximumShareOfRemovals: z.number().min(0).max(1).optional(),
    minimumExisting: z.int().min(0).optional(),
  })
  .describe('Overrides what the function is configured with; required administrators add to it');

export const requestSchema = z
  .strictObject({
    changes: z.array(change).min(1).max(100_000).optional(),
    desired: z.array(desired).min(1).max(10_000).optional(),
    atomicity: z
      .enum(['call', 'account', 'request'])
      .default('account')
      .describe('What stands or falls together; account is what the Management API did'),
    shadowed: z
      .enum(['skip', 'write'])
      .default('skip')
      .describe('Whether a property gets a binding that gives no more than that of its account'),
    views: z
      .record(z.string(), propertyName)
      .default({})
      .describe('The property of each view of the old kind that is named'),
    guards: guards.optional(),
  })
  .superRefine((request, context) => {
    if ((request.changes === undefined) === (request.desired === undefined)) {
      context.addIssue('must have either changes or desired');
    }
  })
  .describe('A request to change who has access to Google Analytics');

export type ParsedRequest = z.output<typeof requestSchema>;
export type ParsedChange = NonNullable<ParsedRequest['changes']>[number];
export type ParsedDesired = NonNullable<ParsedRequest['desired']>[number];
