import { z } from 'zod';
import { type AdminApi, listOrganisation, pagesOf } from '../admin-api.ts';
import type { AccountName, PropertyName } from '../live-state.ts';
import { listAccounts, listStreams } from '../read-inventory.ts';

const account = z.string().regex(/^accounts\/\d{1,19}$/, 'must be an account such as accounts/123');
const property = z.string().regex(/^properties\/\d{1,19}$/, 'must be a property such as properties/123');
const showDeleted = z.boolean().default(false).describe('Those in the trash too');

/** What can be asked for, by name. */
export const readCall = z.discriminatedUnion('what', [
  z.strictObject({ what: z.literal('accountSummaries') }),
  z.strictObject({ what: z.literal('accounts'), showDeleted }),
  z.strictObject({ what: z.literal('account'), account }),
  z
    .strictObject({
      what: z.literal('properties'),
      parent: z.union([account, property]).optional(),
      ancestor: account.optional(),
      firebaseProject: z
        .string()
        .regex(/^[\w-]{1,64}$/, 'must be the id or number of a Firebase project')
        .optional(),
      showDeleted,
    })
    .refine((it) => [it.parent, it.ancestor, it.firebaseProject].filter(Boolean).length === 1, {
      error: 'names one of parent, ancestor and firebaseProject',
    }),
  z.strictObject({ what: z.literal('property'), property }),
  z.strictObject({ what: z.literal('dataStreams'), property }),
  z.strictObject({
    what: z.literal('accessBinding'),
    binding: z
      .string()
      .regex(
        /^(?:accounts|properties)\/\d{1,19}\/accessBindings\/[\w-]{1,64}$/,
        'must be the name of a binding',
      ),
  }),
]);
export type ReadCall = z.output<typeof readCall>;

/**
 * Reads accounts, properties, data streams or one binding as Google has them. `isAllowed` tells of which accounts the
 * caller may know; undefined where what is named is of another. Rejects with ReadFailed.
 */
export async function readResources(
  api: AdminApi,
  call: ReadCall,
  isAllowed: (account: AccountName) => boolean,
  until: number,
): Promise<object | undefined> {
  const ofAccount = async (name: string): Promise<boolean> =>
    isAllowed(
      name.startsWith('accounts/') ? (name as AccountName) : await accountOfProperty(api, name, until),
    );
  switch (call.what) {
    case 'accountSummaries': {
      const { accounts, properties } = await listOrganisation(api, until);
      const summaries = [...accounts]
        .sort(byName)
        .filter(([name]) => isAllowed(name))
        .map(([name, displayName]) => ({
          account: name,
          displayName,
          properties: [...properties].flatMap(([own, place]) =>
            place.account === name ? [{ property: own, displayName: place.displayName }] : [],
          ),
        }));
      return { accountSummaries: summaries };
    }
    case 'accounts': {
      const listed = [...(await listAccounts(api, until))]
        .sort(byName)
        .filter(([name, { deleted }]) => isAllowed(name) && (call.showDeleted || !deleted));
      return { accounts: listed.map(([name, details]) => ({ account: name, ...details })) };
    }
    case 'account': {
      if (!(await ofAccount(call.account))) return undefined;
      const [found] = await api.read(
        (client, options) => client.getAccount({ name: call.account }, options),
        until,
      );
      return { ...found };
    }
    case 'properties':
      return { properties: await listFiltered(api, call, isAllowed, until) };
    case 'property': {
      const [found] = await api.read(
        (client, options) => client.getProperty({ name: call.property }, options),
        until,
      );
      return isAllowed((found.account ?? '') as AccountName) ? { ...found } : undefined;
    }
    case 'dataStreams': {
      if (!(await ofAccount(call.property))) return undefined;
      return { dataStreams: await listStreams(api, call.property as PropertyName, until) };
    }
    case 'accessBinding': {
      if (!(await ofAccount(call.binding.split('/accessBindings/')[0] ?? ''))) return undefined;
      const [found] = await api.read(
        (client, options) => client.getAccessBinding({ name: call.binding }, options),
        until,
      );
      const { name, user, roles } = found;
      return { name, user, roles };
    }
  }
}

async function accountOfProperty(api: AdminApi, name: string, until: number): Promise<AccountName> {
  const [found] = await api.read((client, options) => client.getProperty({ name }, options), until);
  return (found.account ?? '') as AccountName;
}

async function listFiltered(
  api: AdminApi,
  call: Extract<ReadCall, { what: 'properties' }>,
  isAllowed: (account: AccountName) => boolean,
  until: number,
): Promise<object[]> {
  const { parent, ancestor, firebaseProject, showDeleted: deletedToo } = call;
  const filter =
    parent !== undefined
      ? `parent:${parent}`
      : ancestor !== undefined
        ? `ancestor:${ancestor}`
        : `firebase_project:${firebaseProject}`;
  const found: object[] = [];
  for await (const page of pagesOf((pageToken) =>
    api.read(async (client, options) => {
      const request = { filter, pageSize: 200, pageToken, showDeleted: deletedToo };
      const [items, , answer] = await client.listProperties(request, options);
      return { items, nextPageToken: answer?.nextPageToken };
    }, until),
  )) {
    found.push(
      ...page.filter(({ account: of }) => isAllowed((of ?? '') as AccountName)).map((one) => ({ ...one })),
    );
  }
  return found;
}

/** Google lists in no order that is told. */
const byName = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number =>
  one < other ? -1 : 1;
