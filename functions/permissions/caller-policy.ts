import { z } from 'zod';
import type { AccountName } from './live-state.ts';
import { type MainRole, mainRoles } from './roles.ts';

const address = z
  .string()
  .transform((text) => text.trim().toLowerCase())
  .refine((text) => z.email().safeParse(text).success, 'must be an e-mail address');

const domain = z
  .string()
  .transform((text) => text.trim().toLowerCase())
  .refine((text) => /^(?:[a-z0-9-]+\.)+[a-z0-9-]+$/.test(text), 'must be a domain such as example.com');

const account = z.string().regex(/^accounts\/\d{1,19}$/, 'must be an account such as accounts/123');
const domains = z.array(domain).max(1_000);

const caller = z.strictObject({
  email: z
    .union([address.transform((one) => [one]), z.array(address).min(1).max(1_000)])
    .describe('The address in the token of who calls: of a person or of a service account'),
  accounts: z
    .union([z.literal('all'), z.array(account).min(1).max(10_000)])
    .describe('The accounts in which they may change anything: all, or those that are named'),
  strongestRole: z.enum(mainRoles).describe('The strongest role that they may give'),
  domains: domains
    .optional()
    .describe('Whose addresses they may give access, of the domains of the policy; without it all of those'),
  may: z
    .enum(['plan', 'apply'])
    .default('apply')
    .describe('plan: only see what would be done; apply: do it too'),
});

/** Who may have access changed, where, and up to what. */
export const callerPolicySchema = z
  .strictObject({
    $schema: z.string().optional(),
    domains: domains
      .optional()
      .describe('The domains whose addresses may be given access by anyone; without it any domain'),
    callers: z.array(caller).max(10_000).describe('Who is not named may neither plan nor apply'),
  })
  .superRefine((policy, context) => {
    const seen = new Set<string>();
    for (const [index, { email, domains: own = [] }] of policy.callers.entries()) {
      for (const one of email) {
        if (seen.has(one)) {
          context.addIssue({
            code: 'custom',
            path: ['callers', index, 'email'],
            message: `${one} is named twice`,
          });
        }
        seen.add(one);
      }
      const foreign = own.filter((one) => policy.domains !== undefined && !policy.domains.includes(one));
      for (const one of foreign) {
        const message = `${one} is not among the domains of the policy`;
        context.addIssue({ code: 'custom', path: ['callers', index, 'domains'], message });
      }
    }
  })
  .describe('Who may change access to Google Analytics, in which accounts, and up to what');

export type CallerPolicy = z.output<typeof callerPolicySchema>;

/** What one caller may do. */
export interface CallerRights {
  readonly accounts: 'all' | ReadonlySet<string>;
  readonly strongestRole: MainRole;
  /** Undefined for any. */
  readonly domains: readonly string[] | undefined;
  readonly mayApply: boolean;
}

/** The policy cannot be used; the message says where and why. */
export class InvalidPolicy extends Error {}

/** Throws InvalidPolicy, with every mistake and its place. `location` says whose text it is. */
export function parsePolicy(text: string, location: string): CallerPolicy {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InvalidPolicy(`${location} is not JSON: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
  const parsed = callerPolicySchema.safeParse(value);
  if (!parsed.success) throw new InvalidPolicy(`${location} is invalid:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** The rights of a caller; undefined where the policy does not name the address. */
export function rightsOf(policy: CallerPolicy, email: string): CallerRights | undefined {
  const wanted = email.toLowerCase();
  const found = policy.callers.find((one) => one.email.includes(wanted));
  if (found === undefined) return undefined;
  return {
    accounts: found.accounts === 'all' ? 'all' : new Set(found.accounts),
    strongestRole: found.strongestRole,
    domains: found.domains ?? policy.domains,
    mayApply: found.may === 'apply',
  };
}

/** Those of the accounts that the caller may change nothing in, each once, in their order. */
export function accountsOutside(
  { accounts }: Pick<CallerRights, 'accounts'>,
  touched: Iterable<AccountName>,
): AccountName[] {
  if (accounts === 'all') return [];
  return [...new Set(touched)].filter((name) => !accounts.has(name));
}
