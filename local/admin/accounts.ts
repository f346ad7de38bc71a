import { demand, demandLive, mayEdit, maySeeAccount } from './access.ts';
import { type Context, type Method, method, parentOfName, timestamp } from './method.ts';
import { type PageRequest, readPage } from './page.ts';
import { invalidArgument, permissionDenied } from './refuse.ts';
import { type FieldMask, readMask } from './update-mask.ts';
import type { Account } from './world.ts';

interface AccountMessage {
  readonly name?: string;
  readonly displayName?: string;
  readonly regionCode?: string;
}

type Named = { readonly name?: string };

const pageSizes = { standard: 50, largest: 200 };

export const accountMethods: Readonly<Record<string, Method>> = {
  GetAccount: method<Named>({
    kind: 'read',
    parentOf: ({ name }) => name,
    run: (context, { name }) => asMessage(find(context, name, maySeeAccount)),
  }),

  ListAccounts: method<PageRequest & { showDeleted?: boolean }>({
    kind: 'read',
    run({ world, caller, rules }, request) {
      const { showDeleted = false } = request;
      const accounts = [...world.accounts.values()].filter(
        ({ name, deletedMs }) =>
          (showDeleted || deletedMs === undefined) && maySeeAccount(world, name, caller),
      );
      const list = `accounts, deleted ones too: ${showDeleted}`;
      const { page, nextPageToken } = readPage(list, accounts, request, pageSizes, rules);
      return { accounts: page.map(asMessage), nextPageToken };
    },
  }),

  UpdateAccount: method<{ account?: AccountMessage; updateMask?: FieldMask }>({
    kind: 'write',
    parentOf: ({ account }) => account?.name,
    run(context, { account: given = {}, updateMask }) {
      const paths = readMask(updateMask, ['display_name', 'region_code']);
      const account = find(context, given.name, mayEdit);
      demandLive(context.world, account.name);
      const displayName = paths.has('display_name') ? (given.displayName ?? '') : account.displayName;
      const regionCode = paths.has('region_code') ? (given.regionCode ?? '') : account.regionCode;
      check({ displayName, regionCode });
      Object.assign(account, { displayName, regionCode, updatedMs: context.nowMs });
      return asMessage(account);
    },
  }),

  DeleteAccount: method<Named>({
    kind: 'write',
    parentOf: ({ name }) => name,
    run(context, { name }) {
      const account = find(context, name, mayEdit);
      demandLive(context.world, account.name);
      account.deletedMs = context.nowMs;
      return {};
    },
  }),

  ProvisionAccountTicket: method<{ account?: AccountMessage; redirectUri?: string }>({
    kind: 'write',
    run({ world }, { account = {}, redirectUri = '' }) {
      const { displayName = '', regionCode = '' } = account;
      check({ displayName, regionCode });
      if (!URL.canParse(redirectUri)) throw invalidArgument('The redirect_uri must be a URL.');
      const accountTicketId = `ticket-${world.newId()}`;
      world.tickets.set(accountTicketId, { displayName, regionCode });
      return { accountTicketId };
    },
  }),
};

function check({ displayName, regionCode }: { displayName: string; regionCode: string }): void {
  if (displayName === '') throw invalidArgument('The display_name is missing.');
  if (!/^(?:[A-Z]{2}|)$/.test(regionCode)) {
    throw invalidArgument(`The region_code must be a CLDR region code, not ${JSON.stringify(regionCode)}.`);
  }
}

function find({ world, caller }: Context, name = '', may: typeof mayEdit): Account {
  if (!/^accounts\/\d+$/.test(name)) {
    throw invalidArgument(`${JSON.stringify(name)} is not the name of an account.`);
  }
  demand(world, parentOfName(name), caller, may);
  const account = world.accounts.get(name);
  if (account === undefined) throw permissionDenied();
  return account;
}

/** An account does not tell when it is purged. */
function asMessage(account: Account): object {
  return {
    name: account.name,
    createTime: timestamp(account.createdMs),
    updateTime: timestamp(account.updatedMs),
    displayName: account.displayName,
    regionCode: account.regionCode,
    deleted: account.deletedMs !== undefined,
    gmpOrganization:
      account.organization === undefined
        ? ''
        : `marketingplatformadmin.googleapis.com/organizations/${account.organization}`,
  };
}
